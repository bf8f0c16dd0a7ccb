"""What a participant does with a submission: move on, resign, look; and a host: hide one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from games.protocol import Move
from games.sentences import say
from server.arena import (
    admission,
    audit,
    callers,
    endings,
    foresight,
    leaderboards,
    measurements,
    rated_plays,
    reveals,
    round_setup,
    rounds,
    seats,
)
from server.arena.foresight import Foreseen
from server.arena.idempotency import claim_idempotency_key
from server.arena.measurements import Requester
from server.arena.plays import advance
from server.arena.seats import lock_plays
from server.arena.unit import Unit
from server.arena.validation import clean
from server.db.models import Play, Round, Submission
from server.db.states import FINAL, SubmissionState
from server.errors import conflict, forbidden, invalid, not_found


@dataclass(frozen=True, slots=True)
class Accepted:
    """A submission that is there now. fresh: this request made it."""

    submission: Submission
    fresh: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Submissions, newest first. next: the acceptance number to go on below, if there are more."""

    items: Sequence[Submission]
    next: str | None


def before_move_again(unit: Unit, submission_id: str, move: str, repeat: str | None) -> Foreseen | None:
    """Where the play will stand after `move_again`. Raises `RequestError` where it would; None where no move is
    awaited."""
    submission = find(unit.session, submission_id)
    if submission.player_id != callers.player_of(unit.caller) or submission.state != SubmissionState.AWAITING_MOVE:
        return None
    setup = round_setup.setup_of(
        unit.session, admission.playable(unit, submission.round_id, practice=submission.practice)
    )
    play = unit.session.get_one(Play, submission.play_id)
    said = [Move(each["seat"], each["text"]) for each in play.moves]
    said.append(Move(submission.seat, clean(move, "/move", what=say("The move"))))
    return foresight.foreseen(unit.session, setup, said)


def move_again(
    unit: Unit,
    submission_id: str,
    move: str,
    repeat: str | None,
    foreseen: Foreseen | None = None,
) -> Accepted:
    """A further move in a play of several."""
    player = callers.player_of(unit.caller)
    route = f"/submissions/{submission_id}/moves"
    submission = find(unit.session, submission_id)
    if claim_idempotency_key(unit, route, repeat, move, submission_id) is not None:
        return Accepted(submission, fresh=False)
    move = clean(move, "/move", what=say("The move"))
    play = _lock_own(unit.session, submission, player)
    if submission.state == SubmissionState.AWAITING_OPPONENT:
        raise conflict("not-awaiting-move", "No move awaited", "It is another player's turn, not yours.")
    if submission.state != SubmissionState.AWAITING_MOVE:
        queued = submission.state == SubmissionState.QUEUED
        raise conflict(
            "not-awaiting-move",
            "No move awaited",
            "The judge is still at your last move." if queued else "This play is over.",
        )
    round_ = admission.playable(unit, submission.round_id, practice=submission.practice)
    if play.due_at is not None and play.due_at <= unit.now:
        raise conflict("out-of-time", "Out of time", "The move clock has run out.")
    requester = requester_of(unit, player, practice=submission.practice)
    play.moves = [*play.moves, {"seat": submission.seat, "text": move}]
    play.waiting, play.awaits, play.due_at = True, None, None
    for each in seats.taken(unit.session, play):
        each.state = SubmissionState.QUEUED
        unit.outbox.submissions.add(each.id)
    advance(unit.session, unit.outbox, round_, round_setup.setup_of(unit.session, round_), play, requester, foreseen)
    return Accepted(submission, fresh=True)


def resign(unit: Unit, submission_id: str) -> Submission:
    """Give a play up; or take a challenge back that nobody has taken up, which costs no attempt."""
    submission = find(unit.session, submission_id)
    play = _lock_own(unit.session, submission, callers.player_of(unit.caller))
    if submission.state in FINAL:
        raise conflict("play-over", "Play over", "There is nothing to resign from: this play is over.")
    round_ = unit.session.get_one(Round, submission.round_id)
    if play.vacant:
        detail = say("The challenge was taken back. The attempt does not count.")
        entries = endings.withdraw(unit.session, unit.outbox, round_, play, {"type": "withdrawn", "detail": detail})
    else:
        reason = {"type": "resigned", "detail": say("The player gave the play up.")}
        entries = endings.leave(unit.session, unit.outbox, round_, play, submission.seat, reason)
    leaderboards.tell(unit.session, round_.competition_id, entries)
    return submission


def own(unit: Unit, submission_id: str, round_id: str) -> Submission:
    """A submission of the caller's in that round."""
    submission = find(unit.session, submission_id)
    if submission.player_id != callers.player_of(unit.caller):
        raise forbidden("This submission is another player's.")
    if submission.round_id != round_id:
        raise not_found("There is no submission {name}.", submission_id)
    return submission


def _lock_own(session: Session, submission: Submission, player: str) -> Play:
    """The play of the caller's own submission, with nobody else at it, and the submission as it is now."""
    if submission.player_id != player:
        raise forbidden("This submission is another player's.")
    play = lock_plays(session, [submission.play_id])[0]
    session.refresh(submission)
    return play


def find(session: Session, submission_id: str) -> Submission:
    submission = session.scalars(select(Submission).where(Submission.id == submission_id)).one_or_none()
    if submission is None:
        raise not_found("There is no submission {name}.", submission_id)
    return submission


def see(unit: Unit, submission_id: str) -> Submission:
    """A submission that the caller may see: their own, one revealed with its player's name, any for a watcher."""
    submission = find(unit.session, submission_id)
    watches = unit.caller.watches(rounds.find_round(unit.session, submission.round_id).competition_id)
    if watches or submission.player_id == unit.caller.player or reveals.shows(unit, submission):
        return submission
    raise forbidden("This submission is another player's: moves stay hidden until the host reveals them, by name.")


def of_round(unit: Unit, round_id: str, cursor: str | None, limit: int, practice: bool | None = None) -> Page:
    """The caller's submissions in a round, newest first; everyone's for a host. practice: only such, or only others."""
    round_ = rounds.see(unit, round_id)
    query = select(Submission).where(Submission.round_id == round_id)
    if not unit.caller.watches(round_.competition_id):
        query = query.where(Submission.player_id == unit.caller.player)
    if practice is not None:
        query = query.where(Submission.practice.is_(practice))
    return _page(unit.session, query, cursor, limit)


def mine(unit: Unit, cursor: str | None, limit: int) -> Page:
    """All of the caller's submissions but those in deleted rounds, newest first."""
    query = select(Submission).join(Round, Round.id == Submission.round_id)
    query = query.where(Submission.player_id == unit.caller.player, Round.archived_at.is_(None))
    return _page(unit.session, query, cursor, limit)


def _page(session: Session, query: Select[Submission], cursor: str | None, limit: int) -> Page:
    if cursor is not None:
        if not cursor.isascii() or not cursor.isdigit():
            raise invalid("(query)/cursor", "This cursor was not given by this server.")
        query = query.where(Submission.number < min(int(cursor), 2**63 - 1))
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(limit + 1)).all()
    return Page(rows[:limit], str(rows[limit - 1].number) if len(rows) > limit else None)


def set_hidden(unit: Unit, submission_id: str, hidden: bool) -> Submission:
    """Hide a move, or show it again: a hidden one has no place on the board, and its play changes no rating."""
    submission = find(unit.session, submission_id)
    callers.require_host_of(unit.caller, rounds.find_round(unit.session, submission.round_id).competition_id)
    play = lock_plays(unit.session, [submission.play_id])[0]  # its score must not come in between
    unit.session.refresh(submission)
    if submission.hidden != hidden:
        submission.hidden = hidden
        unit.session.flush()
        action = "submission.hide" if hidden else "submission.show"
        audit.record(unit, action, submission_id, before=not hidden, after=hidden)
        round_ = unit.session.get_one(Round, submission.round_id)
        entries = leaderboards.recompute(unit.session, round_, submission.player_id)
        if submission.state in FINAL:
            rated_plays.mark(unit.session, round_, play)
        unit.outbox.competitions.add(round_.competition_id)
        leaderboards.tell(unit.session, round_.competition_id, entries)
    return submission


def requester_of(unit: Unit, player: str, *, practice: bool = False) -> Requester:
    waiting = measurements.waiting(unit.session, player)
    measurements.refuse_flood(waiting, unit.settings.pending_limit)
    return Requester(player, unit.caller.kind, waiting, practice)
