"""What a request says of itself: the process it reached, its token, its origin; and waiting for a submission."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select

from games.limits import SOURCE_BYTES
from server.db.models import Submission
from server.db.states import FINAL, SubmissionState
from server.http.context import AppContext
from server.http.live import until
from server.http.public_address import same_origin

MAX_BODY = 64 * 1024
#: A program is as large by itself, and JSON may write each of its bytes as six.
MAX_PROGRAM_BODY = 6 * SOURCE_BYTES + 4096
MAX_ROSTER_BODY = 512 * 1024
COOKIE = "xentarena_token"

#: Nobody has to do anything but wait for these.
SETTLED = FINAL | {SubmissionState.AWAITING_MOVE}


# Async, although they wait for nothing: the framework runs plain functions in a thread, two switches a request.


async def context_of(request: Request) -> AppContext:
    context: AppContext = request.app.state.context
    return context


async def token_of(request: Request) -> str | None:
    """The bearer token of a request; a page's stands in its cookie."""
    token = bearer_of(request)
    return request.cookies.get(COOKIE) if token is None and same_origin(request) else token


def bearer_of(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def settled(
    context: AppContext, submission_id: str, seconds: float, known: SubmissionState | None = None
) -> None:
    """Wait until nobody has to do anything but wait for it, in a state other than `known`, or the time is up.

    Hundreds do so: a look is one small query.
    """
    state = select(Submission.state).where(Submission.id == submission_id)

    async def read() -> str | None:
        return await context.read_at_once(lambda session: session.scalars(state).one_or_none())

    await until(
        context.live, submission_id, read, lambda now: now is None or (now in SETTLED and now != known), seconds
    )


ContextOf = Annotated[AppContext, Depends(context_of)]
TokenOf = Annotated[str | None, Depends(token_of)]
