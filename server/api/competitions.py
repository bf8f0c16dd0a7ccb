"""Competitions: make, join, look, follow."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.api import schemas, views
from server.api.boards import board_page
from server.api.params import Cursor, Limit
from server.arena import audit, competitions, feed, leaderboards, players
from server.arena.outbox import Outbox
from server.db.models import Competition, FeedEvent, PlayerKind
from server.errors import RequestError, invalid
from server.http.live import until
from server.http.requests import ArenaOf, TokenOf
from server.metrics import STREAMS

router = APIRouter(tags=["competitions"])


@router.post("/competitions", status_code=201)
async def create(
    arena: ArenaOf, token: TokenOf, body: schemas.CompetitionRequest, response: Response
) -> schemas.Competition:
    """Make a competition. Hosts only."""

    def work(session: Session, outbox: Outbox) -> schemas.Competition:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        row = competitions.create(session, caller, body.name, body.bots, body.free_measurements)
        return views.competition(caller, row)

    made = await arena.write(work)
    response.headers["Location"] = f"/api/v1/competitions/{made.id}"
    return made


@router.get("/competitions")
async def everyone(arena: ArenaOf, token: TokenOf) -> schemas.Items[schemas.Competition]:
    """A host's competitions, newest first; a player's own one."""

    def work(session: Session) -> schemas.Items[schemas.Competition]:
        caller = players.authenticate(session, token)
        query = select(Competition).order_by(Competition.created_at.desc())
        if not caller.is_host:
            query = query.where(Competition.id == caller.competition)
        return schemas.Items(items=[views.competition(caller, row) for row in session.scalars(query)])

    return await arena.read(work)


@router.post("/competitions:join", status_code=201)
async def join(arena: ArenaOf, body: schemas.JoinRequest) -> schemas.Joined:
    """Become a player of the competition with this code. Needs no token, gives one."""

    def work(session: Session, outbox: Outbox) -> schemas.Joined:
        joined = players.join(session, body.code, body.name, body.kind)
        outbox.competitions.add(joined.player.competition_id)
        return schemas.Joined(token=joined.token, player=views.player(joined.player))

    return await arena.write(work)


@router.get("/competitions/{competition_id}")
async def one(arena: ArenaOf, token: TokenOf, competition_id: str) -> schemas.Competition:
    def work(session: Session) -> schemas.Competition:
        caller = players.authenticate(session, token)
        row = competitions.find(session, competition_id)
        players.require_member(caller, row.id)
        return views.competition(caller, row)

    return await arena.read(work)


@router.get("/competitions/{competition_id}/players")
async def members(arena: ArenaOf, token: TokenOf, competition_id: str) -> schemas.Items[schemas.Player]:
    """Everyone who joined, in order of joining. Hosts only."""

    def work(session: Session) -> schemas.Items[schemas.Player]:
        players.require_host(players.authenticate(session, token))
        competitions.find(session, competition_id)
        return schemas.Items(items=[views.player(row) for row in players.members(session, competition_id)])

    return await arena.read(work)


@router.post("/players/{player_id}:remove")
async def remove(arena: ArenaOf, token: TokenOf, player_id: str) -> schemas.Player:
    """Take a player off the competition and its boards. `:readmit` undoes it."""
    return await _set_removed(arena, token, player_id, removed=True)


@router.post("/players/{player_id}:readmit")
async def readmit(arena: ArenaOf, token: TokenOf, player_id: str) -> schemas.Player:
    """Take a removed player back, with all they had."""
    return await _set_removed(arena, token, player_id, removed=False)


async def _set_removed(arena: ArenaOf, token: str | None, player_id: str, *, removed: bool) -> schemas.Player:
    def work(session: Session, outbox: Outbox) -> schemas.Player:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        row = players.set_removed(session, player_id, removed)
        audit.audit(session, caller, "player.remove" if removed else "player.readmit", player_id)
        outbox.competitions.add(row.competition_id)
        outbox.tokens |= set(players.tokens_of(session, player_id))
        return views.player(row)

    return await arena.write(work)


@router.get("/competitions/{competition_id}/leaderboard", response_model=schemas.Items[schemas.BoardEntry])
async def leaderboard(
    request: Request,
    arena: ArenaOf,
    token: TokenOf,
    competition_id: str,
    kind: PlayerKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 1_000,
) -> Response:
    """The sum of everyone's best over all rounds."""

    def work(session: Session) -> list[leaderboards.Entry]:
        caller = players.authenticate(session, token)
        row = competitions.find(session, competition_id)
        players.require_member(caller, row.id)
        return leaderboards.of_competition(session, row, leaderboards.kinds(row, kind))

    return board_page(request, await arena.read(work), cursor, limit)


@router.get(
    "/competitions/{competition_id}/events",
    response_model=schemas.Events,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(
    request: Request,
    arena: ArenaOf,
    token: TokenOf,
    competition_id: Annotated[str, Path()],
    after: Annotated[int | None, Query(ge=0, description="Give JSON: everything after this number.")] = None,
    wait: Annotated[float, Query(ge=0, le=60, description="With `after`: hold the answer until there is one.")] = 0,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)] = None,
) -> Response | schemas.Events:
    """What happens in a competition: a stream of server-sent events, or a page of JSON with `after`.

    A stream starts with what comes after `Last-Event-ID` (0: everything); without it, with what is new.
    """

    def look(session: Session) -> tuple[players.Caller, int]:
        caller = players.authenticate(session, token)
        row = competitions.find(session, competition_id)
        players.require_member(caller, row.id)
        return caller, row.last_event

    caller, newest = await arena.read(look)
    # Nobody can have seen what is not there yet: a number beyond the newest means the newest.
    asked = _number(last_event_id) if after is None else after
    start = newest if asked is None else min(asked, newest)

    def page(session: Session) -> schemas.Events:
        items = [views.event(row) for row in feed.after(session, competition_id, start)]
        return schemas.Events(items=items, last=items[-1].number if items else start)

    if after is not None:
        return await until(arena.live, competition_id, lambda: arena.read(page), lambda got: bool(got.items), wait)

    async def still_good() -> bool:
        try:
            await arena.read(look)
        except RequestError:
            return False
        return True

    async def stream() -> AsyncIterator[bytes]:
        with STREAMS.track_inprogress():
            yield b": xentarena\nretry: 1000\n\n"
            async for data in arena.feeds.follow(competition_id, caller.token, start, still_good):
                yield data or b": still here\n\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


def server_sent(row: FeedEvent) -> bytes:
    """A feed event as it goes through a stream."""
    data = views.event(row).model_dump_json()
    return f"id: {row.number}\nevent: {row.type}\ndata: {data}\n\n".encode()


def _number(last_event_id: str | None) -> int | None:
    if last_event_id is None:
        return None
    if not last_event_id.isascii() or not last_event_id.isdigit():
        raise invalid("(header)/Last-Event-ID", "Last-Event-ID is the number of the last event that was seen.")
    return int(last_event_id)
