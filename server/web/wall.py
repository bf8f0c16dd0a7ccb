"""The wall: the page that a host projects for a class, opened and ended from the host's page of a competition.

It looks with a token of its own in a cookie of its own address, so that nobody's sign-in is on it. Whoever has no such
cookie is told that there is nothing at the address, whatever code it has.
"""

import ipaddress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from server.addresses import Address
from server.arena import walls
from server.arena.unit import Unit
from server.http.calls import Read, WriteOf, known
from server.http.following import Follower, follower, stream
from server.http.public_address import base_url, is_secure
from server.http.requests import ContextOf
from server.settings import Settings
from server.web import announcements, wall_scenes
from server.web.board import Boards
from server.web.rendering import FormOf, go, own_forms_only, page

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])

COOKIE = "xentarena_wall"
NAMES = "xentarena_wall_names"  # the cookie that says "hidden" where a wall shows no names


async def _wall(request: Request, context: ContextOf) -> Read:
    return Read(context, request.cookies.get(COOKIE), known)


WallOf = Annotated[Read, Depends(_wall)]


def _path(code: str) -> str:
    return f"/show/{code}"


@router.post("/host/competitions/{competition_id}/wall")
async def open_wall(request: Request, write: WriteOf, competition_id: str) -> Response:
    """A new wall in this browser."""
    made = await write(walls.open_wall, competition_id)
    response = go(_path(made.competition.code))
    _keep(request, response, made.competition.code, COOKIE, made.token)
    return response


def _keep(request: Request, response: Response, code: str, name: str, value: str) -> None:
    """A cookie for this wall's pages only, as long as the browser is open."""
    response.set_cookie(name, value, path=_path(code), httponly=True, samesite="lax", secure=is_secure(request))


@router.post("/host/competitions/{competition_id}/wall/end")
async def end_walls(write: WriteOf, competition_id: str) -> Response:
    await write(walls.end_walls, competition_id)
    return go(f"/host/competitions/{competition_id}")


@router.get("/show/{code}")
async def wall(request: Request, read: WallOf, code: str) -> Response:
    return await read(_page, "wall.html", request, code)


@router.get("/show/{code}/scene")
async def scene(request: Request, read: WallOf, code: str) -> Response:
    return await read(_page, "parts/wall-scene.html", request, code)


def _page(unit: Unit, template: str, request: Request, code: str) -> Response:
    anonymous, boards = _asked(request)
    shown = wall_scenes.scene(unit, code, anonymous, boards)
    base, reached = for_players(request, unit.settings)
    announced = announcements.newest(unit, shown.competition.id)
    return page(
        template, wall=shown, announced=announced, path=_path(code), base=base, reached=reached, anonymous=anonymous
    )


def _asked(request: Request) -> tuple[bool, Boards]:
    """Are names hidden? And the boards that this process has read."""
    return request.cookies.get(NAMES) == "hidden", request.app.state.boards


@router.get("/show/{code}/steps")
async def steps(request: Request, read: WallOf, code: str) -> Response:
    return await read(_page, "parts/wall-steps.html", request, code)


@router.get("/show/{code}/board")
async def board(request: Request, read: WallOf, code: str) -> Response:
    return await read(_board, code, *_asked(request))


def _board(unit: Unit, code: str, anonymous: bool, boards: Boards) -> Response:
    return page("parts/wall-board.html", tables=wall_scenes.tables(unit, code, anonymous, boards))


@router.get("/show/{code}/joined")
async def joined(read: WallOf, code: str) -> Response:
    return await read(_joined, code)


def _joined(unit: Unit, code: str) -> Response:
    return page("parts/wall-joined.html", joined=walls.joined(unit, walls.see(unit, code).id))


@router.get("/show/{code}/announced")
async def announced(read: WallOf, code: str) -> Response:
    return await read(_announced, code)


def _announced(unit: Unit, code: str) -> Response:
    newest = announcements.newest(unit, walls.see(unit, code).id)
    return page("parts/wall-announced.html", announced=newest)


@router.post("/show/{code}/names")
async def names(request: Request, read: WallOf, code: str, form: FormOf) -> Response:
    """Hide the names on this wall, or show them again."""
    await read(walls.see, code)
    response = go(_path(code))
    _keep(request, response, code, NAMES, "hidden" if form.get("names") == "hidden" else "shown")
    return response


@router.get("/show/{code}/events")
async def events(read: WallOf, code: str) -> Response:
    """What happens, from now on: each time that a wall comes to listen it looks at everything anyway."""
    who = await read(_follower, code)
    return stream(read, who, who.newest)


def _follower(unit: Unit, code: str) -> Follower:
    return follower(unit, walls.see(unit, code))


def for_players(request: Request, settings: Settings) -> tuple[str, bool]:
    """Where players reach this server, and whether they do: whoever looks from the server's own machine sees an
    address that is no good elsewhere."""
    if settings.public_url or not _of_this_machine(request.url.hostname or ""):
        return base_url(request), True
    listening = Address(settings.host, request.url.port or 80)
    if not listening.anywhere or _of_this_machine(listening.for_others.host):
        return base_url(request), False
    return f"http://{listening.for_others}", True


def _of_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
