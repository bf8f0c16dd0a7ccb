"""What the API and the pages share: who asks, from where, and a move's way in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from games.limits import SOURCE_BYTES
from server.arena import challenges, players, submissions
from server.arena.outbox import Outbox
from server.arena.players import Caller
from server.arena.submissions import Accepted
from server.db.models import FINAL, Submission, SubmissionState
from server.http.context import AppContext
from server.http.live import until
from server.metrics import ACCEPTED

T = TypeVar("T")

MAX_BODY = 64 * 1024
#: A program is as large by itself, and JSON may write each of its bytes as six.
MAX_PROGRAM_BODY = 6 * SOURCE_BYTES + 4096
COOKIE = "xentarena_token"

#: Nobody has to do anything but wait for these.
SETTLED = FINAL | {SubmissionState.AWAITING_MOVE}


# Async, although they wait for nothing: the framework runs plain functions in a thread, two switches a request.


async def arena_of(request: Request) -> AppContext:
    arena: AppContext = request.app.state.arena
    return arena


async def token_of(request: Request) -> str | None:
    """The bearer token of a request; a page's stands in its cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.cookies.get(COOKIE) if same_origin(request) else None


async def settled(arena: AppContext, submission_id: str, seconds: float, known: SubmissionState | None = None) -> None:
    """Wait until nobody has to do anything but wait for it, in a state other than `known`, or the time is up.

    Hundreds do so: a look is one small query.
    """
    state = select(Submission.state).where(Submission.id == submission_id)

    async def read() -> str | None:
        return await arena.read(lambda session: session.scalars(state).one_or_none())

    await until(arena.live, submission_id, read, lambda now: now is None or (now in SETTLED and now != known), seconds)


def same_origin(request: Request) -> bool:
    """A cookie counts only for requests that our own pages make."""
    if request.method in {"GET", "HEAD"}:
        return True
    origin = request.headers.get("origin", "")
    return origin.partition("://")[2] == request.headers.get("host")


ArenaOf = Annotated[AppContext, Depends(arena_of)]
TokenOf = Annotated[str | None, Depends(token_of)]


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """A move that was accepted, and what `show` made of its submission in the same transaction."""

    submission: str
    fresh: bool
    shown: T


Show = Callable[[Session, Submission], T]
Step = Callable[[Session, Outbox, Caller, int], Accepted]


async def take(arena: AppContext, token: str | None, step: Step, show: Show[T]) -> Taken[T]:
    """Let the caller take a step in a play. `step` gets the limit of what may wait at once, and accepts; or it raises
    `Refused`, and nothing has changed."""

    def work(session: Session, outbox: Outbox) -> Taken[T]:
        caller = players.authenticate(session, token)
        arena.rates.spend(caller.player or caller.token)
        accepted = step(session, outbox, caller, arena.settings.pending_limit)
        if accepted.fresh:
            ACCEPTED.labels(caller.kind).inc()
        return Taken(accepted.submission.id, accepted.fresh, show(session, accepted.submission))

    return await arena.write(work)


async def submit(
    arena: AppContext, token: str | None, round_id: str, move: str | None, key: str | None, show: Show[T]
) -> Taken[T]:
    """A first move, or the beginning of a play without one."""

    def step(session: Session, outbox: Outbox, caller: Caller, limit: int) -> Accepted:
        return submissions.submit(session, outbox, caller, round_id, move, key, limit)

    return await take(arena, token, step, show)


async def move_again(
    arena: AppContext, token: str | None, submission_id: str, move: str, key: str | None, show: Show[T]
) -> Taken[T]:
    """The next move of a play that awaits one."""

    def step(session: Session, outbox: Outbox, caller: Caller, limit: int) -> Accepted:
        return submissions.move_again(session, outbox, caller, submission_id, move, key, limit)

    return await take(arena, token, step, show)


async def challenge(
    arena: AppContext,
    token: str | None,
    round_id: str,
    seat: str | None,
    invite: str | None,
    key: str | None,
    show: Show[T],
) -> Taken[T]:
    """A play with somebody else in a round, with whoever waits there already or comes."""

    def step(session: Session, outbox: Outbox, caller: Caller, limit: int) -> Accepted:
        return challenges.challenge(session, outbox, caller, round_id, seat, invite, key, limit)

    return await take(arena, token, step, show)


async def accept(
    arena: AppContext, token: str | None, play_id: str, seat: str | None, key: str | None, show: Show[T]
) -> Taken[T]:
    """A seat in this very challenge."""

    def step(session: Session, outbox: Outbox, caller: Caller, limit: int) -> Accepted:
        return challenges.accept(session, outbox, caller, play_id, seat, key, limit)

    return await take(arena, token, step, show)


async def resign(arena: AppContext, token: str | None, submission_id: str, show: Show[T]) -> T:
    """Give a play up, or take a challenge back."""

    def work(session: Session, outbox: Outbox) -> T:
        caller = players.authenticate(session, token)
        return show(session, submissions.resign(session, outbox, caller, submission_id))

    return await arena.write(work)
