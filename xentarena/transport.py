"""JSON over HTTP, with patience: a server that is away or asks to be left alone for a moment is asked again."""

import random
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from xentarena.errors import ApiError, ArenaError, NoArena, ServerUnavailable
from xentarena.models import Problem

#: Refused before anything was done: safe to send again, whatever it is.
NOT_DONE = frozenset({429, 503})
#: Something in between gave up: what it asked for may have been done.
PERHAPS_DONE = frozenset({502, 504})
LONGEST_PAUSE = 5.0
EXCERPT = 80  # characters of a strange answer that are told

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. repeatable: sending it twice does no more than sending it once. wait: seconds it may be held.
    body: sent as JSON; bytes as a table of text."""

    method: str
    path: str
    params: Mapping[str, str | int | float] | None = None
    body: Mapping[str, Any] | bytes | None = None
    key: str | None = None
    repeatable: bool = True
    wait: float = 0


class Transport:
    """Sends calls to one server under one token. patience: seconds of trying again before giving up."""

    def __init__(self, server: str, token: str | None, *, timeout: float, patience: float) -> None:
        self.server = _address(server)
        self.token = token
        self.timeout = timeout
        self.patience = patience
        plain = httpx.URL(self.server).scheme == "http"
        # To read all root certificates takes 40 ms; without TLS, and without following redirects, they serve nobody.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True
        self.http = httpx.Client(base_url=f"{self.server}/api/v1", timeout=timeout, verify=verify)
        self._met = False  # has it ever answered? A first call that reaches nobody is no reason to wait

    def send(self, call: Call, shape: type[Shape]) -> Shape:
        """The answer. Raises `ApiError` for a refusal, `ServerUnavailable` where nothing answers, `NoArena` where
        something else does."""
        answer = self._send(call)
        try:
            return shape.model_validate(answer)
        except ValidationError as error:
            where = f"{error.errors()[0]['msg']} at {error.errors()[0]['loc']}"
            raise NoArena(
                f"{self.server} is another kind of server, or much newer than this client: {where}."
            ) from error

    def save(self, path: str, file: Path) -> None:
        """Write what stands at `path` to a file, which is there only once it is whole. Raises what `send` raises."""
        part = file.with_name(f"{file.name}.part")
        try:
            with self.http.stream("GET", path, headers=self.headers()) as response, part.open("wb") as target:
                if not response.is_success:
                    response.read()
                    raise self._moved(response) if response.is_redirect else refusal(response)
                for piece in response.iter_bytes():
                    target.write(piece)
            part.replace(file)
        except httpx.TransportError as error:
            raise ServerUnavailable(self.server, 0, str(error) or type(error).__name__) from error
        finally:
            part.unlink(missing_ok=True)

    def _send(self, call: Call) -> Any:
        deadline = None
        for attempt in count():
            outcome = self._try(call, attempt)
            if not isinstance(outcome, _Again):
                return outcome
            deadline = deadline or monotonic() + self.patience
            if monotonic() + outcome.pause > deadline:
                raise outcome.error
            sleep(outcome.pause)
        raise AssertionError("count() never ends")

    def headers(self, key: str | None = None) -> dict[str, str]:
        headers = {} if key is None else {"Idempotency-Key": key}
        return headers if self.token is None else headers | {"Authorization": f"Bearer {self.token}"}

    def _try(self, call: Call, attempt: int) -> Any:
        table = call.body if isinstance(call.body, bytes) else None
        try:
            response = self.http.request(
                call.method,
                call.path,
                params=call.params,
                json=call.body if table is None else None,
                content=table,
                headers=self.headers(call.key) | ({} if table is None else {"Content-Type": "text/csv"}),
                timeout=httpx.Timeout(self.timeout, read=self.timeout + call.wait),
            )
        except httpx.TransportError as error:
            nobody = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            seconds = 0 if nobody and not self._met else self.patience
            away = ServerUnavailable(self.server, seconds, str(error) or type(error).__name__)
            if seconds and (call.repeatable or nobody):
                return _Again(pause(attempt), away)
            raise away from error
        self._met = True
        if response.is_success:
            return self._decoded(response)
        if response.is_redirect:
            raise self._moved(response)
        if response.status_code in NOT_DONE or (call.repeatable and response.status_code in PERHAPS_DONE):
            return _Again(_asked_pause(response) or pause(attempt), refusal(response))
        raise refusal(response)

    def _decoded(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            said = " ".join(re.sub(r"<[^>]*>", " ", response.text).split())[:EXCERPT]
            raise NoArena(
                f"{self.server} answers with a page ({said!r}) and not as a Xent Arena. Look at the address; a network"
                " that wants you to sign in first answers so too."
            ) from None

    def _moved(self, response: httpx.Response) -> NoArena:
        target = str(response.url.join(response.headers.get("Location", "")))
        base = target.partition("/api/v1")[0].rstrip("/")
        return NoArena(f"{self.server} sends everybody on to {base}: give that address instead.")


@dataclass(frozen=True, slots=True)
class _Again:
    pause: float
    error: ArenaError


def refusal(response: httpx.Response) -> ApiError:
    """The problem that an answer tells of; something in between may have answered without one. Needs the body read."""
    try:
        return ApiError.of(Problem.model_validate_json(response.content))
    except ValidationError:
        detail = response.text.strip()[:200] or response.reason_phrase or "no reason given"
        return ApiError("http-error", response.status_code, detail)


def pause(attempt: int) -> float:
    """Seconds before the next try: longer each time, and never in step with other clients."""
    longest: float = min(LONGEST_PAUSE, 0.2 * 2 ** min(attempt, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311


def _asked_pause(response: httpx.Response) -> float | None:
    text: str = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _address(server: str) -> str:
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL as error:
        raise ArenaError(f"{server!r} is not an address: {error}.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ArenaError(f"{server!r} is not an address; one looks like http://127.0.0.1:8000.")
    return server.rstrip("/")
