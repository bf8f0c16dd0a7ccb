"""Rows → what pages show of rounds and submissions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.events import Json, from_json, to_json
from games.protocol import MAIN
from games.visibility import seen
from server.arena import (
    admission,
    attempts,
    challenges,
    competitions,
    judges,
    players,
    queue_positions,
    round_setup,
    rounds,
    seats,
    submissions,
)
from server.arena.callers import Caller
from server.arena.round_setup import RoundSetup
from server.arena.unit import Unit
from server.db.models import Competition, Judge, Play, Player, Round, Submission
from server.db.states import RoundState, Scope, SubmissionState
from server.http.requests import SETTLED
from server.web import meaning, timeline
from server.web.i18n import _, localised
from server.web.move_diff import Said, said
from server.web.round_lines import RoundLine, line
from server.web.score_breakdown import Part, parts
from server.web.surprise import Mapped, mapped
from server.web.timeline import Turn

MOST_CHALLENGES = 50  # that a page lists
MOST_NAMED = 50  # players whom a page proposes
EARLIER = 50  # submissions of one's own that a page lists


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page."""

    caller: Caller
    name: str
    competition: Competition | None


@dataclass(frozen=True, slots=True)
class RoundShown:
    """closes_in: seconds. opening: what a player is shown before the first move. begins: must a play begin before its
    first move can be asked for, since something is measured before it? rated: do ratings rank, and not the best?"""

    line: RoundLine
    competition: str
    digest: str
    description: str
    passages: Sequence[Mapped]
    judge: str
    limit: str | None
    attempts: int | None
    attempts_left: int | None
    seats: Sequence[str]
    house: Sequence[str]
    opening: Sequence[Turn]
    begins: bool
    move_seconds: int | None
    trouble: str | None
    closed_because: str | None
    closes_in: int | None
    takes_practice: bool
    rated: bool

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
    """How somebody may find an opponent in a round. waiting: their own challenges; open: those they may take up. names:
    whom they may invite, where these are few; none where a list of them would be long."""

    round: str
    seats: Sequence[str]
    waiting: Sequence[ChallengeLine]
    open: Sequence[ChallengeLine]
    names: Sequence[str]
    may_ask: bool


@dataclass(frozen=True, slots=True)
class SubmissionLine:
    """A submission in a list. move: the first one of its play."""

    id: str
    move: str
    state: SubmissionState
    bits: float | None
    hidden: bool
    practice: bool
    accepted_at: datetime
    round_number: int
    player: str


@dataclass(frozen=True, slots=True)
class SubmissionShown:
    """limit: tokens of the next move, where one is awaited. served: is a worker there for its judge? told: what
    happened, where it is more than one move. meaning: the score in words. opponents: (seat, name or none yet) of the
    others. judge: its name."""

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
    limit: str | None
    told: Sequence[Turn]
    opponents: Sequence[tuple[str, str | None]]
    due_at: datetime | None
    due_in: int | None
    mine: bool
    seat: str
    charged: bool
    meaning: Sequence[str]
    judge: str
    round_closed: bool

    @property
    def has_picture(self) -> bool:
        """May it be shared? Not before the round has ended."""
        shown = self.round_closed and not self.line.hidden and not self.line.practice
        return shown and self.line.state == SubmissionState.SCORED

    @property
    def has_receipt(self) -> bool:
        """Is it scored, and shown under its own id?"""
        return self.line.state == SubmissionState.SCORED and self.line.id.startswith("sub_")

    @property
    def may_resign(self) -> bool:
        """Is there a play to give up, or a challenge to take back?"""
        waits = self.line.state in (SubmissionState.AWAITING_MOVE, SubmissionState.AWAITING_OPPONENT)
        return self.mine and (waits or (bool(self.opponents) and self.line.state == SubmissionState.QUEUED))

    @property
    def vacant(self) -> bool:
        return any(name is None for _, name in self.opponents)

    @property
    def settled(self) -> bool:
        return self.line.state in SETTLED


def viewer(unit: Unit) -> Viewer:
    """Who looks. Raises `RequestError` (401) for a visitor."""
    session, caller = unit.session, unit.caller
    if caller.player is None:
        return Viewer(caller, _host_name(caller), None)
    assert caller.competition is not None
    return Viewer(caller, players.find(session, caller.player).name, competitions.find(session, caller.competition))


def _host_name(caller: Caller) -> str:
    if caller.name is not None:
        return caller.name
    return {Scope.HOST: _("Host"), Scope.OBSERVER: _("Observer")}.get(caller.scope, _("Visitor"))


def visitor(unit: Unit) -> Viewer | None:
    """Who is signed in, if anyone is."""
    return viewer(unit) if unit.asked_by else None


def round_(unit: Unit, round_id: str) -> RoundShown:
    row = rounds.see(unit, round_id)
    session, caller, at = unit.session, unit.caller, unit.now
    setup = round_setup.setup_of(session, row)
    opening = rounds.opening(session, row, at)
    judge = judges.find(session, setup.identities[MAIN])
    passages = rounds.passages_for(session, row, host=caller.watches(row.competition_id), at=at)
    return RoundShown(
        line=line(row, setup.program.title, at),
        competition=row.competition_id,
        digest=row.digest,
        description=setup.program.description,
        passages=mapped(session, setup, passages),
        judge=judge.name,
        limit=_limit(judge, opening.limit) if opening else None,
        attempts=row.attempts,
        attempts_left=attempts.attempts_left(session, row, caller.player),
        seats=setup.seats,
        house=[seat for seat in setup.program.seats if seat in setup.setup.house],
        opening=timeline.told(to_json(seen(opening.events, opening.seat)), opening.seat, {}) if opening else [],
        begins=opening is None,
        move_seconds=row.move_seconds,
        trouble=row.trouble,
        closed_because=rounds.why_closed(session, row, at),
        closes_in=_seconds_to(row.closes_at, at),
        takes_practice=rounds.state_of(row, at) is RoundState.CLOSED and not admission.no_practice(unit, row),
        rated=setup.program.zero_sum and not setup.setup.house,
    )


def _seconds_to(end: datetime | None, at: datetime) -> int | None:
    return None if end is None else max(0, math.ceil((end - at).total_seconds()))


def meeting(unit: Unit, round_id: str) -> Meeting | None:
    """How the caller may find an opponent; None in a game of one seat, and for a host."""
    row = rounds.see(unit, round_id)
    session, caller = unit.session, unit.caller
    seats = round_setup.setup_of(session, row).seats
    if caller.player is None or len(seats) == 1:
        return None
    lines = _challenges(session, challenges.opened(unit, round_id, MOST_CHALLENGES), caller.player)
    waiting = [line for line in lines if line.own]
    open_ = rounds.state_of(row, unit.now) is RoundState.OPEN
    left = attempts.attempts_left(session, row, caller.player) != 0
    return Meeting(
        round=round_id,
        seats=seats,
        waiting=waiting,
        open=[line for line in lines if not line.own] if open_ and left else [],
        names=players.few_names(session, row.competition_id, MOST_NAMED, but=caller.player),
        may_ask=open_ and left and not any(line.invited is None for line in waiting),
    )


def _challenges(session: Session, found: Sequence[challenges.Challenge], player: str) -> list[ChallengeLine]:
    query = select(Submission.play_id, Submission.id).where(Submission.play_id.in_([each.play for each in found]))
    own = {row.play_id: row.id for row in session.execute(query.where(Submission.player_id == player))}
    return [
        ChallengeLine(
            play=each.play,
            players=[taken.name for taken in each.taken.values()],
            free=each.free,
            invited=each.invited,
            since=each.since,
            own=own.get(each.play),
        )
        for each in found
    ]


def own(unit: Unit, round_id: str, *, practice: bool = False) -> list[SubmissionLine]:
    """The caller's latest submissions of a round, newest first; or their latest practice."""
    if unit.caller.player is None:
        rounds.see(unit, round_id)
        return []
    rows = submissions.of_round(unit, round_id, None, EARLIER, practice).items
    return submission_lines(unit.session, rows)


def _limit(judge: Judge, tokens: int) -> str:
    return _(
        "{tokens} tokens of the judge, about {words} words",
        tokens=localised(f"{tokens:,}"),
        words=localised(f"{judges.words(judge, tokens):,}"),
    )


def submission(unit: Unit, submission_id: str) -> SubmissionShown:
    row = submissions.see(unit, submission_id)
    return shown(unit, row, _names(unit.session, unit.session.get_one(Play, row.play_id)))


def shown(unit: Unit, row: Submission, names: Mapping[str, str]) -> SubmissionShown:
    """A submission that the caller may see. names: seat → the name of its player, as far as they are told."""
    session, caller = unit.session, unit.caller
    play = session.get_one(Play, row.play_id)
    round_row = session.get_one(Round, row.round_id)
    setup = round_setup.setup_of_score(session, round_row, row)
    judge = judges.find(session, setup.identities[MAIN])
    queued = [row.play_id] if row.state == SubmissionState.QUEUED else []
    place = queue_positions.of_plays(session, unit.workforce, queued).get(row.play_id)
    events = to_json(seen(from_json(play.events), row.seat))
    mine = row.player_id == caller.player
    frozen = competitions.find(session, round_row.competition_id).frozen_at is not None
    several = len(setup.program.seats) > 1 or sum(event["type"] == "ask" for event in events) > 1
    earned = parts(session, setup, play, row.seat, own=mine) if row.state == SubmissionState.SCORED else []
    return SubmissionShown(
        line=submission_lines(session, [row])[0],
        round=row.round_id,
        title=round_row.title or setup.program.title,
        passages=rounds.passages_for(session, round_row, host=caller.watches(round_row.competition_id), at=unit.now),
        said=[] if several else said(play.moves, events, row.seat),
        parts=earned,
        place=place,
        wait=unit.workforce.expected_wait(judge.identity, place),
        served=bool(unit.workforce.serving(judge.identity)),
        reason=row.reason["detail"] if row.reason else None,
        limit=_limit(judge, (play.awaits or {})["limit"]) if row.state == SubmissionState.AWAITING_MOVE else None,
        told=timeline.told(_before_score(row, events), row.seat, names, own=mine)
        if several or row.state == SubmissionState.AWAITING_MOVE
        else [],
        opponents=_opponents(setup, row.seat, names),
        due_at=None if play.vacant else play.due_at,
        due_in=_seconds_to(None if play.vacant else play.due_at, unit.now),
        mine=mine,
        seat=row.seat,
        charged=not row.practice and (not row.reason or row.reason["type"] != "withdrawn"),
        meaning=meaning.sentences(session, round_row, row, earned, frozen=frozen) if mine else [],
        judge=judge.name,
        round_closed=rounds.state_of(round_row, unit.now) is RoundState.CLOSED,
    )


def _opponents(setup: RoundSetup, seat: str, names: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """The other seats, and who has them."""
    house = dict.fromkeys(setup.setup.house, _("the house"))
    return [(each, names.get(each, house.get(each))) for each in setup.program.seats if each != seat]


def _before_score(row: Submission, events: Sequence[Json]) -> list[Json]:
    """Without the rewards, once they are shown as the score and its parts."""
    return [event for event in events if row.state != SubmissionState.SCORED or event["type"] != "reward"]


def _names(session: Session, play: Play) -> dict[str, str]:
    """Seat → the name of its player."""
    return {each.seat: players.find(session, each.player_id).name for each in seats.taken(session, play)}


def submission_lines(session: Session, rows: Sequence[Submission]) -> list[SubmissionLine]:
    """In their order. Plays are read without their events, which are much and not shown."""
    query = (
        select(Submission.id, Play.moves, Round.number, Player.name)
        .join(Play, Play.id == Submission.play_id)
        .join(Round, Round.id == Submission.round_id)
        .join(Player, Player.id == Submission.player_id)
        .where(Submission.id.in_([row.id for row in rows]))
    )
    found = {id_: rest for id_, *rest in session.execute(query)}
    return [_line(row, *found[row.id]) for row in rows]


def _line(row: Submission, moves: Sequence[Mapping[str, Any]], round_number: int, player: str) -> SubmissionLine:
    return SubmissionLine(
        id=row.id,
        move=next((move["text"] for move in moves if move["seat"] == row.seat), ""),
        state=row.state,
        bits=None if row.millibits is None else row.millibits / 1000,
        hidden=row.hidden,
        practice=row.practice,
        accepted_at=row.accepted_at,
        round_number=round_number,
        player=player,
    )
