"""Boards that stand still for everybody but hosts and observers."""

from fastapi import APIRouter

from server.api import schemas, views
from server.api.json_route import JsonRoute
from server.arena import freezing
from server.http.calls import WriteOf

router = APIRouter(tags=["competitions"], route_class=JsonRoute)


@router.post("/competitions/{competition_id}:freeze")
async def freeze_boards(write: WriteOf, competition_id: str) -> schemas.Competition:
    """Show everybody but hosts and observers boards, ratings and places as they are now, and withhold events that tell
    of scores. `:unfreeze` undoes it. Hosts only."""
    return await write.show(views.competition, freezing.freeze, competition_id)


@router.post("/competitions/{competition_id}:unfreeze")
async def unfreeze_boards(write: WriteOf, competition_id: str) -> schemas.Competition:
    """Show everybody the boards as they are, and add what was withheld to the feed. Hosts only."""
    return await write.show(views.competition, freezing.thaw, competition_id)
