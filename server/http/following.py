"""Following a competition: the stream of its events, for whoever may see it."""

from collections.abc import AsyncIterator
from functools import partial

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from server.arena import competitions
from server.arena.unit import Unit
from server.errors import RequestError
from server.http.calls import Read
from server.metrics import STREAMS

RETRY_MS = 1000  # before a client that was cut off connects again
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def reader(unit: Unit, competition_id: str) -> tuple[str, int]:
    """The caller's token and the number of the newest event, for one who belongs to the competition."""
    return unit.caller.token, competitions.see(unit, competition_id).last_event


async def stream(read: Read, competition_id: str, token: str, start: int) -> AsyncIterator[bytes]:
    """What comes after an event, as it goes over the wire, until the token is no longer good."""
    with STREAMS.track_inprogress():
        yield format_sse_event(comment="xentarena", retry=RETRY_MS)
        async for data in read.context.feeds.follow(competition_id, token, start, partial(_may, read, competition_id)):
            yield data or KEEPALIVE_COMMENT


async def _may(read: Read, competition_id: str) -> bool:
    """May the stream go on? Its token may have been revoked, or its player removed."""
    try:
        await read(reader, competition_id)
    except RequestError:
        return False
    return True
