"""Submitting a move, and carrying plays on as their measurements become known.

A play is its log of moves. Bits are looked up by key, so the order in which results arrive cannot matter; whoever
holds the play replays it, and either records what it needs next or finishes it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from games.engine import replay
from games.events import to_json
from games.protocol import Log, Move, NeedBits, NeedMove
from games.protocol import Measurement as Asked
from server import competitions, endings, feed, leaderboards, measurements
from server.after import After
from server.competitions import RoundSetup
from server.database import insert, now
from server.endings import lock_plays
from server.errors import Refused, conflict, forbidden, not_found
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


@dataclass(frozen=True, slots=True)
class Accepted:
    """A submission that is there now. fresh: this request made it."""

    submission: Submission
    fresh: bool


def submit(
    session: Session,
    after: After,
    caller: Caller,
    round_id: str,
    move: str | None,
    repeat: str | None,
    pending_limit: int,
) -> Accepted:
    """A new play of a game of one seat, and its submission; with its first move, unless that is still to come.

    Raises `Refused` and changes nothing otherwise.
    """
    player = player_of(caller)
    submission_id = new_id("sub")
    seen = seen_before(session, caller, f"/rounds/{round_id}/submissions", repeat, move, submission_id)
    if seen is not None:
        return Accepted(find(session, seen), fresh=False)
    if move is not None:
        move = clean(move, "/move", what="The move")
    round_ = open_round(session, caller, round_id)
    setup = competitions.setup_of(session, round_)
    seats = setup.program.seats
    if len(seats) > 1:
        raise conflict(
            "several-seats",
            "Several seats",
            f"This game seats {' and '.join(seats)}: open a challenge, or take one up, at"
            f" /api/v1/rounds/{round_id}/challenges.",
        )
    asker = asker_of(session, caller, player, pending_limit)
    reserve_attempt(session, round_, player)
    play = new_play(session, round_, [] if move is None else [{"seat": seats[0], "text": move}])
    submission = take_seat(session, play, seats[0], player, submission_id)
    carry_on(session, after, round_, setup, play, asker)
    return Accepted(submission, fresh=True)


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


def take_seat(session: Session, play: Play, seat: str, player: str, submission_id: str) -> Submission:
    """The player's submission in a play."""
    submission = Submission(
        id=submission_id,
        play_id=play.id,
        seat=seat,
        round_id=play.round_id,
        player_id=player,
        state=State.AWAITING_OPPONENT if play.vacant else State.QUEUED,
        engine=ENGINE,
        hidden=False,
        accepted_at=now(session),
    )
    session.add(submission)
    session.flush()
    return submission


def move_again(
    session: Session, after: After, caller: Caller, submission_id: str, move: str, repeat: str | None, limit: int
) -> Accepted:
    """A further move in a play of several."""
    player = player_of(caller)
    route = f"/submissions/{submission_id}/moves"
    submission = find(session, submission_id)
    if seen_before(session, caller, route, repeat, move, submission_id) is not None:
        return Accepted(submission, fresh=False)
    move = clean(move, "/move", what="The move")
    play = _lock_own(session, submission, player)
    if submission.state == State.AWAITING_OPPONENT:
        raise conflict("not-awaiting-move", "No move awaited", "It is another player's turn, not yours.")
    if submission.state != State.AWAITING_MOVE:
        raise conflict("not-awaiting-move", "No move awaited", f"This submission is {submission.state}.")
    round_ = open_round(session, caller, submission.round_id)
    if play.due_at is not None and play.due_at <= now(session):
        raise conflict("out-of-time", "Out of time", "The move clock has run out.")
    asker = asker_of(session, caller, player, limit)
    play.moves = [*play.moves, {"seat": submission.seat, "text": move}]
    play.waiting, play.awaits, play.due_at = True, None, None
    for each in endings.seats(session, play):
        each.state = State.QUEUED
        after.submissions.add(each.id)
    carry_on(session, after, round_, competitions.setup_of(session, round_), play, asker)
    return Accepted(submission, fresh=True)


def resign(session: Session, after: After, caller: Caller, submission_id: str) -> Submission:
    """Give a play up; or take a challenge back that nobody has taken up, which costs no attempt."""
    submission = find(session, submission_id)
    play = _lock_own(session, submission, player_of(caller))
    if submission.state in FINAL:
        raise conflict(
            "play-over", "Play over", f"There is nothing to resign from: this submission is {submission.state}."
        )
    round_ = session.get_one(Round, submission.round_id)
    if play.vacant:
        detail = "The challenge was taken back. The attempt does not count."
        entries = endings.withdraw(session, after, round_, play, {"type": "withdrawn", "detail": detail})
    else:
        reason = {"type": "resigned", "detail": "The player gave the play up."}
        entries = endings.leave(session, after, round_, play, submission.seat, reason)
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


def set_hidden(session: Session, after: After, caller: Caller, submission_id: str, hidden: bool) -> Submission:
    """Hide a move, or show it again: a hidden one has no place on the board."""
    submission = find(session, submission_id)
    lock_plays(session, [submission.play_id])  # its score must not come in between
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
    for play in lock_plays(session, play_ids):
        if play.waiting:
            round_ = session.get_one(Round, play.round_id)
            try:
                with session.begin_nested():
                    setup = competitions.setup_of(session, round_)
                    _step(session, after, round_, setup, play, _asker_for(session, play), entries)
            except DBAPIError:
                raise
            except Exception:  # a defect of ours must not hold up everyone else's results
                log.exception("play.broken", play=play.id)
                endings.fail(
                    session, after, round_, play, "The server could not finish this play; its host can see why."
                )
    for competition in sorted(entries):
        feed.append(session, competition, entries[competition])


def stuck(session: Session) -> Sequence[str]:
    """Plays that wait although nothing they need is pending. There should be none."""
    pending = (
        select(Need.play_id).join(Measurement, Measurement.key == Need.key).where(Measurement.state == Known.PENDING)
    )
    return session.scalars(select(Play.id).where(Play.waiting, Play.id.not_in(pending)).limit(64)).all()


def player_of(caller: Caller) -> str:
    if caller.player is None or caller.scope not in (Scope.PLAY, Scope.BOT):
        raise forbidden("Only players can submit: join the competition with its code, and use the token that gives.")
    return caller.player


def seen_before(session: Session, caller: Caller, route: str, key: str | None, body: object, makes: str) -> str | None:
    """The submission that this Idempotency-Key made; None where it is new, and noted as making `makes`.

    Waits for a twin of this request that is being served.
    """
    if key is None:
        return None
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    made = session.execute(
        insert(session, Repeat)
        .values(token_id=caller.token, route=route, key=key, body=digest, submission_id=makes)
        .on_conflict_do_nothing(index_elements=["token_id", "route", "key"])
        .returning(Repeat.key)
    ).one_or_none()
    if made is not None:
        return None
    known = session.get_one(Repeat, (caller.token, route, key))
    if known.body != digest:
        raise Refused(
            "idempotency-key-reused",
            422,
            "Idempotency-Key reused",
            "This Idempotency-Key came with another body before. Use a new key for a new move.",
        )
    return known.submission_id


def admit(session: Session, caller: Caller, round_id: str) -> Round:
    """The round, if the caller is one of its players, whether it is open or not."""
    player_of(caller)
    round_ = competitions.find_round(session, round_id)
    if caller.competition != round_.competition_id:
        raise forbidden("This token belongs to another competition. Join this one with its code first.")
    return round_


def open_round(session: Session, caller: Caller, round_id: str) -> Round:
    round_ = admit(session, caller, round_id)
    state = competitions.state_of(round_, now(session))
    if state is not RoundState.OPEN:
        words = {
            RoundState.PREPARING: "The round's texts are still being written; it opens by itself when they are there.",
            RoundState.SCHEDULED: f"The round opens at {round_.opens_at:%Y-%m-%d %H:%M:%S} UTC.",
            RoundState.PAUSED: "The host has paused the round; try again when it goes on.",
            RoundState.CLOSED: "The round is closed.",
        }
        raise conflict(f"round-{state}", f"Round {state}", words[state])
    return round_


def asker_of(session: Session, caller: Caller, player: str, limit: int) -> Asker:
    waiting = measurements.waiting(session, player)
    measurements.refuse_flood(waiting, limit)
    return Asker(player, caller.kind, waiting)


def _asker_for(session: Session, play: Play) -> Asker:
    query = select(Player).join(Submission, Submission.player_id == Player.id).where(Submission.play_id == play.id)
    player = session.scalars(query.order_by(Submission.number.desc()).limit(1)).one()
    return Asker(player.id, Kind(player.kind), measurements.waiting(session, player.id))


def reserve_attempt(session: Session, round_: Round, player: str) -> None:
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


def carry_on(session: Session, after: After, round_: Round, setup: RoundSetup, play: Play, asker: Asker) -> None:
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
        play.events = to_json(effect.events)
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
            endings.fail(session, after, round_, play, failed[0].failure or "The judge could not measure this.")
            return
        found |= {asked: measurements.bits(got[question.key]) for asked, question in questions.items()}
    play.waiting = False
    if isinstance(effect, NeedMove):
        _await_move(session, after, round_, play, effect)
    else:
        entries.setdefault(round_.competition_id, []).extend(endings.finish(session, after, round_, play, effect, rows))


def _question(setup: RoundSetup, asked: Asked) -> Question:
    return Question(setup.identities[asked.judge], asked.profile, asked.prefix, asked.text)


def _record_needs(session: Session, play: Play, rows: Mapping[str, Measurement]) -> None:
    values = [{"key": key, "play_id": play.id} for key in rows]
    session.execute(insert(session, Need).on_conflict_do_nothing().returning(Need.key), values)


def _await_move(session: Session, after: After, round_: Round, play: Play, effect: NeedMove) -> None:
    """Ask the seat's player; the others wait for them."""
    play.awaits = {
        "seat": effect.seat,
        "register": effect.register,
        "limit": effect.limit,
        "registers": dict(effect.registers),
    }
    play.due_at = now(session) + timedelta(seconds=round_.move_seconds) if round_.move_seconds else None
    for submission in endings.seats(session, play):
        submission.state = State.AWAITING_MOVE if submission.seat == effect.seat else State.AWAITING_OPPONENT
        after.submissions.add(submission.id)
    session.flush()
