"""The page by which a host deletes a player for good."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from server.arena import deletion
from server.arena.unit import Unit
from server.errors import RequestError
from server.http.calls import ReadOf, WriteOf
from server.web import view_models
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("/players/{player_id}/delete")
async def ask(read: ReadOf, player_id: str) -> Response:
    return await read(_ask, player_id)


def _ask(unit: Unit, player_id: str, refused: RequestError | None = None) -> Response:
    return page(
        "delete-player.html",
        refused.status if refused else 200,
        player=deletion.see(unit, player_id),
        viewer=view_models.viewer(unit),
        error=told(refused) if refused else None,
    )


@router.post("/players/{player_id}/delete")
async def delete(read: ReadOf, write: WriteOf, player_id: str, form: FormOf) -> Response:
    try:
        competition = await write(deletion.delete_player, player_id, form.get("name", ""))
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await read(_ask, player_id, refused)
    await write.context.scrub()
    return go(f"/host/competitions/{competition}")
