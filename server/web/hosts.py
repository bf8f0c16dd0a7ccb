"""The pages of who else runs competitions: the owner's of the whole server, and those of one competition."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from server.arena import competitions, hosts
from server.arena.hosts import Issued
from server.arena.unit import Unit
from server.db.states import Scope
from server.errors import RequestError, invalid
from server.http.calls import ReadOf, WriteOf
from server.http.public_address import base_url
from server.web import view_models
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@dataclass(frozen=True, slots=True)
class Place:
    """Which of the pages it is. competition: None for the server's."""

    base: str
    competition: str | None

    @property
    def address(self) -> str:
        return f"/host/competitions/{self.competition}/hosts" if self.competition else "/host/hosts"


async def _place(request: Request) -> Place:
    return Place(base_url(request), request.path_params.get("competition_id"))


PlaceOf = Annotated[Place, Depends(_place)]


@router.get("/hosts")
@router.get("/competitions/{competition_id}/hosts")
async def everyone(read: ReadOf, place: PlaceOf) -> Response:
    return await read(_page, place)


@router.post("/hosts")
@router.post("/competitions/{competition_id}/hosts")
async def let_in(read: ReadOf, write: WriteOf, place: PlaceOf, form: FormOf) -> Response:
    name = form.get("name", "")
    try:
        issued = await write(_let_in, place.competition, name, form.get("scope", ""))
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await read(_page, place, name=name, refused=refused)
    return await read(_page, place, issued=issued)


def _let_in(unit: Unit, competition: str | None, name: str, scope: str) -> Issued:
    if competition is None:
        return hosts.add(unit, name)
    if scope not in (Scope.HOST, Scope.OBSERVER):
        raise invalid("/scope", "Say whether it is a co-host or an observer.")
    return hosts.invite(unit, competition, name, Scope(scope))


@router.post("/hosts/{host_id}/{action}")
@router.post("/competitions/{competition_id}/hosts/{host_id}/{action}")
async def change(
    read: ReadOf, write: WriteOf, place: PlaceOf, host_id: str, action: Literal["renew", "dismiss"]
) -> Response:
    if action == "renew":
        return await read(_page, place, issued=await write(hosts.renew, host_id))
    await write(hosts.dismiss, host_id)
    return go(place.address)


def _page(
    unit: Unit, place: Place, *, issued: Issued | None = None, name: str = "", refused: RequestError | None = None
) -> Response:
    competition_id = place.competition
    return page(
        "hosts.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        competition=competitions.find(unit.session, competition_id) if competition_id else None,
        hosts=hosts.of_competition(unit, competition_id) if competition_id else hosts.everyone(unit),
        may_change=unit.caller.owner or (competition_id is not None and unit.caller.hosts(competition_id)),
        here=place.address,
        base=place.base,
        issued=issued,
        name=name,
        error=told(refused) if refused else None,
    )
