"""Players deleted for good."""

from fastapi import APIRouter, Response

from server.api import bodies
from server.api.json_route import JsonRoute
from server.arena import deletion
from server.http.calls import WriteOf

router = APIRouter(tags=["competitions"], route_class=JsonRoute)


@router.delete("/players/{player_id}", status_code=204)
async def delete_player(write: WriteOf, player_id: str, body: bodies.DeletionRequest) -> Response:
    """Delete a player for good, with all they wrote, from every table. Nothing undoes it. Hosts only.

    Who played with them keeps their own score. The feed keeps its numbers: what told of the player becomes
    `player.deleted`.
    """
    await write(deletion.delete_player, player_id, body.name)
    await write.context.scrub()
    return Response(status_code=204)
