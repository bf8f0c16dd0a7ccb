"""Submitting a move, and carrying plays on as their measurements become known.

A play is its log of moves. Bits are looked up by key, so the order in which results arrive cannot matter; whoever
holds the play replays it, and either records what it needs next or finishes it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from games.bits import millibits
from games.engine import replay
from games.values import Finished, Log, Move, NeedBits, NeedMove, Status
from games.values import Measurement as Asked
from server import competitions, feed, leaderboards, measurements
from server.competitions import RoundSetup
from server.database import insert, now
from server.errors import Refused, conflict, forbidden, not_found
from server.jobs import Job
from server.measurements import Asker, Question
from server.models import (
    FINAL,
    Attempt,
    Kind,
    Known,
    Measurement,
    Need,
    Play,
    Player,
    Repeat,
    Round,
    RoundState,
    State,
    Submission,
)
from server.players import Caller, Scope
from server.texts import clean, new_id

log = structlog.get_logger()

ENGINE = f"xentarena {version('xentarena')}"  # which code judged a play

STATES = {Status.SCORED: State.SCORED, Status.REJECTED: State.REJECTED, Status.VOID: State.VOID}


@dataclass(slots=True)
class After:
    """What is to be done once the transaction is committed: nothing of it is needed for the rows to be true."""

    jobs: list[Job] = field(default_factory=list)
    submissions: set[str] = field(default_factory=set)
    measurements: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    competitions: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A submission that is there now. fresh: this request made it."""

    submission: Submission
    fresh: bool


def submit(
    session: Session, after: After, caller: Caller, round_id: str, move: str, repeat: str | None, pending_limit: int
) -> Accepted:
    """Accept a move: a new play and its submission. Raises `Refused` and changes nothing otherwise."""
    player = _player(caller)
    submission_id = new_id("sub")
    seen = _seen_before(session, caller, f"/rounds/{round_id}/submissions", repeat, move, submission_id)
    if seen is not None:
        return Accepted(find(session, seen), fresh=False)
    move = clean(move, "/move", what="The move")
    round_ = _open_round(session, caller, round_id)
    asker = _asker(session, caller, player, pending_limit)
    _reserve_attempt(session, round_, player)
    setup = competitions.setup_of(session, round_)
    seat = setup.program.seats[0]
    first = replay(setup.program, setup.setup, Log((Move(seat, move),)))
    play = Play(
        id=new_id("play"),
        round_id=round_id,
        moves=[{"seat": seat, "text": move}],
        events=list(first.events),
        waiting=True,
    )
    submission = Submission(
        id=submission_id,
        play_id=play.id,
        seat=seat,
        round_id=round_id,
        player_id=player,
        state=State.QUEUED,
        engine=ENGINE,
        hidden=False,
        accepted_at=now(session),
    )
    session.add(play)
    session.flush()
    session.add(submission)
    session.flush()
    _carry_on(session, after, round_, setup, play, asker)
    return Accepted(submission, fresh=True)


def move_again(
    session: Session, after: After, caller: Caller, submission_id: str, move: str, repeat: str | None, limit: int
) -> Accepted:
    """A further move in a play of several."""
    player = _player(caller)
    route = f"/submissions/{submission_id}/moves"
    submission = find(session, submission_id)
    if _seen_before(session, caller, route, repeat, move, submission_id) is not None:
        return Accepted(submission, fresh=False)
    move = clean(move, "/move", what="The move")
    if submission.player_id != player:
        raise forbidden("This submission is another player's.")
    play = _lock_plays(session, [submission.play_id])[0]
    session.refresh(submission, with_for_update=True)  # against the end of the round, which takes only this row
    if submission.state != State.AWAITING_MOVE:
        raise conflict("not-awaiting-move", "No move awaited", f"This submission is {submission.state}.")
    round_ = _open_round(session, caller, submission.round_id)
    play.moves = [*play.moves, {"seat": submission.seat, "text": move}]
    play.waiting = True
    submission.state = State.QUEUED
    asker = _asker(session, caller, player, limit)
    _carry_on(session, after, round_, competitions.setup_of(session, round_), play, asker)
    return Accepted(submission, fresh=True)


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


def set_hidden(session: Session, after: After, caller: Caller, submission_id: str, hidden: bool) -> Submission:
    """Hide a move, or show it again: a hidden one has no place on the board."""
    submission = find(session, submission_id)
    _lock_plays(session, [submission.play_id])  # its score must not come in between
    session.refresh(submission)
    if submission.hidden != hidden:
        submission.hidden = hidden
        session.flush()
        competitions.audit(session, caller, "submission.hide" if hidden else "submission.show", submission_id)
        round_ = session.get_one(Round, submission.round_id)
        entries = leaderboards.recompute(session, round_, submission.player_id)
        after.competitions.add(round_.competition_id)
        feed.append(session, round_.competition_id, entries)
    return submission


def resume(session: Session, after: After, keys: Iterable[str]) -> None:
    """Carry on every play that waited for one of these measurements and now has all it needs."""
    waiting_for_more = (
        select(Need.play_id).join(Measurement, Measurement.key == Need.key).where(Measurement.state == Known.PENDING)
    )
    query = (
        select(Play.id)
        .join(Need, Need.play_id == Play.id)
        .where(Need.key.in_(list(keys)), Play.waiting, Play.id.not_in(waiting_for_more))
        .distinct()
    )
    resume_plays(session, after, session.scalars(query).all())


def resume_plays(session: Session, after: After, play_ids: Sequence[str]) -> None:
    entries: dict[str, list[feed.Entry]] = {}
    for play in _lock_plays(session, play_ids):
        if play.waiting:
            round_ = session.get_one(Round, play.round_id)
            try:
                with session.begin_nested():
                    setup = competitions.setup_of(session, round_)
                    _step(session, after, round_, setup, play, _asker_of(session, play), entries)
            except DBAPIError:
                raise
            except Exception:  # a defect of ours must not hold up everyone else's results
                log.exception("play.broken", play=play.id)
                _fail(session, after, round_, play, "The server could not finish this play; its host can see why.")
    for competition in sorted(entries):
        feed.append(session, competition, entries[competition])


def stuck(session: Session) -> Sequence[str]:
    """Plays that wait although nothing they need is pending. There should be none."""
    pending = (
        select(Need.play_id).join(Measurement, Measurement.key == Need.key).where(Measurement.state == Known.PENDING)
    )
    return session.scalars(select(Play.id).where(Play.waiting, Play.id.not_in(pending)).limit(64)).all()


def abandon(session: Session, after: After) -> None:
    """End the plays that await a move in a round that is closed."""
    query = (
        select(Submission)
        .join(Round, Round.id == Submission.round_id)
        .where(Submission.state == State.AWAITING_MOVE, Round.state == RoundState.CLOSED)
        .order_by(Submission.number)
        .limit(64)
        .with_for_update(of=Submission)
        .execution_options(populate_existing=True)
    )
    for submission in session.scalars(query).all():
        submission.state = State.REJECTED
        submission.reason = {"type": "abandoned", "detail": "The round closed before the next move came."}
        submission.finished_at = now(session)
        after.submissions.add(submission.id)
    session.flush()


def _player(caller: Caller) -> str:
    if caller.player is None or caller.scope not in (Scope.PLAY, Scope.BOT):
        raise forbidden("Only players can submit: join the competition with its code, and use the token that gives.")
    return caller.player


def _seen_before(session: Session, caller: Caller, route: str, key: str | None, move: str, makes: str) -> str | None:
    """The submission that this Idempotency-Key made; None where it is new, and noted as making `makes`.

    Waits for a twin of this request that is being served.
    """
    if key is None:
        return None
    body = hashlib.sha256(json.dumps(move).encode()).hexdigest()
    made = session.execute(
        insert(session, Repeat)
        .values(token_id=caller.token, route=route, key=key, body=body, submission_id=makes)
        .on_conflict_do_nothing(index_elements=["token_id", "route", "key"])
        .returning(Repeat.key)
    ).one_or_none()
    if made is not None:
        return None
    known = session.get_one(Repeat, (caller.token, route, key))
    if known.body != body:
        raise Refused(
            "idempotency-key-reused",
            422,
            "Idempotency-Key reused",
            "This Idempotency-Key came with another body before. Use a new key for a new move.",
        )
    return known.submission_id


def admit(session: Session, caller: Caller, round_id: str) -> Round:
    """The round, if the caller is one of its players, whether it is open or not."""
    _player(caller)
    round_ = competitions.find_round(session, round_id)
    if caller.competition != round_.competition_id:
        raise forbidden("This token belongs to another competition. Join this one with its code first.")
    return round_


def _open_round(session: Session, caller: Caller, round_id: str) -> Round:
    round_ = admit(session, caller, round_id)
    state = competitions.state_of(round_, now(session))
    if state is not RoundState.OPEN:
        words = {
            RoundState.SCHEDULED: f"The round opens at {round_.opens_at:%Y-%m-%d %H:%M:%S} UTC.",
            RoundState.PAUSED: "The host has paused the round; try again when it goes on.",
            RoundState.CLOSED: "The round is closed.",
        }
        raise conflict(f"round-{state}", f"Round {state}", words[state])
    return round_


def _asker(session: Session, caller: Caller, player: str, limit: int) -> Asker:
    waiting = measurements.waiting(session, player)
    measurements.refuse_flood(waiting, limit)
    return Asker(player, caller.kind, waiting)


def _asker_of(session: Session, play: Play) -> Asker:
    query = select(Player).join(Submission, Submission.player_id == Player.id).where(Submission.play_id == play.id)
    player = session.scalars(query.order_by(Submission.number.desc()).limit(1)).one()
    return Asker(player.id, Kind(player.kind), measurements.waiting(session, player.id))


def _reserve_attempt(session: Session, round_: Round, player: str) -> None:
    statement = insert(session, Attempt).values(round_id=round_.id, player_id=player, used=1)
    reserved = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["round_id", "player_id"],
            set_={"used": Attempt.used + 1},
            where=None if round_.attempts is None else Attempt.used < round_.attempts,
        ).returning(Attempt.used)
    ).one_or_none()
    if reserved is None:
        raise Refused(
            "no-attempts-left",
            409,
            "No attempts left",
            f"All {round_.attempts} attempts of this round are used.",
            limit="attempts",
        )


def attempts_left(session: Session, round_: Round, player: str | None) -> int | None:
    """How often a player may still submit; None where there is no limit."""
    if round_.attempts is None or player is None:
        return None
    attempt = session.get(Attempt, (round_.id, player))
    return max(0, round_.attempts - (attempt.used if attempt else 0))


def _lock_plays(session: Session, play_ids: Sequence[str]) -> Sequence[Play]:
    """The plays, in id order, with nobody else at them."""
    query = select(Play).where(Play.id.in_(play_ids)).order_by(Play.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _carry_on(session: Session, after: After, round_: Round, setup: RoundSetup, play: Play, asker: Asker) -> None:
    entries: dict[str, list[feed.Entry]] = {}
    _step(session, after, round_, setup, play, asker, entries)
    feed.append(session, round_.competition_id, entries.get(round_.competition_id, []))


def _step(
    session: Session,
    after: After,
    round_: Round,
    setup: RoundSetup,
    play: Play,
    asker: Asker,
    entries: dict[str, list[feed.Entry]],
) -> None:
    """Replay until something is missing or the play is over. New feed entries are left to the caller."""
    moves = tuple(Move(move["seat"], move["text"]) for move in play.moves)
    found: dict[Asked, list[float]] = {}
    rows: dict[str, Measurement] = {}
    while True:
        effect = replay(setup.program, setup.setup, Log(moves, found))
        play.events = list(effect.events)
        if not isinstance(effect, NeedBits):
            break
        questions = {asked: _question(setup, asked) for asked in effect.measurements}
        got, jobs = measurements.ask(session, questions.values(), asker)
        after.jobs += jobs
        rows |= got
        if any(row.state == Known.PENDING for row in got.values()):
            _record_needs(session, play, got)
            session.flush()
            return
        if failed := [row for row in got.values() if row.state == Known.FAILED]:
            _fail(session, after, round_, play, failed[0].failure or "The judge could not measure this.")
            return
        found |= {asked: measurements.bits(got[question.key]) for asked, question in questions.items()}
    play.waiting = False
    if isinstance(effect, NeedMove):
        _await_move(session, after, play, effect)
    else:
        entries.setdefault(round_.competition_id, []).extend(_finish(session, after, round_, play, effect, rows))


def _question(setup: RoundSetup, asked: Asked) -> Question:
    return Question(setup.identities[asked.judge], asked.profile, asked.prefix, asked.text)


def _record_needs(session: Session, play: Play, rows: Mapping[str, Measurement]) -> None:
    values = [{"key": key, "play_id": play.id} for key in rows]
    session.execute(insert(session, Need).on_conflict_do_nothing().returning(Need.key), values)


def _seats(session: Session, play: Play) -> Sequence[Submission]:
    return session.scalars(select(Submission).where(Submission.play_id == play.id).order_by(Submission.seat)).all()


def _await_move(session: Session, after: After, play: Play, effect: NeedMove) -> None:
    for submission in _seats(session, play):
        if submission.seat == effect.seat:
            submission.state = State.AWAITING_MOVE
            after.submissions.add(submission.id)
    session.flush()


def _fail(session: Session, after: After, round_: Round, play: Play, detail: str) -> None:
    """Our fault: the attempt is given back."""
    play.waiting = False
    reason = {"type": "measurement_failed", "detail": detail}
    for submission in _seats(session, play):
        _close(session, after, submission, State.FAILED, reason)
        _give_back(session, round_, submission.player_id)
    session.flush()


def _finish(
    session: Session,
    after: After,
    round_: Round,
    play: Play,
    effect: Finished,
    rows: Mapping[str, Measurement],
) -> list[feed.Entry]:
    entries: list[feed.Entry] = []
    state = STATES[effect.status]
    builds = sorted({row.build for row in rows.values() if row.build})
    for submission in _seats(session, play):
        _close(session, after, submission, state, _reason(effect))
        submission.build = ", ".join(builds) or None
        if state is State.VOID:
            _give_back(session, round_, submission.player_id)
        if state is State.SCORED:
            submission.millibits = millibits(effect.rewards[submission.seat])
            submission.rewards = {seat: millibits(bits) / 1000 for seat, bits in effect.rewards.items()}
            session.flush()
            if not submission.hidden:
                entries += leaderboards.improve(session, round_, submission)
            after.competitions.add(round_.competition_id)
    session.flush()
    return entries


def _reason(effect: Finished) -> dict[str, Any] | None:
    if effect.reason is None:
        return None
    reason: dict[str, Any] = {"type": effect.reason.type, "detail": effect.reason.detail}
    if effect.reason.line is not None:
        reason |= {"line": effect.reason.line, "column": effect.reason.column}
    return reason


def _close(session: Session, after: After, submission: Submission, state: State, reason: dict[str, Any] | None) -> None:
    assert submission.state not in FINAL, "a final submission never changes"
    submission.state = state
    submission.reason = reason
    submission.finished_at = now(session)
    after.submissions.add(submission.id)


def _give_back(session: Session, round_: Round, player: str) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.round_id == round_.id, Attempt.player_id == player, Attempt.used > 0)
        .values(used=Attempt.used - 1)
    )
