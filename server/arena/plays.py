"""Carrying plays on as their measurements become known.

A play is its log of moves. Bits are looked up by key, so the order in which results arrive cannot matter; whoever
holds the play replays it, and either records what it needs next or finishes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import structlog
from sqlalchemy import Select, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from games import engine
from games.events import to_json
from games.protocol import Effect, Finished, Log, Move, NeedBits, NeedMove
from games.protocol import Measurement as Asked
from server.arena import endings, leaderboards, measurements, round_setup, seats
from server.arena.endings import End, Entries
from server.arena.foresight import Foreseen, Foresight, question_of
from server.arena.measurements import Question, Requester
from server.arena.outbox import Outbox
from server.arena.round_setup import RoundSetup
from server.arena.seats import lock_plays
from server.arena.validation import new_id
from server.db.models import Measurement, PendingMeasurement, Play, Player, Round, Submission
from server.db.session import insert, now
from server.db.states import SubmissionState, WorkState

log = structlog.get_logger()

ENGINE = f"xentarena {version('xentarena')}"  # which code judged a play


def new_play(
    session: Session,
    round_: Round,
    *,
    vacant: int,
    invited: str | None = None,
) -> Play:
    """A play of several seats; it waits to be carried on once all of them are taken."""
    play = Play(
        id=new_id("play"),
        round_id=round_.id,
        moves=[],
        events=[],
        waiting=False,
        vacant=vacant,
        invited=invited,
    )
    session.add(play)
    session.flush()
    return play


def take_seat(session: Session, play: Play, seat: str, player: str, submission_id: str) -> Submission:
    """The player's submission in a play."""
    submission = Submission(**_submission(session, play, seat, player, submission_id, practice=False))
    session.add(submission)
    session.flush()
    return submission


def _submission(
    session: Session, play: Play, seat: str, player: str | None, submission_id: str, *, practice: bool
) -> dict[str, Any]:
    return {
        "id": submission_id,
        "play_id": play.id,
        "seat": seat,
        "round_id": play.round_id,
        "player_id": player,
        "state": SubmissionState.AWAITING_OPPONENT if play.vacant else SubmissionState.QUEUED,
        "engine": ENGINE,
        "hidden": False,
        "practice": practice,
        "accepted_at": now(session),
    }


@dataclass(frozen=True, slots=True)
class Start:
    """A play of one seat that begins. said: its first move, if it has one. foreseen: where it may stand then."""

    round: Round
    setup: RoundSetup
    requester: Requester
    submission_id: str
    said: str | None
    foreseen: Foreseen | None

    @property
    def moves(self) -> list[dict[str, str]]:
        return [] if self.said is None else [{"seat": self.setup.seats[0], "text": self.said}]

    @property
    def need(self) -> NeedBits | None:
        """What it waits for first, as far as that was foreseen."""
        if self.foreseen is None or self.foreseen.revision != self.setup.revision:
            return None
        return self.foreseen.effect if isinstance(self.foreseen.effect, NeedBits) else None


def begin(session: Session, outbox: Outbox, starts: Sequence[Start]) -> list[Submission]:
    """Begin plays: their rows, what they need, and, where all of that is known, what comes of it. In order."""
    made = [_play_of(start) for start in starts]
    session.add_all(made)
    session.flush()
    submissions = _take_seats(session, starts, made)
    awaiting = _await_each(session, outbox, starts, made)
    entries: Entries = {}
    ends = list[End]()
    for start, play in zip(starts, made, strict=True):
        if play.id not in awaiting:
            each = (start.round, start.setup, play, start.requester)
            ends += _replay(session, outbox, *each, start.foreseen)
    endings.finish(session, outbox, ends, entries)
    for competition in sorted(entries):
        leaderboards.tell(session, competition, entries[competition])
    return submissions


def _await_each(session: Session, outbox: Outbox, starts: Sequence[Start], made: Sequence[Play]) -> set[str]:
    """Ask for all that the plays need and nobody has measured. Returns those that wait for it now."""
    wanted = {
        play.id: (start.requester, [question_of(start.setup, each) for each in start.need.measurements])
        for start, play in zip(starts, made, strict=True)
        if start.need is not None
    }
    pending, jobs = measurements.ask_each(session, list(wanted.values()))
    outbox.jobs += jobs
    needs = {play_id: {question.key for question in questions} for play_id, (_, questions) in wanted.items()}
    awaiting = {play_id for play_id, keys in needs.items() if keys <= pending}
    values = [{"key": key, "play_id": play_id} for play_id in awaiting for key in sorted(needs[play_id])]
    if values:
        session.execute(plain_insert(PendingMeasurement), values)
    return awaiting


def _play_of(start: Start) -> Play:
    events = to_json(start.need.events) if start.need else []
    return Play(
        id=new_id("play"),
        round_id=start.round.id,
        moves=_as_rows(start.need.moves) if start.need else start.moves,
        events=events,
        waiting=True,
        vacant=0,
        invited=None,
    )


def _take_seats(session: Session, starts: Sequence[Start], made: Sequence[Play]) -> list[Submission]:
    """The submissions of these plays, in order. By one statement, also where numbers are given out one by one."""
    values = []
    for start, play in zip(starts, made, strict=True):
        seat, by = start.setup.seats[0], start.requester
        values.append(_submission(session, play, seat, by.player, start.submission_id, practice=by.practice))
    rows = session.scalars(plain_insert(Submission).returning(Submission), values) if values else ()
    by_id = {row.id: row for row in rows}
    return [by_id[start.submission_id] for start in starts]


def resume(session: Session, outbox: Outbox, keys: Iterable[str]) -> Sequence[str]:
    """Carry on the plays that waited for one of these measurements and now have all they need. Returns those that are
    left for another transaction."""
    waiting_for_more = (
        select(PendingMeasurement.play_id)
        .join(Measurement, Measurement.key == PendingMeasurement.key)
        .where(Measurement.state == WorkState.PENDING)
    )
    query = (
        select(Play.id)
        .join(PendingMeasurement, PendingMeasurement.play_id == Play.id)
        .where(PendingMeasurement.key.in_(list(keys)), Play.waiting, Play.id.not_in(waiting_for_more))
        .distinct()
    )
    return resume_plays(session, outbox, session.scalars(query).all())


def resume_plays(session: Session, outbox: Outbox, play_ids: Sequence[str]) -> Sequence[str]:
    """Carry on those that wait, until they have taken as much work as one transaction may hold others up for. Returns
    those that are left."""
    entries: Entries = {}
    waiting = [play for play in lock_plays(session, play_ids) if play.waiting]
    foresight, ends, looked_at = Foresight(session), list[End](), set[str]()
    for play in waiting:
        if foresight.full:
            break
        setup = round_setup.setup_of(session, session.get_one(Round, play.round_id))
        foresight.begin(play.id, setup, _moves(play))
    for play_id, foreseen in foresight.end().items():
        play = session.get_one(Play, play_id)
        round_ = session.get_one(Round, play.round_id)
        looked_at.add(play_id)
        if isinstance(foreseen, Exception):
            _break_off(session, outbox, round_, play, foreseen)
        elif isinstance(foreseen.effect, Finished):
            _keep_moves(play, foreseen.effect)
            ends.append(_end(session, round_, play, foreseen.effect, foreseen.log))
        else:
            _carry_on(session, outbox, round_, play, entries, foreseen)
    _finish(session, outbox, ends, entries)
    for competition in sorted(entries):
        leaderboards.tell(session, competition, entries[competition])
    return [play.id for play in waiting if play.id not in looked_at]


def _carry_on(
    session: Session, outbox: Outbox, round_: Round, play: Play, entries: Entries, foreseen: Foreseen
) -> None:
    """A play that is not over."""
    setup = round_setup.setup_of(session, round_)
    try:
        with session.begin_nested():
            by = _latest_requester(session, play)
            ends = _replay(session, outbox, round_, setup, play, by, foreseen, waited=True)
            endings.finish(session, outbox, ends, entries)
    except DBAPIError:
        raise
    except Exception as defect:
        _break_off(session, outbox, round_, play, defect)


def _finish(session: Session, outbox: Outbox, ends: Sequence[End], entries: Entries) -> None:
    """Close all of these; each by itself where that does not go."""
    if not ends:
        return
    told: Entries = {}
    try:
        with session.begin_nested():
            endings.finish(session, outbox, ends, told)
    except DBAPIError:
        raise
    except Exception as defect:
        if len(ends) == 1:
            _break_off(session, outbox, ends[0].round, ends[0].play, defect)
            return
        for end in ends:
            _finish(session, outbox, [end], entries)
        return
    for competition, each in told.items():
        entries.setdefault(competition, []).extend(each)


def _break_off(session: Session, outbox: Outbox, round_: Round, play: Play, defect: Exception) -> None:
    """A defect of ours must not hold up everyone else's results."""
    log.error("play.broken", play=play.id, exc_info=defect)
    endings.fail(session, outbox, round_, play, "The server could not finish this play; its host can see why.")


def stalled() -> Select[str]:
    """Plays that wait although nothing they need is pending. There should be none."""
    pending = (
        select(PendingMeasurement.play_id)
        .join(Measurement, Measurement.key == PendingMeasurement.key)
        .where(Measurement.state == WorkState.PENDING)
    )
    return select(Play.id).where(Play.waiting, Play.id.not_in(pending))


def _latest_requester(session: Session, play: Play) -> Requester:
    query = (
        select(Player, Submission.practice)
        .join(Submission, Submission.player_id == Player.id)
        .where(Submission.play_id == play.id)
    )
    player, practice = session.execute(query.order_by(Submission.number.desc()).limit(1)).one()
    return Requester(player.id, player.kind, measurements.waiting(session, player.id), practice)


def advance(
    session: Session,
    outbox: Outbox,
    round_: Round,
    setup: RoundSetup,
    play: Play,
    requester: Requester,
    foreseen: Foreseen | None = None,
) -> None:
    """Carry a play on. foreseen: where it may stand then; looked at whether it is of the moves that the play has, and
    of its round as it is now."""
    entries: Entries = {}
    endings.finish(session, outbox, _replay(session, outbox, round_, setup, play, requester, foreseen), entries)
    leaderboards.tell(session, round_.competition_id, entries.get(round_.competition_id, []))


def _replay(
    session: Session,
    outbox: Outbox,
    round_: Round,
    setup: RoundSetup,
    play: Play,
    requester: Requester,
    foreseen: Foreseen | None = None,
    *,
    waited: bool = False,
) -> Sequence[End]:
    """Replay until something is missing or the play is over. Its end, if it has come, is left to the caller.

    waited: for results that have come, or never will.
    """
    start = Log(_moves(play))
    table = Table(session, outbox, setup, requester, waited)
    known = None
    if foreseen is not None and (foreseen.moves, foreseen.revision) == (start.moves, setup.revision):
        start, known = foreseen.log, foreseen.effect
    effect, seen = engine.advance(setup.program, setup.setup, start, table, known)
    _keep_moves(play, effect)
    play.events = to_json(effect.events)
    if isinstance(effect, NeedBits):
        _await_bits(session, outbox, round_, play, [table.row(asked) for asked in effect.measurements])
        return []
    play.waiting = False
    if isinstance(effect, NeedMove):
        _await_move(session, outbox, round_, play, effect)
        return []
    return [_end(session, round_, play, effect, seen)]


def _moves(play: Play) -> tuple[Move, ...]:
    return tuple(Move(move["seat"], move["text"]) for move in play.moves)


def _keep_moves(play: Play, effect: Effect) -> None:
    """The house may have moved since."""
    if len(effect.moves) > len(play.moves):
        play.moves = _as_rows(effect.moves)


def _as_rows(moves: Sequence[Move]) -> list[dict[str, str]]:
    return [{"seat": move.seat, "text": move.text} for move in moves]


def _end(session: Session, round_: Round, play: Play, effect: Finished, seen: Log) -> End:
    setup = round_setup.setup_of(session, round_)
    return End(round_, play, effect, {question_of(setup, each).key for each in seen.bits})


@dataclass(slots=True)
class Table:
    """The bits that the rows hold, as the engine looks them up. What has no row is asked for."""

    session: Session
    outbox: Outbox
    setup: RoundSetup
    requester: Requester
    waited: bool
    rows: dict[str, Measurement] = field(default_factory=dict)

    def __call__(self, asked: Sequence[Asked]) -> dict[Asked, list[float]]:
        rows, jobs = measurements.ask(self.session, map(self._question, asked), self.requester, waited=self.waited)
        self.outbox.jobs += jobs
        self.rows |= rows
        return {each: measurements.bits(self.row(each)) for each in asked if self.row(each).state is WorkState.KNOWN}

    def row(self, asked: Asked) -> Measurement:
        return self.rows[self._question(asked).key]

    def all_rows(self, asked: Iterable[Asked]) -> Mapping[str, Measurement]:
        """Those of a play that is over, also where they were looked up before the transaction."""
        keys = {self._question(each).key for each in asked} - self.rows.keys()
        return {**self.rows, **measurements.of_keys(self.session, keys)}

    def _question(self, asked: Asked) -> Question:
        return question_of(self.setup, asked)


def _await_bits(session: Session, outbox: Outbox, round_: Round, play: Play, rows: Sequence[Measurement]) -> None:
    """The play waits for these rows; it ends where there is nothing to wait for any more, since one has failed."""
    if any(row.state is WorkState.PENDING for row in rows):
        record_needs(session, play, [row.key for row in rows])
        session.flush()
    else:
        endings.fail(session, outbox, round_, play, rows[0].failure or "The judge could not measure this.")


def record_needs(session: Session, play: Play, keys: Iterable[str]) -> None:
    values = [{"key": key, "play_id": play.id} for key in keys]
    session.execute(
        insert(session, PendingMeasurement).on_conflict_do_nothing().returning(PendingMeasurement.key), values
    )


def _await_move(session: Session, outbox: Outbox, round_: Round, play: Play, effect: NeedMove) -> None:
    """Ask the seat's player; the others wait for them. Nobody waits for practice, so no clock runs."""
    taken = seats.taken(session, play)
    clock = None if any(each.practice for each in taken) else round_.move_seconds
    play.awaits = {
        "seat": effect.seat,
        "register": effect.register,
        "limit": effect.limit,
        "registers": dict(effect.registers),
    }
    play.due_at = now(session) + timedelta(seconds=clock) if clock else None
    for submission in taken:
        submission.state = (
            SubmissionState.AWAITING_MOVE if submission.seat == effect.seat else SubmissionState.AWAITING_OPPONENT
        )
        outbox.submissions.add(submission.id)
    session.flush()
