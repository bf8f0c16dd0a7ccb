"""The caller."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from server.api import schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import players, submissions
from server.arena.unit import Unit
from server.http.calls import ReadOf, WaitOf, WriteOf
from server.http.live import until

router = APIRouter(tags=["me"], route_class=JsonRoute)
Held = Annotated[
    float,
    Query(ge=0, le=60, description="Hold the answer while the player waits to be let in, so many seconds at most."),
]


@router.get("/me", summary="Whose token this is")
async def get_me(read: WaitOf, wait: Held = 0) -> schemas.Me:
    """Whose token this is, and what it is good for."""

    async def look() -> schemas.Me:
        return await read.show(views.me, players.own)

    shown = await look()
    if not (wait and _waits(shown)):
        return shown
    return await until(read.context.live, await read(_token), look, lambda now: not _waits(now), wait)


def _waits(shown: schemas.Me) -> bool:
    return shown.player is not None and shown.player.pending


def _token(unit: Unit) -> str:
    return unit.caller.token


@router.get("/me/submissions")
async def list_my_submissions(
    read: ReadOf, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[schemas.Submission]:
    """All of the caller's submissions, newest first."""
    return await read.show(views.page, submissions.mine, cursor, limit)


@router.delete("/me/token", status_code=204)
async def revoke_my_token(write: WriteOf) -> Response:
    """End this token. Open event streams that it opened end too."""
    await write(players.revoke)
    return Response(status_code=204)
