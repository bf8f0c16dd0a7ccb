"""What there is to play with: judges and games. Open to everyone; hosts bring games of their own."""

from functools import partial

from fastapi import APIRouter, Response

from server.api import bodies, schemas, views, workforce
from server.api.json_route import ProgramRoute
from server.api.params import Cursor, Limit
from server.arena import games, judges, naming
from server.errors import RequestError, not_found
from server.http.calls import ReadOf, UploadOf, VisitOf, WriteOf

router = APIRouter(tags=["judges and games"], route_class=ProgramRoute)

PROGRAMS = 100  # on a page: each comes with its source, which may be 64 KB


@router.get("/judges")
async def list_judges(read: VisitOf, cursor: Cursor = None, limit: Limit = 1_000) -> schemas.Items[schemas.Judge]:
    """Every judge that a worker ever announced, and how many serve it now."""
    await read.context.look_for_workers()
    return await read.show(views.items(views.judge, cursor, limit), judges.visible)


@router.get("/judges/{name}")
async def get_judge(read: VisitOf, name: str) -> schemas.Judge:
    """A judge by identity or name."""
    try:
        return await read.show(views.judge, judges.see, name)
    except RequestError:
        raise not_found("There is no judge {name}.", name) from None


@router.post("/judges/{identity}:accept")
async def accept_judge(write: WriteOf, identity: str) -> schemas.Judge:
    """Give a judge the name that it brought and does not have, since another has it or a lent machine came first; never
    a packaged judge's. The server's owner only."""
    await write.context.look_for_workers()
    return await write.show(views.judge, naming.accept, identity)


@router.get("/workers")
async def list_workers(read: ReadOf, cursor: Cursor = None, limit: Limit = 1_000) -> workforce.Workers:
    """The workers heard of in the last ten seconds, and what was announced and not understood. Hosts only."""
    await read.context.look_for_workers()
    return await read.show(partial(workforce.shown, cursor=cursor, limit=limit), judges.workers)


@router.get("/games")
async def list_games(read: VisitOf, cursor: Cursor = None, limit: Limit = PROGRAMS) -> schemas.Items[schemas.Game]:
    """The newest version of every game that is not withdrawn, by name; at most a hundred on a page."""
    most = min(limit, PROGRAMS)
    return await read.show(partial(views.games_page, limit=most), games.visible, cursor or "", most + 1)


@router.post(
    "/games",
    status_code=201,
    responses={200: {"description": "It was there already", "model": schemas.Game}},
)
async def upload_game(upload: UploadOf, body: bodies.GameRequest, response: Response) -> schemas.Game:
    """Bring a game of your own, or a new version of it. A program with errors is told all of them. Hosts only.

    Rounds pin the digest of their game, so that a new version changes no round that there is.
    """
    game, fresh = await upload(views.uploaded, body.source, body.name)
    response.headers["Location"] = f"/api/v1/games/{game.digest}"
    response.status_code = 201 if fresh else 200
    return game


@router.get("/games/{name}")
async def get_game(read: VisitOf, name: str) -> schemas.Game:
    """A game by name (its newest version) or digest. Withdrawn ones, too: rounds of theirs may go on."""
    return await read.show(views.game, games.see, name)


@router.get("/games/{name}/versions")
async def list_game_versions(
    read: VisitOf, name: str, cursor: Cursor = None, limit: Limit = PROGRAMS
) -> schemas.Items[schemas.Game]:
    """Every version of a game, the newest first, withdrawn ones too; at most a hundred on a page."""
    return await read.show(views.items(views.game, cursor, min(limit, PROGRAMS)), games.versions, name)


@router.post("/games/{name}:withdraw")
async def withdraw_game(write: WriteOf, name: str) -> schemas.Game:
    """Take a game off the lists: by name with all its versions, by digest that version alone. Rounds of it go on,
    new ones cannot be made. `:restore` undoes it. Hosts only."""
    return await write.show(views.game, games.withdraw, name)


@router.post("/games/{name}:restore")
async def restore_game(write: WriteOf, name: str) -> schemas.Game:
    """Put a withdrawn game, or version, back on the lists. Hosts only."""
    return await write.show(views.game, games.restore, name)
