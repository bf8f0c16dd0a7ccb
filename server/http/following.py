"""Following a competition: the stream of its events, for whoever may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.responses import Response

from server.arena import competitions
from server.arena.unit import Unit
from server.db.models import Competition
from server.errors import RequestError
from server.http.calls import Read
from server.metrics import STREAMS

RETRY_MS = 1000  # before a client that was cut off connects again
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows a competition. newest: the number of its newest event. participant: streams are counted by it."""

    competition: str
    token: str
    participant: str
    newest: int


def follower(unit: Unit, competition: Competition) -> Follower:
    caller = unit.caller
    return Follower(competition.id, caller.token, caller.player or caller.token, competition.last_event)


def reader(unit: Unit, competition_id: str) -> Follower:
    """The caller, where they belong to the competition."""
    return follower(unit, competitions.see(unit, competition_id))


def stream(read: Read, who: Follower, start: int) -> Response:
    """What comes after an event, until the token is no longer good.

    Raises `RequestError` (429) where the participant has too many streams open.
    """
    read.context.feeds.require_place(who.participant)
    return EventSourceResponse(_sent(read, who, start), headers=HEADERS)


async def _sent(read: Read, who: Follower, start: int) -> AsyncIterator[bytes]:
    feeds = read.context.feeds
    with feeds.place(who.participant) as free, STREAMS.track_inprogress():
        if not free:
            return  # others came in between
        yield format_sse_event(comment="xentarena", retry=RETRY_MS)
        still_good = partial(_may, read, who.competition)
        async for data in feeds.follow(who.competition, who.token, start, who.newest, still_good):
            yield data or KEEPALIVE_COMMENT


async def _may(read: Read, competition_id: str) -> bool:
    """May the stream go on? Its token may have been revoked, or its player removed."""
    try:
        await read(reader, competition_id)
    except RequestError:
        return False
    return True
