"""How long participants' data are kept after the end of a competition."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from server.api import bodies
from server.api.json_route import JsonRoute
from server.arena import retention
from server.arena.retention import Kept
from server.arena.unit import Unit
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["competitions"], route_class=JsonRoute)


class ServerRetention(BaseModel):
    """How long the players of competitions are kept of which no host says otherwise."""

    days: int | None = Field(description="After the end; null: for good.", examples=[90])


class Retention(ServerRetention):
    """How long the players of a competition are kept, and all that is theirs."""

    as_server: bool = Field(description="Is that what the server's owner has chosen for all?")
    due_at: datetime | None = Field(
        description="When they are deleted; null before the competition has ended, and where they are kept for good."
    )


@router.get("/competitions/{competition_id}/retention")
async def get_competition_retention(read: ReadOf, competition_id: str) -> Retention:
    """How long the players of this competition are kept, and when they are deleted. Hosts and observers only."""
    return await read.show(_kept, retention.see, competition_id)


@router.put("/competitions/{competition_id}/retention")
async def set_competition_retention(write: WriteOf, competition_id: str, body: bodies.RetentionRequest) -> Retention:
    """Have the players deleted for good so many days after the competition's end, with all that is theirs; a day after
    this at the earliest. May be changed and switched off until then. Hosts only."""
    return await write.show(_kept, retention.choose, competition_id, body.days, body.as_server)


@router.get("/retention")
async def get_server_retention(read: ReadOf) -> ServerRetention:
    """What holds for all competitions of which no host says otherwise. The server's owner only."""
    return await read.show(_of_server, retention.see_server)


@router.put("/retention")
async def set_server_retention(write: WriteOf, body: bodies.ServerRetentionRequest) -> ServerRetention:
    """Change it. The server's owner only."""
    return await write.show(_of_server, retention.choose_server, body.days)


def _kept(_: Unit, kept: Kept) -> Retention:
    return Retention(days=kept.days, as_server=kept.as_server, due_at=kept.due_at)


def _of_server(_: Unit, days: int | None) -> ServerRetention:
    return ServerRetention(days=days)
