"""Routes whose bodies are JSON that everyone reads alike."""

import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from server.errors import RequestError
from server.http.requests import MAX_BODY, MAX_PROGRAM_BODY, MAX_ROSTER_BODY

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRoute(APIRoute):
    """Refuses bodies that are too large or no strict JSON before the framework reads them.

    Not by the framework's `max_body_size`, which answers in plain text where the length is declared.
    """

    most = MAX_BODY

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            limited = _Limited(request, self.most)
            if request.method in {"POST", "PUT", "PATCH", "DELETE"}:  # other methods' bodies mean nothing
                await self.check_body(limited)
            return await handle(limited)

        return strict

    async def check_body(self, request: Request) -> None:
        if body := await _whole(request):
            _check_kind(request, "application/json", told="JSON")
            _check_json(body)


class ProgramRoute(JsonRoute):
    """The same for bodies that hold a program."""

    most = MAX_PROGRAM_BODY


class RosterRoute(JsonRoute):
    """The same for bodies that are a roster: plain text, or a table in it."""

    most = MAX_ROSTER_BODY
    told = "the roster as text"

    async def check_body(self, request: Request) -> None:
        await _whole(request)
        _check_kind(request, "text/csv", "text/plain", told=self.told)


class GradebookRoute(RosterRoute):
    """The same for bodies that are a grade export."""

    told = "the grade export as it is"


class _Limited(Request):
    def __init__(self, request: Request, most: int) -> None:
        super().__init__(request.scope, request.receive)
        self._most = most

    async def stream(self) -> AsyncGenerator[bytes, None]:
        declared = self.headers.get("content-length", "0")
        size = int(declared) if declared.isascii() and declared.isdigit() else 0
        if size > self._most:
            raise _too_large(self._most)
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self._most:
                raise _too_large(self._most)
            yield chunk


def _too_large(most: int) -> RequestError:
    return RequestError("body-too-large", 413, "Body too large", f"A body may have at most {most:,} bytes.")


async def _whole(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect:  # what came so far may look whole, and is not
        raise RequestError(
            "body-incomplete", 400, "Body incomplete", "The connection ended before the body did."
        ) from None


def _check_kind(request: Request, *kinds: str, told: str) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        wanted = " or ".join(f"'Content-Type: {each}'" for each in kinds)
        detail = f"Send {told}, with {wanted}; this body came as {kind or 'nothing'!r}."
        raise RequestError("unsupported-media-type", 415, "Unsupported media type", detail)


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
