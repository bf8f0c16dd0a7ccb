"""The gate in front of the API: refuses bodies that cannot be read, and times every answer."""

import json
import time
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.problems import response
from server.errors import RequestError, not_found
from server.http.requests import MAX_BODY, MAX_PROGRAM_BODY
from server.metrics import REQUESTS

API = "/api/v1"


class Gate:
    """Refuses bodies that are too large or not JSON before anything reads them, and times every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, answered = time.perf_counter(), 500, None

        async def noted(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()  # a stream goes on for hours after this
            await send(message)

        try:
            await self._pass(scope, receive, noted)
        finally:
            seconds = (answered or time.perf_counter()) - start
            REQUESTS.labels(scope["method"], _route(scope), str(status)).observe(seconds)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if "\0" in scope["path"]:  # no id has one, and no database takes it
            await response(not_found("resource", scope["path"]))(scope, receive, send)
            return
        if scope["method"] not in {"POST", "PUT", "PATCH"} or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(headers, receive, _most(scope["path"]))
        except RequestError as error:
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


def _route(scope: Scope) -> str:
    """The address as it was declared, so that there are few of them; pages and API told apart."""
    path: str = getattr(scope.get("route"), "path", "other")
    return API + path if scope["path"].startswith(API) and path.startswith("/") else path


def _most(path: str) -> int:
    """How many bytes a body that is sent there may have."""
    return MAX_PROGRAM_BODY if path == f"{API}/games" else MAX_BODY


async def _body(headers: Headers, receive: Receive, most: int) -> bytes:
    too_large = RequestError("body-too-large", 413, "Body too large", f"A body may have at most {most:,} bytes.")
    if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > most:
        raise too_large
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # what came so far may look whole, and is not
            raise RequestError("body-incomplete", 400, "Body incomplete", "The connection ended before the body did.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            raise too_large
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        detail = f"Send JSON, with 'Content-Type: application/json'; this body came as {kind or 'nothing'!r}."
        raise RequestError("unsupported-media-type", 415, "Unsupported media type", detail)
    if body:
        _check_json(body)
    return body


def _check_json(body: bytes) -> None:
    """Is this JSON that everyone reads alike? No field twice, no NaN, no more nesting than can be read."""
    try:
        json.loads(body, object_pairs_hook=_each_once, parse_constant=_no_number)
    except RecursionError:
        raise _not_json("it is nested too deeply") from None
    except ValueError as error:
        raise _not_json(str(error)) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"the field {name[:64]!r} is there twice")
        fields[name] = value
    return fields


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _not_json(reason: str) -> RequestError:
    return RequestError("invalid-json", 400, "Not JSON", f"The body is not valid JSON: {reason}.")
