"""The live feed of a competition: server-sent events, taken up again after the last number seen."""

from collections.abc import Generator, Iterator
from itertools import count
from time import sleep

import httpx
from httpx_sse import EventSource

from xentarena.errors import ArenaError, ServerUnavailable
from xentarena.models import Event
from xentarena.transport import NOT_DONE, PERHAPS_DONE, Transport, pause, refusal

SILENCE = 45.0  # seconds without a byte (the server sends a sign of life more often) after which a stream is dead


def follow(transport: Transport, path: str, after: int) -> Generator[Event]:
    """Events after `after`, for ever. Raises `ApiError` on a refusal, `ServerUnavailable` after `patience` seconds."""
    failures, waited = count(), 0.0
    while True:
        try:
            for event in _stream(transport, path, after):
                failures, waited = count(), 0.0
                after = event.number
                yield event
            reason: ArenaError | None = None
        except httpx.TransportError as error:
            reason = ServerUnavailable(transport.server, transport.patience, str(error) or type(error).__name__)
        except _Busy as busy:
            reason = busy.error
        seconds = pause(next(failures))
        waited += seconds
        if reason is not None and waited > transport.patience:
            raise reason
        sleep(seconds)


class _Busy(Exception):
    def __init__(self, error: ArenaError) -> None:
        self.error = error


def _stream(transport: Transport, path: str, after: int) -> Iterator[Event]:
    headers = transport.headers() | {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    timeout = httpx.Timeout(transport.timeout, read=SILENCE)
    with transport.http.stream("GET", path, headers=headers, timeout=timeout) as response:
        if not response.is_success:
            response.read()
            error = refusal(response)
            raise _Busy(error) if response.status_code in NOT_DONE | PERHAPS_DONE else error
        yield from parse(response)


def parse(response: httpx.Response) -> Iterator[Event]:
    """The events in a stream. Their `data` is JSON, an Event; one cut off in the middle is dropped."""
    for sent in EventSource(response).iter_sse():
        if sent.data:  # not the pause that a server asks for
            yield Event.model_validate_json(sent.data)
