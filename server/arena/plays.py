"""Carrying plays on as their measurements become known.

A play is its log of moves. Bits are looked up by key, so the order in which results arrive cannot matter; whoever
holds the play replays it, and either records what it needs next or finishes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from games import engine, limits
from games.events import to_json
from games.protocol import Log, Move, NeedBits, NeedMove
from games.protocol import Measurement as Asked
from server.arena import endings, feed, leaderboards, measurements, round_setup, seats
from server.arena.foresight import Foreseen
from server.arena.measurements import Question, Requester
from server.arena.outbox import Outbox
from server.arena.round_setup import RoundSetup
from server.arena.seats import lock_plays
from server.arena.validation import new_id
from server.db.models import Measurement, PendingMeasurement, Play, Player, Round, Submission
from server.db.session import insert, now
from server.db.states import SubmissionState, WorkState

log = structlog.get_logger()

MOST_WORK = limits.WORK  # of the plays that one transaction carries on, beside the last of them
ENGINE = f"xentarena {version('xentarena')}"  # which code judged a play


def new_play(
    session: Session,
    round_: Round,
    moves: Sequence[Mapping[str, str]] = (),
    *,
    vacant: int = 0,
    invited: str | None = None,
) -> Play:
    """A play of the round; it waits to be carried on once all its seats are taken."""
    play = Play(
        id=new_id("play"),
        round_id=round_.id,
        moves=list(moves),
        events=[],
        waiting=vacant == 0,
        vacant=vacant,
        invited=invited,
    )
    session.add(play)
    session.flush()
    return play


def take_seat(
    session: Session, play: Play, seat: str, player: str, submission_id: str, *, practice: bool = False
) -> Submission:
    """The player's submission in a play."""
    submission = Submission(
        id=submission_id,
        play_id=play.id,
        seat=seat,
        round_id=play.round_id,
        player_id=player,
        state=SubmissionState.AWAITING_OPPONENT if play.vacant else SubmissionState.QUEUED,
        engine=ENGINE,
        hidden=False,
        practice=practice,
        accepted_at=now(session),
    )
    session.add(submission)
    session.flush()
    return submission


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
    entries: dict[str, list[feed.Entry]] = {}
    work, left = 0, []
    for play in lock_plays(session, play_ids):
        if play.waiting and work > MOST_WORK:
            left.append(play.id)
        elif play.waiting:
            round_ = session.get_one(Round, play.round_id)
            try:
                with session.begin_nested():
                    setup = round_setup.setup_of(session, round_)
                    work += _replay(session, outbox, round_, setup, play, _latest_requester(session, play), entries)
            except DBAPIError:
                raise
            except Exception:  # a defect of ours must not hold up everyone else's results
                log.exception("play.broken", play=play.id)
                endings.fail(
                    session, outbox, round_, play, "The server could not finish this play; its host can see why."
                )
    for competition in sorted(entries):
        leaderboards.tell(session, competition, entries[competition])
    return left


def stalled(session: Session) -> Sequence[str]:
    """Plays that wait although nothing they need is pending. There should be none."""
    pending = (
        select(PendingMeasurement.play_id)
        .join(Measurement, Measurement.key == PendingMeasurement.key)
        .where(Measurement.state == WorkState.PENDING)
    )
    return session.scalars(select(Play.id).where(Play.waiting, Play.id.not_in(pending)).limit(64)).all()


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
    entries: dict[str, list[feed.Entry]] = {}
    _replay(session, outbox, round_, setup, play, requester, entries, foreseen)
    leaderboards.tell(session, round_.competition_id, entries.get(round_.competition_id, []))


def _replay(
    session: Session,
    outbox: Outbox,
    round_: Round,
    setup: RoundSetup,
    play: Play,
    requester: Requester,
    entries: dict[str, list[feed.Entry]],
    foreseen: Foreseen | None = None,
) -> int:
    """Replay until something is missing or the play is over. New feed entries are left to the caller. Returns how many
    units of work it took."""
    start = Log(tuple(Move(move["seat"], move["text"]) for move in play.moves))
    table = Table(session, outbox, setup, requester)
    known = None
    if foreseen is not None and (foreseen.log.moves, foreseen.revision) == (start.moves, setup.revision):
        start, known = foreseen.log, foreseen.effect
    effect, log = engine.advance(setup.program, setup.setup, start, table, known)
    play.events = to_json(effect.events)
    if isinstance(effect, NeedBits):
        _await_bits(session, outbox, round_, play, [table.row(asked) for asked in effect.measurements])
        return effect.work
    play.waiting = False
    if isinstance(effect, NeedMove):
        _await_move(session, outbox, round_, play, effect)
    else:
        told = endings.finish(session, outbox, round_, play, effect, table.all_rows(log.bits))
        entries.setdefault(round_.competition_id, []).extend(told)
    return effect.work


@dataclass(slots=True)
class Table:
    """The bits that the rows hold, as the engine looks them up. What has no row is asked for."""

    session: Session
    outbox: Outbox
    setup: RoundSetup
    requester: Requester
    rows: dict[str, Measurement] = field(default_factory=dict)

    def __call__(self, asked: Sequence[Asked]) -> dict[Asked, list[float]]:
        rows, jobs = measurements.ask(self.session, map(self._question, asked), self.requester)
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
        return Question(self.setup.identities[asked.judge], asked.profile, asked.prefix, asked.text)


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
