"""Rows → what pages show of rounds and submissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.events import Json, from_json, to_json
from games.protocol import MAIN
from games.visibility import seen
from server import challenges, competitions, endings, judges, measurements, players, plays
from server.arena import Arena
from server.database import now
from server.edge import SETTLED
from server.models import Competition, Game, Play, Player, Round, RoundState, State, Submission
from server.players import Caller
from server.web import story
from server.web.scores import Part, parts
from server.web.story import Turn
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
    """opening: what a player is shown before the first move. begins: must a play begin before its first move can be
    asked for, since something is measured before it?"""

    line: RoundLine
    competition: str
    digest: str
    description: str
    passages: Sequence[str]
    judge: str
    limit: int | None
    attempts: int | None
    attempts_left: int | None
    seats: Sequence[str]
    opening: Sequence[Turn]
    begins: bool
    move_seconds: int | None
    trouble: str | None

    @property
    def takes_moves(self) -> bool:
        return self.line.state in (RoundState.OPEN, RoundState.PAUSED) and self.attempts_left != 0


@dataclass(frozen=True, slots=True)
class ChallengeLine:
    """A play that waits for players. own: the submission of whoever looks, if they wait in it."""

    play: str
    players: Sequence[str]
    free: Sequence[str]
    invited: Player | None
    since: datetime
    own: str | None


@dataclass(frozen=True, slots=True)
class Meeting:
    """How somebody may find an opponent in a round. waiting: their own challenges; open: those they may take up."""

    round: str
    seats: Sequence[str]
    waiting: Sequence[ChallengeLine]
    open: Sequence[ChallengeLine]
    others: Sequence[Player]
    may_ask: bool


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
    """limit: tokens of the next move, where one is awaited. served: is a worker there for its judge? told: what
    happened, where it is more than one move. opponents: (seat, name or none yet) of the others."""

    line: SubmissionLine
    round: str
    title: str
    passages: Sequence[str]
    said: Sequence[Said]
    parts: Sequence[Part]
    place: int | None
    wait: float | None
    served: bool
    reason: str | None
    limit: int | None
    told: Sequence[Turn]
    opponents: Sequence[tuple[str, str | None]]
    due_at: datetime | None
    mine: bool
    seat: str
    charged: bool

    @property
    def may_resign(self) -> bool:
        """Is there a play to give up, or a challenge to take back?"""
        waits = self.line.state in (State.AWAITING_MOVE, State.AWAITING_OPPONENT)
        return self.mine and (waits or (bool(self.opponents) and self.line.state == State.QUEUED))

    @property
    def vacant(self) -> bool:
        return any(name is None for _, name in self.opponents)

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
    opening = competitions.opening(session, row, at)
    return RoundShown(
        line=line,
        competition=row.competition_id,
        digest=row.digest,
        description=setup.program.description,
        passages=competitions.passages_for(session, row, host=caller.is_host, at=at),
        judge=judges.find(session, setup.identities[MAIN]).name,
        limit=opening.limit if opening else None,
        attempts=row.attempts,
        attempts_left=plays.attempts_left(session, row, caller.player),
        seats=setup.program.seats,
        opening=story.told(to_json(seen(opening.events, opening.seat)), opening.seat, {}) if opening else [],
        begins=opening is None,
        move_seconds=row.move_seconds,
        trouble=row.trouble,
    )


def meeting(session: Session, caller: Caller, round_id: str) -> Meeting | None:
    """How the caller may find an opponent; None in a game of one seat, and for a host."""
    row = competitions.find_round(session, round_id)
    players.require_member(caller, row.competition_id)
    seats = competitions.setup_of(session, row).program.seats
    if caller.player is None or len(seats) == 1:
        return None
    lines = [_challenge(session, each, caller.player) for each in challenges.opened(session, caller, round_id)]
    waiting = [line for line in lines if line.own]
    open_ = competitions.state_of(row, now(session)) is RoundState.OPEN
    left = plays.attempts_left(session, row, caller.player) != 0
    others = [
        each for each in players.members(session, row.competition_id) if each.id != caller.player and not each.removed
    ]
    return Meeting(
        round=round_id,
        seats=seats,
        waiting=waiting,
        open=[line for line in lines if not line.own] if open_ and left else [],
        others=others,
        may_ask=open_ and left and not any(line.invited is None for line in waiting),
    )


def _challenge(session: Session, each: challenges.Challenge, player: str) -> ChallengeLine:
    own = select(Submission.id).where(Submission.play_id == each.play, Submission.player_id == player)
    return ChallengeLine(
        play=each.play,
        players=[taken.name for taken in each.taken.values()],
        free=each.free,
        invited=each.invited,
        since=each.since,
        own=session.scalars(own).one_or_none(),
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
    round_row = session.get_one(Round, row.round_id)
    setup = competitions.setup_of(session, round_row)
    identity = setup.identities[MAIN]
    place = measurements.place(session, row.play_id) if row.state == State.QUEUED else None
    events = to_json(seen(from_json(play.events), row.seat))
    names = _names(session, play)
    several = len(setup.program.seats) > 1 or sum(event["type"] == "ask" for event in events) > 1
    return SubmissionShown(
        line=submission_line(session, row),
        round=row.round_id,
        title=setup.program.title,
        passages=competitions.passages_for(session, round_row, host=caller.is_host, at=now(session)),
        said=[] if several else said(play.moves, events, row.seat),
        parts=parts(session, setup, play, row.seat) if row.state == State.SCORED else [],
        place=place,
        wait=arena.expected_wait(identity, place),
        served=bool(arena.serving(identity)),
        reason=row.reason["detail"] if row.reason else None,
        limit=(play.awaits or {}).get("limit") if row.state == State.AWAITING_MOVE else None,
        told=story.told(_before_score(row, events), row.seat, names)
        if several or row.state == State.AWAITING_MOVE
        else [],
        opponents=[(seat, names.get(seat)) for seat in setup.program.seats if seat != row.seat],
        due_at=play.due_at,
        mine=row.player_id == caller.player,
        seat=row.seat,
        charged=not row.reason or row.reason["type"] != "withdrawn",
    )


def _before_score(row: Submission, events: Sequence[Json]) -> list[Json]:
    """Without the rewards, once they are shown as the score and its parts."""
    return [event for event in events if row.state != State.SCORED or event["type"] != "reward"]


def _names(session: Session, play: Play) -> dict[str, str]:
    """Seat → the name of its player."""
    return {each.seat: players.find(session, each.player_id).name for each in endings.seats(session, play)}


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
