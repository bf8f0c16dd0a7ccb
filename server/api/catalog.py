"""What there is to play with: judges and games. Open to everyone; hosts bring games of their own."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from server.api import schemas, views
from server.api.params import Cursor, Limit
from server.arena import games, judges, players
from server.arena.outbox import Outbox
from server.arena.players import Caller
from server.db.models import Game
from server.errors import RequestError, not_found
from server.http.requests import ArenaOf, TokenOf

router = APIRouter(tags=["judges and games"])


@router.get("/judges")
async def all_judges(arena: ArenaOf) -> schemas.Items[schemas.Judge]:
    """Every judge that a worker ever announced, and how many serve it now."""
    await arena.look_for_workers()
    rows = await arena.read(judges.everyone)
    return schemas.Items(items=[views.judge(arena, row) for row in rows])


@router.get("/judges/{name}")
async def one_judge(arena: ArenaOf, name: str) -> schemas.Judge:
    """A judge by identity or name."""
    try:
        row = await arena.read(lambda session: judges.find(session, name))
    except RequestError:
        raise not_found("judge", name) from None
    return views.judge(arena, row)


@router.get("/games")
async def all_games(arena: ArenaOf, cursor: Cursor = None, limit: Limit = 1_000) -> schemas.Items[schemas.Game]:
    """The newest version of every game that is not withdrawn, by name."""

    def work(session: Session) -> schemas.Items[schemas.Game]:
        rows = games.newest(session, cursor or "", limit + 1)
        page = rows[:limit]
        return schemas.Items(
            items=[views.game(row) for row in page], next=page[-1].name if len(rows) > len(page) else None
        )

    return await arena.read(work)


@router.post(
    "/games",
    status_code=201,
    responses={200: {"description": "It was there already", "model": schemas.Game}},
)
async def upload_game(arena: ArenaOf, token: TokenOf, body: schemas.GameRequest, response: Response) -> schemas.Game:
    """Bring a game of your own, or a new version of it. A program with errors is told all of them. Hosts only.

    Rounds pin the digest of their game, so that a new version changes no round that there is.
    """

    def work(session: Session, outbox: Outbox) -> tuple[schemas.Game, bool]:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        arena.rates.spend(caller.token)
        uploaded = games.upload(session, caller, body.source, body.name)
        return views.game(uploaded.game), uploaded.fresh

    game, fresh = await arena.write(work)
    response.headers["Location"] = f"/api/v1/games/{game.digest}"
    response.status_code = 201 if fresh else 200
    return game


@router.get("/games/{name}")
async def one_game(arena: ArenaOf, name: str) -> schemas.Game:
    """A game by name (its newest version) or digest. Withdrawn ones, too: rounds of theirs may go on."""
    return await arena.read(lambda session: views.game(games.see(session, name)))


@router.get("/games/{name}/versions")
async def versions_of_game(arena: ArenaOf, name: str) -> schemas.Items[schemas.Game]:
    """Every version of a game, the newest first, withdrawn ones too."""
    return await arena.read(
        lambda session: schemas.Items(items=[views.game(row) for row in games.versions(session, name)])
    )


@router.post("/games/{name}:withdraw")
async def withdraw_game(arena: ArenaOf, token: TokenOf, name: str) -> schemas.Game:
    """Take a game off the lists: by name with all its versions, by digest that version alone. Rounds of it go on,
    new ones cannot be made. `:restore` undoes it. Hosts only."""
    return await _changed(arena, token, name, games.withdraw)


@router.post("/games/{name}:restore")
async def restore_game(arena: ArenaOf, token: TokenOf, name: str) -> schemas.Game:
    """Put a withdrawn game, or version, back on the lists. Hosts only."""
    return await _changed(arena, token, name, games.restore)


async def _changed(
    arena: ArenaOf, token: str | None, name: str, change: Callable[[Session, Caller, str], Game]
) -> schemas.Game:
    def work(session: Session, outbox: Outbox) -> schemas.Game:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        return views.game(change(session, caller, name))

    return await arena.write(work)
