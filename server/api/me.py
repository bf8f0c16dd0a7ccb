"""The caller."""

from fastapi import APIRouter, Response

from server.api import schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import players, submissions
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["me"], route_class=JsonRoute)


@router.get("/me")
async def me(read: ReadOf) -> schemas.Me:
    """Whose token this is, and what it is good for."""
    return await read.show(views.me, players.own)


@router.get("/me/submissions")
async def mine(read: ReadOf, cursor: Cursor = None, limit: Limit = 100) -> schemas.Items[schemas.Submission]:
    """All of the caller's submissions, newest first."""
    return await read.show(views.page, submissions.mine, cursor, limit)


@router.delete("/me/token", status_code=204)
async def revoke(write: WriteOf) -> Response:
    """End this token. Open event streams that it opened end too."""
    await write(players.revoke)
    return Response(status_code=204)
