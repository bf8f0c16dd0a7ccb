"""How plays end: scored, broken off, or left by a player.

One who leaves a play of several seats ends it: theirs is rejected, and whoever stays keeps what they have earned so
far, at least nothing. Where players are rated it is a loss of whoever left.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.protocol import Finished, Status
from games.sentences import say
from games.values.bits import millibits
from server.arena import feed, leaderboards, rated_plays, seats, totals
from server.arena.attempts import give_back
from server.arena.outbox import Outbox
from server.arena.seats import lock_plays
from server.db.models import Measurement, Play, Round, Submission
from server.db.session import now
from server.db.states import FINAL, RoundState, SubmissionState

STATES = {
    Status.SCORED: SubmissionState.SCORED,
    Status.REJECTED: SubmissionState.REJECTED,
    Status.VOID: SubmissionState.VOID,
}
PAGE = 64  # plays that one look of the sweeper ends
Reason = dict[str, Any]


def finish(
    session: Session, outbox: Outbox, round_: Round, play: Play, effect: Finished, rows: Mapping[str, Measurement]
) -> list[feed.Entry]:
    """The engine says that the play is over. `rows`: what was measured for it. Returns what the feed is to tell."""
    taken = seats.taken(session, play)
    builds = ", ".join(sorted({row.build for row in rows.values() if row.build})) or None
    for submission in taken:
        submission.build = builds
    if effect.status is Status.REJECTED and len(taken) > 1:
        return leave(session, outbox, round_, play, play.moves[-1]["seat"], _reason(effect) or {})
    entries: list[feed.Entry] = []
    for submission in taken:
        _close(session, outbox, submission, STATES[effect.status], _reason(effect))
        if effect.status is Status.VOID:
            _give_back(session, round_, submission)
        if effect.status is Status.SCORED:
            entries += _score(session, outbox, round_, submission, effect.rewards)
    if effect.status is Status.SCORED:
        rated_plays.mark(session, round_, play)
    _over(session, play)
    return entries


def fail(session: Session, outbox: Outbox, round_: Round, play: Play, detail: str) -> None:
    """Our fault: the attempt is given back."""
    for submission in seats.taken(session, play):
        _close(session, outbox, submission, SubmissionState.FAILED, {"type": "measurement_failed", "detail": detail})
        _give_back(session, round_, submission)
    _over(session, play)


def leave(session: Session, outbox: Outbox, round_: Round, play: Play, seat: str, reason: Reason) -> list[feed.Entry]:
    """The player of `seat` has left, or may not go on: `reason` says why. Returns what the feed is to tell."""
    entries: list[feed.Entry] = []
    for submission in seats.taken(session, play):
        if submission.seat == seat:
            _close(session, outbox, submission, SubmissionState.REJECTED, reason)
        else:
            stays = {"type": "opponent_left", "detail": f"{seat.capitalize()} did not play to the end."}
            _close(session, outbox, submission, SubmissionState.SCORED, stays)
            earned = {submission.seat: max(0.0, _earned(play, submission.seat))}
            entries += _score(session, outbox, round_, submission, earned)
    rated_plays.mark(session, round_, play)
    _over(session, play)
    return entries


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


def end_late_plays(session: Session, outbox: Outbox) -> None:
    """End the plays whose move clock has run out, and those that still wait for a player in a closed round; practice
    begins there, and may wait."""
    late = (Play.due_at <= now(session)) & (Round.state == RoundState.OPEN)
    unfinished = (Play.awaits.is_not(None) | (Play.vacant > 0)) & (Round.state == RoundState.CLOSED)
    practice = select(Submission.play_id).where(Submission.play_id == Play.id, Submission.practice).exists()
    query = select(Play.id).join(Round, Round.id == Play.round_id).where(late | unfinished, ~practice).order_by(Play.id)
    entries: dict[str, list[feed.Entry]] = {}
    for play in lock_plays(session, session.scalars(query.limit(PAGE)).all()):
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
    if play.awaits is not None and closed:
        reason = {"type": "abandoned", "detail": say("The round closed before the next move came.")}
        return leave(session, outbox, round_, play, play.awaits["seat"], reason)
    if play.awaits is not None and play.due_at is not None and play.due_at <= now(session):
        detail = f"The move clock ran out: a move was awaited within {round_.move_seconds:,} seconds."
        return leave(session, outbox, round_, play, play.awaits["seat"], {"type": "abandoned", "detail": detail})
    return []


def _score(
    session: Session, outbox: Outbox, round_: Round, submission: Submission, rewards: Mapping[str, float]
) -> list[feed.Entry]:
    submission.millibits = millibits(rewards[submission.seat])
    events = session.get_one(Play, submission.play_id).events
    submission.passage_millibits = totals.passage_millibits(events, submission.seat, round_.passages)
    submission.rewards = {seat: millibits(bits) / 1000 for seat, bits in rewards.items()}
    session.flush()
    outbox.competitions.add(round_.competition_id)
    if submission.hidden or submission.practice:
        return []
    entries = leaderboards.improve(session, round_, submission)
    return [] if round_.archived_at is not None else entries  # of a deleted round nobody hears


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
    play.waiting, play.awaits, play.due_at, play.vacant = False, None, None, 0
    session.flush()
