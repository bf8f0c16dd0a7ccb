"""What there is to play with: judges and games. Open to everyone."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from server import judges, programs
from server.api import schemas, views
from server.api.edge import ArenaOf
from server.errors import Refused, not_found

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
    except Refused:
        raise not_found("judge", name) from None
    return views.judge(arena, row)


@router.get("/games")
async def all_games(arena: ArenaOf) -> schemas.Items[schemas.Game]:
    """The newest version of every game."""

    def work(session: Session) -> schemas.Items[schemas.Game]:
        return schemas.Items(items=[views.game(row) for row in programs.newest(session)])

    return await arena.read(work)


@router.get("/games/{name}")
async def one_game(arena: ArenaOf, name: str) -> schemas.Game:
    """A game by name or digest."""
    try:
        return await arena.read(lambda session: views.game(programs.find(session, name)))
    except Refused:
        raise not_found("game", name) from None
