"""The host's buttons by which boards stand still for everybody else."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from server.arena import freezing
from server.http.calls import WriteOf
from server.web.rendering import go, own_forms_only

router = APIRouter(
    prefix="/host/competitions/{competition_id}", include_in_schema=False, dependencies=[Depends(own_forms_only)]
)


@router.post("/freeze")
async def freeze(write: WriteOf, competition_id: str) -> Response:
    await write(freezing.freeze, competition_id)
    return go(f"/host/competitions/{competition_id}")


@router.post("/unfreeze")
async def unfreeze(write: WriteOf, competition_id: str) -> Response:
    await write(freezing.thaw, competition_id)
    return go(f"/host/competitions/{competition_id}")
