"""What a participant does with a submission: begin one, move on, resign, look; and a host: hide one."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import audit, endings, feed, leaderboards, measurements, players, round_setup, seats
from server.arena.attempts import reserve_attempt
from server.arena.idempotency import claim_idempotency_key
from server.arena.measurements import Requester
from server.arena.outbox import Outbox
from server.arena.players import Caller
from server.arena.plays import advance, new_play, take_seat
from server.arena.rounds import open_round
from server.arena.seats import lock_plays
from server.arena.validation import clean, new_id
from server.db.models import (
    FINAL,
    Play,
    Round,
    Submission,
    SubmissionState,
)
from server.db.session import now
from server.errors import conflict, forbidden, not_found


@dataclass(frozen=True, slots=True)
class Accepted:
    """A submission that is there now. fresh: this request made it."""

    submission: Submission
    fresh: bool


def submit(
    session: Session,
    outbox: Outbox,
    caller: Caller,
    round_id: str,
    move: str | None,
    repeat: str | None,
    pending_limit: int,
) -> Accepted:
    """A new play of a game of one seat, and its submission; with its first move, unless that is still to come.

    Raises `Refused` and changes nothing otherwise.
    """
    player = players.player_of(caller)
    submission_id = new_id("sub")
    seen = claim_idempotency_key(session, caller, f"/rounds/{round_id}/submissions", repeat, move, submission_id)
    if seen is not None:
        return Accepted(find(session, seen), fresh=False)
    if move is not None:
        move = clean(move, "/move", what="The move")
    round_ = open_round(session, caller, round_id)
    setup = round_setup.setup_of(session, round_)
    seats = setup.program.seats
    if len(seats) > 1:
        raise conflict(
            "several-seats",
            "Several seats",
            f"This game seats {' and '.join(seats)}: open a challenge, or take one up, at"
            f" /api/v1/rounds/{round_id}/challenges.",
        )
    requester = requester_of(session, caller, player, pending_limit)
    reserve_attempt(session, round_, player)
    play = new_play(session, round_, [] if move is None else [{"seat": seats[0], "text": move}])
    submission = take_seat(session, play, seats[0], player, submission_id)
    advance(session, outbox, round_, setup, play, requester)
    return Accepted(submission, fresh=True)


def move_again(
    session: Session, outbox: Outbox, caller: Caller, submission_id: str, move: str, repeat: str | None, limit: int
) -> Accepted:
    """A further move in a play of several."""
    player = players.player_of(caller)
    route = f"/submissions/{submission_id}/moves"
    submission = find(session, submission_id)
    if claim_idempotency_key(session, caller, route, repeat, move, submission_id) is not None:
        return Accepted(submission, fresh=False)
    move = clean(move, "/move", what="The move")
    play = _lock_own(session, submission, player)
    if submission.state == SubmissionState.AWAITING_OPPONENT:
        raise conflict("not-awaiting-move", "No move awaited", "It is another player's turn, not yours.")
    if submission.state != SubmissionState.AWAITING_MOVE:
        raise conflict("not-awaiting-move", "No move awaited", f"This submission is {submission.state}.")
    round_ = open_round(session, caller, submission.round_id)
    if play.due_at is not None and play.due_at <= now(session):
        raise conflict("out-of-time", "Out of time", "The move clock has run out.")
    requester = requester_of(session, caller, player, limit)
    play.moves = [*play.moves, {"seat": submission.seat, "text": move}]
    play.waiting, play.awaits, play.due_at = True, None, None
    for each in seats.taken(session, play):
        each.state = SubmissionState.QUEUED
        outbox.submissions.add(each.id)
    advance(session, outbox, round_, round_setup.setup_of(session, round_), play, requester)
    return Accepted(submission, fresh=True)


def resign(session: Session, outbox: Outbox, caller: Caller, submission_id: str) -> Submission:
    """Give a play up; or take a challenge back that nobody has taken up, which costs no attempt."""
    submission = find(session, submission_id)
    play = _lock_own(session, submission, players.player_of(caller))
    if submission.state in FINAL:
        raise conflict(
            "play-over", "Play over", f"There is nothing to resign from: this submission is {submission.state}."
        )
    round_ = session.get_one(Round, submission.round_id)
    if play.vacant:
        detail = "The challenge was taken back. The attempt does not count."
        entries = endings.withdraw(session, outbox, round_, play, {"type": "withdrawn", "detail": detail})
    else:
        reason = {"type": "resigned", "detail": "The player gave the play up."}
        entries = endings.leave(session, outbox, round_, play, submission.seat, reason)
    feed.append(session, round_.competition_id, entries)
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
        raise not_found("submission", submission_id)
    return submission


def see(session: Session, caller: Caller, submission_id: str) -> Submission:
    """A submission that the caller may see: their own, or any for a host."""
    submission = find(session, submission_id)
    if not caller.is_host and submission.player_id != caller.player:
        raise forbidden("This submission is another player's: moves stay hidden until the host reveals them.")
    return submission


def set_hidden(session: Session, outbox: Outbox, caller: Caller, submission_id: str, hidden: bool) -> Submission:
    """Hide a move, or show it again: a hidden one has no place on the board."""
    submission = find(session, submission_id)
    lock_plays(session, [submission.play_id])  # its score must not come in between
    session.refresh(submission)
    if submission.hidden != hidden:
        submission.hidden = hidden
        session.flush()
        audit.audit(session, caller, "submission.hide" if hidden else "submission.show", submission_id)
        round_ = session.get_one(Round, submission.round_id)
        entries = leaderboards.recompute(session, round_, submission.player_id)
        outbox.competitions.add(round_.competition_id)
        feed.append(session, round_.competition_id, entries)
    return submission


def requester_of(session: Session, caller: Caller, player: str, limit: int) -> Requester:
    waiting = measurements.waiting(session, player)
    measurements.refuse_flood(waiting, limit)
    return Requester(player, caller.kind, waiting)
