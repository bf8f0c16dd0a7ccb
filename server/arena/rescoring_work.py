"""Rescorings worked out: recorded plays replayed under other judges, as their measurements become known.

Nothing that counts is touched. Moves stay as they counted, however another judge would cut them; a play that does not
end on its recorded moves keeps its score, and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Select, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from games import engine
from games.errors import GamesError
from games.events import to_json
from games.protocol import Effect, Event, Finished, Log, Move, NeedBits, Status
from games.sentences import say
from games.values.bits import millibits
from server.arena import feed, foresight, plays, replays, round_setup, seats, totals
from server.arena.measurements import Requester
from server.arena.outbox import Outbox
from server.arena.round_setup import RoundSetup
from server.db.models import Measurement, PendingMeasurement, Play, Round, Submission
from server.db.rescorings import Rescore, RescoredPlay, Rescoring, id_of_second
from server.db.states import PlayerKind, RescoringState, SubmissionState, WorkState
from xentarena.receipts import earned

log = structlog.get_logger()

AT_ONCE = 256  # plays of a rescoring that wait for measurements, so that the queue stays short
BEHIND = Requester(None, PlayerKind.BOT, practice=True)  # everybody who plays comes first


LOST = say("Its moves are not all there any more.")


class NotComparable(Exception):
    """The play has no score under the other judge: the text says why."""


def running() -> Select[Rescoring]:
    return select(Rescoring).where(Rescoring.state == RescoringState.RUNNING)


def go_on(session: Session, outbox: Outbox) -> bool:
    """Carry all that are running on. Is there more to do at once?"""
    query = running().order_by(Rescoring.id).with_for_update(skip_locked=True)
    more, known = False, list[Rescoring]()
    for rescoring in session.scalars(query).all():
        take_in(session, rescoring)
        further = _carry_on(session, outbox, rescoring)
        more = further.more or more
        known += [rescoring] if further.known else []
    tell(session, outbox, known)
    return more


def tell(session: Session, outbox: Outbox, changed: Sequence[Rescoring]) -> None:
    """Let players hear of what second judges say in rounds whose moves are revealed: before, nobody is to know that
    there is one. Locks competitions, so it comes last in a transaction."""
    ids = [rescoring.round_id for rescoring in changed]
    query = select(Round.competition_id, Round.id, Round.second_judge).where(Round.id.in_(ids))
    seen = query.where(Round.second_judge.is_not(None), Round.revealed.is_not(None))
    names = {rescoring.id for rescoring in changed}
    for competition, round_, second in session.execute(seen.order_by(Round.competition_id, Round.id)):
        if second and id_of_second(round_, second) in names:
            feed.append(session, competition, [("second_judge.changed", {"round": round_})])
            outbox.competitions.add(competition)


def take_in(session: Session, rescoring: Rescoring) -> None:
    """The plays that were scored by now."""
    there = select(RescoredPlay.play_id).where(RescoredPlay.rescoring_id == rescoring.id)
    scored = (
        Submission.round_id == rescoring.round_id,
        Submission.state == SubmissionState.SCORED,
        ~Submission.practice,
        Submission.play_id.not_in(there),
    )
    found = session.scalars(select(Submission.play_id).where(*scored).distinct().order_by(Submission.play_id)).all()
    rows = [{"rescoring_id": rescoring.id, "play_id": play, "done": False, "events": []} for play in found]
    if rows:
        session.execute(insert(RescoredPlay), rows)


@dataclass(frozen=True, slots=True)
class _Further:
    """more: there is more to do at once. known: plays were worked out."""

    more: bool = False
    known: bool = False


def _carry_on(session: Session, outbox: Outbox, rescoring: Rescoring) -> _Further:
    """Replay those that wait for nothing, as many as one transaction and the queue may take."""
    waiting = select(PendingMeasurement.play_id).join(Measurement).where(Measurement.state == WorkState.PENDING)
    here = (RescoredPlay.rescoring_id == rescoring.id, ~RescoredPlay.done)
    asked = session.scalar(select(func.count()).where(*here, RescoredPlay.play_id.in_(waiting))) or 0
    room = max(0, AT_ONCE - asked)
    query = select(RescoredPlay.play_id).where(*here, RescoredPlay.play_id.not_in(waiting))
    ids = session.scalars(query.order_by(RescoredPlay.play_id).limit(room)).all()
    if not ids:
        return _Further()
    round_ = session.get_one(Round, rescoring.round_id)
    setup = round_setup.setup_under(session, round_, rescoring.judges, rescoring.profile)
    work, known = 0, False
    for play in seats.lock_plays(session, ids):  # nobody deletes a player meanwhile
        rescored = session.get(RescoredPlay, (rescoring.id, play.id), populate_existing=True)
        if rescored is not None:
            work += _replay(session, outbox, round_, setup, rescored, play)
            known = known or rescored.done
        if work > foresight.MOST_WORK:
            return _Further(more=True, known=known)
    return _Further(len(ids) == room, known)


def _replay(
    session: Session, outbox: Outbox, round_: Round, setup: RoundSetup, rescored: RescoredPlay, play: Play
) -> int:
    """As far as the play goes on what is known; what it lacks is asked for. Returns how many units of work it took."""
    try:
        with session.begin_nested():
            return _advance(session, plays.Table(session, outbox, setup, BEHIND, waited=True), round_, rescored, play)
    except DBAPIError:
        raise
    except Exception:  # a defect of ours must not hold up the others
        log.exception("rescoring.broken", play=play.id, rescoring=rescored.rescoring_id)
        _keep(rescored, say("The server could not replay this play."))
    return 0


def _advance(session: Session, table: plays.Table, round_: Round, rescored: RescoredPlay, play: Play) -> int:
    work = 0
    try:
        effect, known = engine.advance(table.setup.program, table.setup.setup, Log(_moves(play)), table)
        work = effect.work
        # Also when the play is over: whoever deletes a player finds all that holds their words.
        rows = table.all_rows(effect.measurements if isinstance(effect, NeedBits) else known.bits)
        if rows:
            plays.record_needs(session, play, rows)
        if isinstance(effect, NeedBits):
            _refuse_failed([table.row(asked) for asked in effect.measurements])
        else:
            rescored.build = ", ".join(sorted({row.build for row in rows.values() if row.build})) or None
            _note(session, round_, rescored, play, effect)
    except NotComparable as why:
        _keep(rescored, str(why))
    except GamesError:
        _keep(rescored, LOST)
    session.flush()
    return work


def _keep(rescored: RescoredPlay, why: str) -> None:
    rescored.done, rescored.reason = True, why


def _moves(play: Play) -> tuple[Move, ...]:
    moves = replays.counted(play)
    if len(moves) != len(play.moves):
        raise NotComparable(LOST)
    return moves


def _refuse_failed(rows: Sequence[Measurement]) -> None:
    """There is nothing to wait for any more where one has failed."""
    if all(row.state is not WorkState.PENDING for row in rows):
        raise NotComparable(rows[0].failure or say("The judge could not measure this."))


def _note(session: Session, round_: Round, rescored: RescoredPlay, play: Play, effect: Effect) -> None:
    """The play is over under the other judge too: what each of its seats has scored."""
    scored = [each for each in seats.taken(session, play) if each.state is SubmissionState.SCORED]
    left = next((each.seat for each in scored if (each.reason or {}).get("type") == "opponent_left"), None)
    events, rewards = _to_the_end(effect) if left is None else _until_left(effect, play, left)
    rescored.done, rescored.events = True, to_json(events)
    told = {seat: each / 1000 for seat, each in rewards.items()}
    for each in scored:
        saved = totals.passage_millibits(rescored.events, each.seat, round_.passages)
        score = {"millibits": rewards[each.seat], "passage_millibits": saved, "rewards": told}
        session.add(Rescore(rescoring_id=rescored.rescoring_id, number=each.number, **score))


def _to_the_end(effect: Effect) -> tuple[Sequence[Event], dict[str, int]]:
    """The events and seat → millibits. Raises `NotComparable`."""
    if not isinstance(effect, Finished):
        raise NotComparable(say("Under this judge the play goes on after its last move."))
    if effect.status is not Status.SCORED:
        detail = effect.reason.detail if effect.reason else ""
        raise NotComparable(say("Under this judge the play has no score: {reason}", reason=detail))
    return effect.events, {seat: millibits(bits) for seat, bits in effect.rewards.items()}


def _until_left(effect: Effect, play: Play, seat: str) -> tuple[Sequence[Event], dict[str, int]]:
    """The same of a play that the other seat left. Raises `NotComparable`."""
    events = effect.events[: len(play.events)]
    if [each.type for each in events] != [each["type"] for each in play.events]:
        raise NotComparable(say("Under this judge the play goes another way."))
    return events, {seat: earned(events, seat)}
