"""The players of a competition, as its hosts see to them: who is there and who waits, rosters, keys, names."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from server.api import bodies, schemas, views
from server.api.json_route import JsonRoute, RosterRoute
from server.api.params import Cursor, Limit
from server.arena import competitions, players, removals, rosters
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["players"], route_class=JsonRoute)
roster_router = APIRouter(tags=["players"], route_class=RosterRoute)

ROSTER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A name on each line and, if you like, an id of your own after a comma, a semicolon or a tab."
        " UTF-8, or what Windows writes.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": "name,id\nAda Lovelace,1815\n"}},
    }
}


@router.get("/competitions/{competition_id}/players")
async def list_players(
    read: ReadOf,
    competition_id: str,
    cursor: Cursor = None,
    limit: Limit = 1_000,
    joined_since: Annotated[AwareDatetime | None, Query(description="Only who joined from then on.")] = None,
) -> schemas.Items[schemas.Player]:
    """Everyone who joined, in order of joining. Hosts only."""
    view = views.items(views.player, cursor, limit)
    return await read.show(view, players.list_members, competition_id, joined_since)


@roster_router.post("/competitions/{competition_id}/roster", status_code=201, openapi_extra=ROSTER)
async def add_roster(request: Request, write: WriteOf, competition_id: str) -> schemas.Items[schemas.Joined]:
    """Make a player of each line, with a key that is shown this once. All of them or none. Hosts only."""
    text = rosters.decoded(await request.body())
    return await write.show(views.all_joined, rosters.add, competition_id, text)


@roster_router.post("/competitions/{competition_id}/roster:preview", openapi_extra=ROSTER)
async def preview_roster(request: Request, read: ReadOf, competition_id: str) -> schemas.Items[schemas.RosterLine]:
    """Whom a roster would add, or every line that is wrong. Adds nobody. Hosts only."""
    text = rosters.decoded(await request.body())
    return await read.show(views.roster, rosters.preview, competition_id, text)


@router.post("/competitions/{competition_id}:renew-code")
async def renew_join_code(write: WriteOf, competition_id: str) -> schemas.Competition:
    """Another join code. The one of before is dead at once; who has joined stays. Hosts only."""
    return await write.show(views.competition, competitions.renew_code, competition_id)


@router.post("/competitions/{competition_id}/players:admit")
async def admit_players(write: WriteOf, competition_id: str) -> schemas.Items[schemas.Player]:
    """Let everybody in who waits. Hosts only."""
    return await write.show(views.items(views.player, None, 1_000_000), players.admit, competition_id)


@router.post("/competitions/{competition_id}/players:remove")
async def remove_players(write: WriteOf, competition_id: str, body: bodies.RemovalRequest) -> schemas.Removal:
    """Remove all who joined in a time. `GET …/players?joined_since=` tells who that would be. Hosts only."""
    since, until = body.joined_since, body.joined_until
    return await write.show(views.removal, removals.remove_since, competition_id, since, until)


@router.post("/competitions/{competition_id}/players:readmit")
async def readmit_players(write: WriteOf, competition_id: str, body: bodies.UndoRequest) -> schemas.Removal:
    """Take all back who were removed together. Hosts only."""
    return await write.show(views.removal, removals.readmit_all, competition_id, body.removal)


@router.patch("/players/{player_id}")
async def rename_player(write: WriteOf, player_id: str, body: bodies.NameRequest) -> schemas.Player:
    """Call a player otherwise. Hosts only."""
    return await write.show(views.player, players.rename, player_id, body.name)


@router.post("/players/{player_id}:new-key")
async def renew_player_key(write: WriteOf, player_id: str) -> schemas.Joined:
    """A new token for a player, shown this once. Those of before end at once, with their streams. Hosts only."""
    return await write.show(views.joined, players.new_key, player_id)


@router.post("/players/{player_id}:admit")
async def admit_player(write: WriteOf, player_id: str) -> schemas.Player:
    """Let a player in who waits. Hosts only."""
    return await write.show(views.player, players.admit_one, player_id)


@router.post("/players/{player_id}:remove")
async def remove_player(write: WriteOf, player_id: str) -> schemas.Player:
    """Take a player off the competition and its boards; their name is free then. `:readmit` undoes it. Hosts only."""
    return await write.show(views.player, removals.remove, player_id)


@router.post("/players/{player_id}:readmit")
async def readmit_player(write: WriteOf, player_id: str, body: bodies.ReadmitRequest | None = None) -> schemas.Player:
    """Take a removed player back, with all they had. Where their name is taken by now, give another. Hosts only."""
    return await write.show(views.player, removals.readmit, player_id, body.name if body else None)
