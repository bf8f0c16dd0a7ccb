"""In front of everything: texts that no database takes are refused, HEAD is answered wherever GET is, the API's
answers tell browsers what not to do with them, and every answer is timed."""

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.problems import SAFE, response
from server.errors import RequestError, bodies_full, invalid, not_found
from server.http.public_address import path_of
from server.metrics import REQUESTS

API = "/api/v1"
MOST_HELD = 256 * 2**20  # bytes of bodies, of all requests that are going on, whoever sends them


class Gate:
    """Middleware, the outermost. held: bytes of bodies that have come, of requests that are not answered yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method: str = scope["method"]
        if head := method == "HEAD":
            scope = {**scope, "method": "GET"}
        start, status, answered = time.perf_counter(), 500, None

        async def noted(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                _protect(MutableHeaders(scope=message))
                status, answered = message["status"], time.perf_counter()  # a stream goes on for hours after this
            await send(message)

        mine = 0

        async def counted() -> Message:
            nonlocal mine
            message = await receive()
            size = len(message.get("body", b""))
            mine, self._held = mine + size, self._held + size
            if self._held > MOST_HELD:
                raise bodies_full()
            return message

        app = response(refused) if (refused := _refused(scope)) else self._app
        try:
            if head:
                await _without_body(app, scope, noted)
            else:
                await app(scope, counted, noted)
        finally:
            self._held -= mine
            seconds = (answered or time.perf_counter()) - start
            REQUESTS.labels(method, _route(scope), str(status)).observe(seconds)


def _protect(headers: MutableHeaders) -> None:
    for name, value in SAFE.items():
        headers.setdefault(name, value)
    if "ETag" not in headers:  # whoever gives one wants to be asked again
        headers.setdefault("Cache-Control", "no-store")


def _refused(scope: Scope) -> RequestError | None:
    """Where the address or its query has a NUL: no text of anybody has one, and no database takes it."""
    if "\0" in scope["path"]:
        return not_found("There is no resource {name}.", scope["path"])
    if b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        named = (name for name, value in parse_qsl(scope["query_string"].decode("latin-1")) if "\0" in name + value)
        return invalid(f"(query)/{next(named, '')}", "The text has a NUL character, which nobody can read.")
    return None


async def _without_body(app: ASGIApp, scope: Scope, send: Send) -> None:
    """Answer as GET is answered, and leave out what stands in the answer; a stream ends at once."""
    ended = asyncio.Event()
    asked: Iterator[Message] = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        if (message := next(asked, None)) is None:
            await ended.wait()
            return {"type": "http.disconnect"}
        return message

    async def head(message: Message) -> None:
        if ended.is_set():
            return
        if message["type"] == "http.response.body":
            ended.set()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    await app(scope, receive, head)


def _route(scope: Scope) -> str:
    """The address as it was declared, so that there are few of them; pages and API told apart."""
    path: str = getattr(scope.get("route"), "path", "other")
    return API + path if path_of(scope).startswith(API) and path.startswith("/") else path
