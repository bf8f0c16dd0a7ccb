"""What a host tells everyone in a competition."""

from fastapi import APIRouter

from server.api import bodies, schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import announcements
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["competitions"], route_class=JsonRoute)


@router.post("/competitions/{competition_id}/announcements", status_code=201)
async def create_announcement(
    write: WriteOf, competition_id: str, body: bodies.AnnouncementRequest
) -> schemas.Announcement:
    """Tell a line to everyone in a competition: it is on players' pages and on the wall. Hosts only."""
    return await write.show(views.announcement, announcements.make, competition_id, body.text)


@router.get("/competitions/{competition_id}/announcements")
async def list_announcements(
    read: ReadOf, competition_id: str, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.Announcement]:
    """What the host has told everyone and not withdrawn, newest first."""
    return await read.show(views.items(views.announcement, cursor, limit), announcements.standing, competition_id)


@router.post("/announcements/{announcement_id}:withdraw")
async def withdraw_announcement(write: WriteOf, announcement_id: str) -> schemas.Announcement:
    """Take an announcement back: nobody is shown it any more. Hosts only."""
    return await write.show(views.announcement, announcements.withdraw, announcement_id)
