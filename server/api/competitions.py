"""Competitions: make, join, look, follow."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.sse import format_sse_event

from server.api import bodies, schemas, views
from server.api.boards import KNOWN, board
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import competitions, feed, leaderboards
from server.arena.unit import Unit
from server.db.models import FeedEvent
from server.db.states import PlayerKind
from server.errors import invalid
from server.http.calls import JoinOf, ReadOf, WriteOf
from server.http.following import reader, stream
from server.http.live import until

router = APIRouter(tags=["competitions"], route_class=JsonRoute)


@router.post("/competitions", status_code=201)
async def create_competition(
    write: WriteOf, body: bodies.CompetitionRequest, response: Response
) -> schemas.Competition:
    """Make a competition. Hosts only."""
    made = await write.show(
        views.competition, competitions.create, body.name, body.bots, body.free_measurements, body.total, body.draft
    )
    response.headers["Location"] = f"/api/v1/competitions/{made.id}"
    return made


@router.get("/competitions")
async def list_competitions(
    read: ReadOf, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.Competition]:
    """A host's competitions, newest first; a player's own one."""
    return await read.show(views.items(views.competition, cursor, limit), competitions.visible)


@router.post("/competitions:join", status_code=201)
async def join_competition(join: JoinOf, body: bodies.JoinRequest) -> schemas.Joined:
    """Become a player of the competition with this code. Needs no token, gives one. Few wrong codes are taken from one
    address (429, limit `codes`), and a competition takes in 300 at once, then five a second (429, limit `joins`)."""
    return await join(views.joined, body.code, body.name, body.kind)


@router.get("/competitions/{competition_id}")
async def get_competition(read: ReadOf, competition_id: str) -> schemas.Competition:
    """A competition: its name, its code for hosts, how its rounds add up."""
    return await read.show(views.competition, competitions.see, competition_id)


@router.patch("/competitions/{competition_id}")
async def change_competition(
    write: WriteOf, competition_id: str, body: bodies.CompetitionChange
) -> schemas.Competition:
    """Let the board over all rounds add up something else, let others join than before, open or close the lab or
    single experiments of it. Hosts only."""
    return await write.show(
        views.competition,
        competitions.change,
        competition_id,
        total=body.total,
        joining=body.joining,
        lab_open=body.lab,
        closed=body.closed_experiments,
    )


@router.get(
    "/competitions/{competition_id}/leaderboard", response_model=schemas.Items[schemas.BoardEntry], responses=KNOWN
)
async def get_competition_leaderboard(
    request: Request,
    read: ReadOf,
    competition_id: str,
    kind: PlayerKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 1_000,
) -> Response:
    """What everyone's best adds up to, as the competition's `total` says, over all rounds but those of zero-sum games,
    which have ratings instead."""
    return await board(request, read, leaderboards.see_competition, competition_id, kind, cursor, limit)


@router.get(
    "/competitions/{competition_id}/events",
    response_model=schemas.Events,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def list_events(
    read: ReadOf,
    competition_id: Annotated[str, Path()],
    after: Annotated[int | None, Query(ge=0, description="Give JSON: everything after this number.")] = None,
    wait: Annotated[float, Query(ge=0, le=60, description="With `after`: hold the answer until there is one.")] = 0,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)] = None,
) -> Response | schemas.Events:
    """What happens in a competition: a stream of server-sent events, or a page of JSON with `after`.

    A stream starts with what comes after `Last-Event-ID`; without it, with what is new. Who is more than 4,096 events
    behind gets a `reset`, and then what is new: look at the state again, or read pages. One participant may have 12
    streams open (429, limit `streams`).
    """
    who = await read(reader, competition_id)
    # Nobody can have seen what is not there yet: a number beyond the newest means the newest.
    seen = _number(last_event_id) if after is None else after
    start = who.newest if seen is None else min(seen, who.newest)
    if after is not None:
        look = partial(read, _page, competition_id, start)
        return await until(read.context.live, competition_id, look, lambda got: bool(got.items), wait)
    return stream(read, who, start)


def _page(unit: Unit, competition_id: str, start: int) -> schemas.Events:
    items = [views.event(row) for row in feed.after(unit.session, competition_id, start)]
    return schemas.Events(items=items, last=items[-1].number if items else start)


def server_sent(row: FeedEvent) -> bytes:
    """A feed event as it goes through a stream."""
    data = views.event(row).model_dump_json()
    return format_sse_event(id=str(row.number), event=row.type, data_str=data)


def _number(last_event_id: str | None) -> int | None:
    if last_event_id is None:
        return None
    if not last_event_id.isascii() or not last_event_id.isdigit():
        raise invalid("(header)/Last-Event-ID", "Last-Event-ID is the number of the last event that was seen.")
    return int(last_event_id)
