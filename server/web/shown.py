"""Rows → what pages show of rounds and submissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.engine import replay
from games.values import MAIN, Log, NeedMove
from server import competitions, judges, measurements, players, plays
from server.arena import Arena
from server.competitions import RoundSetup
from server.database import now
from server.edge import SETTLED
from server.models import Competition, Game, Play, Round, RoundState, State, Submission
from server.players import Caller
from server.web.scores import Part, parts
from server.web.words import Said, said

EARLIER = 50  # submissions of one's own that a page lists


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page."""

    caller: Caller
    name: str
    competition: Competition | None


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A round in a list."""

    id: str
    number: int
    title: str
    state: RoundState
    opens_at: datetime
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoundShown:
    line: RoundLine
    competition: str
    description: str
    passages: Sequence[str]
    judge: str
    limit: int | None
    attempts: int | None
    attempts_left: int | None

    @property
    def takes_moves(self) -> bool:
        return self.line.state in (RoundState.OPEN, RoundState.PAUSED) and self.attempts_left != 0


@dataclass(frozen=True, slots=True)
class SubmissionLine:
    """A submission in a list. move: the first one of its play."""

    id: str
    move: str
    state: State
    bits: float | None
    hidden: bool
    accepted_at: datetime
    round_number: int
    player: str


@dataclass(frozen=True, slots=True)
class SubmissionShown:
    """limit: tokens of the next move, where one is awaited. served: is a worker there for its judge?"""

    line: SubmissionLine
    round: str
    said: Sequence[Said]
    parts: Sequence[Part]
    place: int | None
    wait: float | None
    served: bool
    reason: str | None
    limit: int | None

    @property
    def settled(self) -> bool:
        return self.line.state in SETTLED


def viewer(session: Session, token: str | None) -> Viewer:
    """Raises `Refused` for a token that is not good."""
    caller = players.authenticate(session, token)
    if caller.player is None:
        return Viewer(caller, "Host" if caller.is_host else "Visitor", None)
    assert caller.competition is not None
    return Viewer(caller, players.find(session, caller.player).name, competitions.find(session, caller.competition))


def lines(session: Session, caller: Caller, competition_id: str) -> list[RoundLine]:
    """The rounds of a competition, in order."""
    players.require_member(caller, competition_id)
    at = now(session)
    return [_line(session, row, at) for row in competitions.rounds(session, competition_id)]


def newest_open(rounds: Sequence[RoundLine]) -> RoundLine | None:
    return next((line for line in reversed(rounds) if line.state is RoundState.OPEN), None)


def round_(session: Session, caller: Caller, round_id: str) -> RoundShown:
    row = competitions.find_round(session, round_id)
    players.require_member(caller, row.competition_id)
    setup = competitions.setup_of(session, row)
    at = now(session)
    line = _line(session, row, at)
    return RoundShown(
        line=line,
        competition=row.competition_id,
        description=setup.program.description,
        passages=competitions.passages_for(row, host=caller.is_host, at=at),
        judge=judges.find(session, setup.identities[MAIN]).name,
        limit=_first_limit(setup),
        attempts=row.attempts,
        attempts_left=plays.attempts_left(session, row, caller.player),
    )


def own(session: Session, caller: Caller, round_id: str) -> list[SubmissionLine]:
    """The caller's latest submissions of a round, newest first."""
    players.require_member(caller, competitions.find_round(session, round_id).competition_id)
    query = select(Submission).where(Submission.round_id == round_id, Submission.player_id == caller.player)
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(EARLIER)).all() if caller.player else []
    return [submission_line(session, row) for row in rows]


def submission(session: Session, arena: Arena, caller: Caller, submission_id: str) -> SubmissionShown:
    row = plays.see(session, caller, submission_id)
    play = session.get_one(Play, row.play_id)
    setup = competitions.setup_of(session, session.get_one(Round, row.round_id))
    identity = setup.identities[MAIN]
    place = measurements.place(session, row.play_id) if row.state == State.QUEUED else None
    return SubmissionShown(
        line=submission_line(session, row),
        round=row.round_id,
        said=said(play.moves, play.events, row.seat),
        parts=parts(session, setup, play, row.seat) if row.state == State.SCORED else [],
        place=place,
        wait=arena.expected_wait(identity, place),
        served=bool(arena.serving(identity)),
        reason=row.reason["detail"] if row.reason else None,
        limit=play.events[-1]["limit"] if row.state == State.AWAITING_MOVE else None,
    )


def submission_line(session: Session, row: Submission) -> SubmissionLine:
    moves = session.get_one(Play, row.play_id).moves
    return SubmissionLine(
        id=row.id,
        move=next((move["text"] for move in moves if move["seat"] == row.seat), ""),
        state=State(row.state),
        bits=None if row.millibits is None else row.millibits / 1000,
        hidden=row.hidden,
        accepted_at=row.accepted_at,
        round_number=session.get_one(Round, row.round_id).number,
        player=players.find(session, row.player_id).name,
    )


def _line(session: Session, row: Round, at: datetime) -> RoundLine:
    title = session.get_one(Game, row.digest).title
    return RoundLine(row.id, row.number, title, competitions.state_of(row, at), row.opens_at, row.closes_at)


def _first_limit(setup: RoundSetup) -> int | None:
    """How many tokens the first move may have; None where something is measured before it."""
    effect = replay(setup.program, setup.setup, Log())
    return effect.limit if isinstance(effect, NeedMove) else None
