"""What every route of the API shares: the arena, the caller, and the gate in front of bodies."""

import time
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.problems import response
from server.arena import Arena
from server.errors import Refused
from server.metrics import REQUESTS

MAX_BODY = 64 * 1024
COOKIE = "xentarena_token"


def arena_of(request: Request) -> Arena:
    arena: Arena = request.app.state.arena
    return arena


def token_of(request: Request) -> str | None:
    """The bearer token of a request; a page's stands in its cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.cookies.get(COOKIE) if _same_origin(request) else None


ArenaOf = Annotated[Arena, Depends(arena_of)]
TokenOf = Annotated[str | None, Depends(token_of)]
Wait = Annotated[float, Query(ge=0, le=60, description="Hold the answer until it is final, at most this many seconds.")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1_000)]
RepeatKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key and body again give the same submission, however often they are sent.",
    ),
]


def _same_origin(request: Request) -> bool:
    """A cookie counts only for requests that our own pages make."""
    if request.method in {"GET", "HEAD"}:
        return True
    origin = request.headers.get("origin", "")
    return origin.partition("://")[2] == request.headers.get("host")


class Gate:
    """Refuses bodies that are too large or not JSON before anything reads them, and times every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._pass(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            REQUESTS.labels(scope["method"], route, str(status)).observe(time.perf_counter() - start)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["method"] not in {"POST", "PUT", "PATCH"} or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(headers, receive)
        except Refused as error:
            await response(error)(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


async def _body(headers: Headers, receive: Receive) -> bytes:
    too_large = Refused("body-too-large", 413, "Body too large", f"A body may have at most {MAX_BODY:,} bytes.")
    if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > MAX_BODY:
        raise too_large
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise too_large
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        detail = f"Send JSON, with 'Content-Type: application/json'; this body came as {kind or 'nothing'!r}."
        raise Refused("unsupported-media-type", 415, "Unsupported media type", detail)
    return body
