"""The page of judges and workers: who measures, and what was announced that nobody understood."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from server.arena import judges, missing_judges
from server.arena.unit import Unit
from server.http.calls import ReadOf
from server.web import view_models
from server.web.rendering import own_forms_only, page

router = APIRouter(prefix="/host/judges", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("")
async def everyone(read: ReadOf) -> Response:
    await read.context.look_for_workers()
    return await read(_page)


def _page(unit: Unit) -> Response:
    workforce = judges.workers(unit)
    return page(
        "judges.html",
        viewer=view_models.viewer(unit),
        judges=judges.visible(unit),
        workforce=workforce,
        missing=missing_judges.of_server(unit),
        workers=sorted(workforce.workers, key=lambda worker: worker.id),
    )
