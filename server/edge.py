"""What the API and the pages share: who asks, from where, and a move's way in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import players, plays
from server.arena import Arena
from server.live import until
from server.metrics import ACCEPTED
from server.models import FINAL, State, Submission
from server.plays import After

T = TypeVar("T")

MAX_BODY = 64 * 1024
COOKIE = "xentarena_token"

#: Nobody has to do anything but wait for these.
SETTLED = FINAL | {State.AWAITING_MOVE}


# Async, although they wait for nothing: the framework runs plain functions in a thread, two switches a request.


async def arena_of(request: Request) -> Arena:
    arena: Arena = request.app.state.arena
    return arena


async def token_of(request: Request) -> str | None:
    """The bearer token of a request; a page's stands in its cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.cookies.get(COOKIE) if same_origin(request) else None


async def settled(arena: Arena, submission_id: str, seconds: float) -> None:
    """Wait until nobody can do anything but wait, or the time is up. Hundreds do so: a look is one small query."""
    state = select(Submission.state).where(Submission.id == submission_id)

    async def read() -> str | None:
        return await arena.read(lambda session: session.scalars(state).one_or_none())

    await until(arena.live, submission_id, read, lambda now: now is None or now in SETTLED, seconds)


def same_origin(request: Request) -> bool:
    """A cookie counts only for requests that our own pages make."""
    if request.method in {"GET", "HEAD"}:
        return True
    origin = request.headers.get("origin", "")
    return origin.partition("://")[2] == request.headers.get("host")


ArenaOf = Annotated[Arena, Depends(arena_of)]
TokenOf = Annotated[str | None, Depends(token_of)]


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """A move that was accepted, and what `show` made of its submission in the same transaction."""

    submission: str
    fresh: bool
    shown: T


Show = Callable[[Session, Submission], T]


async def submit(arena: Arena, token: str | None, round_id: str, move: str, key: str | None, show: Show[T]) -> Taken[T]:
    """Accept a first move. Raises `Refused` and changes nothing otherwise."""

    def work(session: Session, after: After) -> Taken[T]:
        caller = players.authenticate(session, token)
        arena.rates.spend(caller.player or caller.token)
        accepted = plays.submit(session, after, caller, round_id, move, key, arena.settings.pending_limit)
        if accepted.fresh:
            ACCEPTED.labels(caller.kind).inc()
        return Taken(accepted.submission.id, accepted.fresh, show(session, accepted.submission))

    return await arena.write(work)


async def move_again(
    arena: Arena, token: str | None, submission_id: str, move: str, key: str | None, show: Show[T]
) -> Taken[T]:
    """Accept the next move of a play that awaits one."""

    def work(session: Session, after: After) -> Taken[T]:
        caller = players.authenticate(session, token)
        arena.rates.spend(caller.player or caller.token)
        limit = arena.settings.pending_limit
        accepted = plays.move_again(session, after, caller, submission_id, move, key, limit)
        return Taken(accepted.submission.id, accepted.fresh, show(session, accepted.submission))

    return await arena.write(work)
