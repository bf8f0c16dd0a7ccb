"""JSON over HTTP, with patience: a server that is away or asks to be left alone for a moment is asked again."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from time import monotonic, sleep
from typing import Any

import httpx
from pydantic import ValidationError

from xentarena.errors import ApiError, ArenaError, ServerUnavailable
from xentarena.models import Problem

#: Refused before anything was done: safe to send again, whatever it is.
NOT_DONE = frozenset({429, 503})
#: Something in between gave up: what it asked for may have been done.
PERHAPS_DONE = frozenset({502, 504})
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request. repeatable: sending it twice does no more than sending it once. wait: seconds it may be held."""

    method: str
    path: str
    params: Mapping[str, str | int | float] | None = None
    body: Mapping[str, Any] | None = None
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
        self.http = httpx.Client(base_url=f"{self.server}/api/v1", timeout=timeout)

    def send(self, call: Call) -> Any:
        """The decoded answer. Raises `ApiError` for a refusal, `ServerUnavailable` where nothing answers."""
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
        try:
            response = self.http.request(
                call.method,
                call.path,
                params=call.params,
                json=call.body,
                headers=self.headers(call.key),
                timeout=httpx.Timeout(self.timeout, read=self.timeout + call.wait),
            )
        except httpx.TransportError as error:
            away = ServerUnavailable(self.server, self.patience, str(error) or type(error).__name__)
            if call.repeatable or isinstance(error, httpx.ConnectError):
                return _Again(pause(attempt), away)
            raise away from error
        if response.is_success:
            return response.json()
        if response.status_code in NOT_DONE or (call.repeatable and response.status_code in PERHAPS_DONE):
            return _Again(_asked_pause(response) or pause(attempt), refusal(response))
        raise refusal(response)


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
