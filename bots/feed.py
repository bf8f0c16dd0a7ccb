"""The live feed of a competition: server-sent events, taken up again after the last number seen."""

from collections.abc import Generator, Iterable, Iterator
from itertools import count

import httpx

from bots.errors import BotError, ServerAway
from bots.transport import NOT_DONE, PERHAPS_DONE, Transport, pause, refusal
from bots.wire import Event

SILENCE = 45.0  # seconds without a byte (the server sends a sign of life more often) after which a stream is dead


def follow(transport: Transport, path: str, after: int) -> Generator[Event]:
    """Events after `after`, for ever. Raises `ApiError` on a refusal, `ServerAway` when patience is at its end."""
    failures, waited = count(), 0.0
    while True:
        try:
            for event in _stream(transport, path, after):
                failures, waited = count(), 0.0
                after = event.number
                yield event
            reason: BotError | None = None
        except httpx.TransportError as error:
            reason = ServerAway(transport.server, transport.patience, str(error) or type(error).__name__)
        except _Busy as busy:
            reason = busy.error
        seconds = pause(next(failures))
        waited += seconds
        if reason is not None and waited > transport.patience:
            raise reason
        transport.sleep(seconds)


class _Busy(Exception):
    def __init__(self, error: BotError) -> None:
        self.error = error


def _stream(transport: Transport, path: str, after: int) -> Iterator[Event]:
    headers = transport.headers() | {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    timeout = httpx.Timeout(transport.timeout, read=SILENCE)
    with transport.http.stream("GET", path, headers=headers, timeout=timeout) as response:
        if not response.is_success:
            response.read()
            error = refusal(response)
            raise _Busy(error) if response.status_code in NOT_DONE | PERHAPS_DONE else error
        yield from parse(response.iter_bytes())


def parse(chunks: Iterable[bytes]) -> Iterator[Event]:
    """The events in a stream. Their `data` is JSON, an Event; one cut off in the middle is dropped."""
    data: list[bytes] = []
    for line in _lines(chunks):
        if line:
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
        elif data:
            yield Event.model_validate_json(b"\n".join(data))
            data = []


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Complete lines. Not `iter_lines`: that also splits at characters that a player's name may hold."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)
