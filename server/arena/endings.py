"""How plays end: scored, broken off, or left by a player.

One who leaves a play of several seats ends it: theirs is rejected, and whoever stays keeps what they have earned so
far, at least nothing. Where players are rated it is a loss of whoever left.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from games.events import to_json
from games.protocol import Finished, Status
from games.sentences import say
from games.values.bits import millibits
from server.arena import checks, feed, leaderboards, measurements, rated_plays, seats, totals
from server.arena.attempts import give_back
from server.arena.outbox import Outbox
from server.arena.seats import lock_plays
from server.db.models import UNFINISHED, Play, Round, Submission
from server.db.session import now
from server.db.states import FINAL, RoundState, SubmissionState

STATES = {
    Status.SCORED: SubmissionState.SCORED,
    Status.REJECTED: SubmissionState.REJECTED,
    Status.VOID: SubmissionState.VOID,
}
PAGE = 64  # plays that one look of the sweeper ends
Reason = dict[str, Any]
Entries = dict[str, list[feed.Entry]]  # competition → what its feed is to tell


@dataclass(frozen=True, slots=True)
class End:
    """A play that is over, as the engine says. measured: the keys of what was measured for it."""

    round: Round
    play: Play
    effect: Finished
    measured: Collection[str]


def finish(session: Session, outbox: Outbox, ends: Sequence[End], entries: Entries) -> None:
    """Close plays that are over, and add what feeds are to tell. Who stands is noted once for all of them."""
    if not ends:
        return
    taken = seats.taken_each(session, [end.play.id for end in ends])
    builds = measurements.builds(session, {key for end in ends for key in end.measured})
    scored: list[Submission] = []
    for end in ends:
        here, end.play.events = taken[end.play.id], to_json(end.effect.events)
        told = entries.setdefault(end.round.competition_id, [])  # there also where only ratings change
        for submission in here:
            submission.build = ", ".join(sorted({builds[key] for key in end.measured if key in builds})) or None
        if end.effect.status is Status.REJECTED and len(here) > 1:
            seat, reason = end.play.moves[-1]["seat"], _reason(end.effect) or {}
            told += leave(session, outbox, end.round, end.play, seat, reason)
        else:
            scored += _finish(session, outbox, end, here)
    session.flush()
    for round_, entry in _improved(session, scored, {end.play.id: end.measured for end in ends}):
        entries[round_.competition_id].append(entry)


def _finish(session: Session, outbox: Outbox, end: End, taken: Sequence[Submission]) -> Sequence[Submission]:
    """Close the seats of a play; returns the submissions that count now."""
    status = end.effect.status
    for submission in taken:
        _close(session, outbox, submission, STATES[status], _reason(end.effect))
        if status is Status.VOID:
            _give_back(session, end.round, submission)
        if status is Status.SCORED:
            _score(outbox, end.round, end.play, submission, end.effect.rewards)
    _leave_seats(end.play)
    if status is not Status.SCORED:
        return []
    rated_plays.mark(session, end.round, end.play)
    return taken


def fail(session: Session, outbox: Outbox, round_: Round, play: Play, detail: str) -> None:
    """Our fault: the attempt is given back."""
    for submission in seats.taken(session, play):
        _close(session, outbox, submission, SubmissionState.FAILED, {"type": "measurement_failed", "detail": detail})
        _give_back(session, round_, submission)
    _over(session, play)


def leave(session: Session, outbox: Outbox, round_: Round, play: Play, seat: str, reason: Reason) -> list[feed.Entry]:
    """The player of `seat` has left, or may not go on: `reason` says why. Returns what the feed is to tell."""
    scored: list[Submission] = []
    for submission in seats.taken(session, play):
        if submission.seat == seat:
            _close(session, outbox, submission, SubmissionState.REJECTED, reason)
        else:
            stays = {"type": "opponent_left", "detail": f"{seat.capitalize()} did not play to the end."}
            _close(session, outbox, submission, SubmissionState.SCORED, stays)
            _score(outbox, round_, play, submission, {submission.seat: max(0.0, _earned(play, submission.seat))})
            scored.append(submission)
    rated_plays.mark(session, round_, play)
    _over(session, play)
    return [entry for _, entry in _improved(session, scored)]


def withdraw(session: Session, outbox: Outbox, round_: Round, play: Play, reason: Reason) -> list[feed.Entry]:
    """A play that never began is over: nobody's attempt counts. Returns what the feed is to tell."""
    for submission in seats.taken(session, play):
        _close(session, outbox, submission, SubmissionState.REJECTED, reason)
        _give_back(session, round_, submission)
    _over(session, play)
    outbox.competitions.add(round_.competition_id)
    return [challenges_changed(round_)]


def challenges_changed(round_: Round) -> feed.Entry:
    """A challenge was opened, taken up or taken back."""
    return ("challenges.changed", {"round": round_.id})


def late(at: datetime) -> Select[str]:
    """The plays whose move clock has run out, the challenges that nobody took up in time, and those plays that still
    wait for a player in a closed round; practice begins there, and may wait."""
    too_late = (Play.due_at <= at) & (Round.state == RoundState.OPEN) | (Round.state == RoundState.CLOSED)
    practice = select(Submission.play_id).where(Submission.play_id == Play.id, Submission.practice).exists()
    return select(Play.id).join(Round, Round.id == Play.round_id).where(text(UNFINISHED), too_late, ~practice)


def end_late_plays(session: Session, outbox: Outbox) -> None:
    """End those that are late."""
    ids = session.scalars(late(now(session)).order_by(Play.id).limit(PAGE)).all()
    entries: dict[str, list[feed.Entry]] = {}
    for play in lock_plays(session, ids):
        round_ = session.get_one(Round, play.round_id)
        entries.setdefault(round_.competition_id, []).extend(_end_late(session, outbox, round_, play))
    for competition in sorted(entries):
        leaderboards.tell(session, competition, entries[competition])


def _end_late(session: Session, outbox: Outbox, round_: Round, play: Play) -> list[feed.Entry]:
    """What is to be done about the play, looked at again now that nobody else is at it."""
    closed = round_.state == RoundState.CLOSED
    if closed and play.vacant:
        told = say("The round closed before anybody took the other seat. The attempt does not count.")
        return withdraw(session, outbox, round_, play, {"type": "withdrawn", "detail": told})
    if play.vacant and play.due_at is not None and play.due_at <= now(session):
        told = say("Nobody took up the challenge in time. The attempt does not count.")
        return withdraw(session, outbox, round_, play, {"type": "withdrawn", "detail": told})
    if play.awaits is not None and closed:
        reason = {"type": "abandoned", "detail": say("The round closed before the next move came.")}
        return leave(session, outbox, round_, play, play.awaits["seat"], reason)
    if play.awaits is not None and play.due_at is not None and play.due_at <= now(session):
        detail = f"The move clock ran out: a move was awaited within {round_.move_seconds:,} seconds."
        return leave(session, outbox, round_, play, play.awaits["seat"], {"type": "abandoned", "detail": detail})
    return []


def _score(outbox: Outbox, round_: Round, play: Play, submission: Submission, rewards: Mapping[str, float]) -> None:
    submission.millibits = millibits(rewards[submission.seat])
    submission.passage_millibits = totals.passage_millibits(play.events, submission.seat, round_.passages)
    submission.rewards = {seat: millibits(bits) / 1000 for seat, bits in rewards.items()}
    outbox.competitions.add(round_.competition_id)


def _improved(
    session: Session, scored: Sequence[Submission], measured: Mapping[str, Collection[str]] | None = None
) -> list[tuple[Round, feed.Entry]]:
    """Note who stands better by these; what is to be told of it, and in which round. Of a deleted round nobody
    hears. measured: play → keys of what was measured for it, where they are at hand."""
    counting = [each for each in scored if not (each.hidden or each.practice)]
    improved = leaderboards.improve(session, counting)
    checks.of_bests(session, counting, measured or {})
    return [each for each in improved if each[0].archived_at is None]


def _give_back(session: Session, round_: Round, submission: Submission) -> None:
    """The attempt does not count; practice has taken none."""
    if not submission.practice:
        give_back(session, round_, submission.player_id)


def _earned(play: Play, seat: str) -> float:
    """The bits that a seat was given so far."""
    total = 0.0
    for event in play.events:
        if event["type"] == "reward" and event["seat"] == seat:
            total += event["bits"]
    return total


def _reason(effect: Finished) -> Reason | None:
    if effect.reason is None:
        return None
    reason: Reason = {"type": effect.reason.type, "detail": effect.reason.detail}
    if effect.reason.line is not None:
        reason |= {"line": effect.reason.line, "column": effect.reason.column}
    return reason


def _close(
    session: Session, outbox: Outbox, submission: Submission, state: SubmissionState, reason: Reason | None
) -> None:
    assert submission.state not in FINAL, "a final submission never changes"
    submission.state = state
    submission.reason = reason
    submission.finished_at = now(session)
    outbox.submissions.add(submission.id)


def _over(session: Session, play: Play) -> None:
    _leave_seats(play)
    session.flush()


def _leave_seats(play: Play) -> None:
    play.waiting, play.awaits, play.due_at, play.vacant = False, None, None, 0
