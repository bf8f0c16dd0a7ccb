"""Games as rows: the packaged ones, and those that hosts bring. A row is never edited: a digest is its content."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from games import catalog
from games.program import Program, parse
from server.database import insert, now
from server.errors import invalid
from server.models import Game


def install_packaged(session: Session) -> None:
    """Make rows of the packaged games."""
    at = now(session)
    for name in catalog.names():
        program = parsed(catalog.source(name))
        values = {
            "digest": program.digest,
            "name": name,
            "title": program.title,
            "description": program.description,
            "source": program.source,
            "created_at": at,
        }
        session.execute(insert(session, Game).values(values).on_conflict_do_nothing(index_elements=["digest"]))


def newest(session: Session) -> Sequence[Game]:
    """The newest version of every game, by name."""
    by_name: dict[str, Game] = {}
    for game in session.scalars(select(Game).order_by(Game.created_at, Game.digest)):
        by_name[game.name] = game
    return sorted(by_name.values(), key=lambda game: game.name)


def find(session: Session, name: str) -> Game:
    """A game by digest, or the newest of that name."""
    query = select(Game).where((Game.digest == name) | (Game.name == name)).order_by(Game.created_at.desc())
    game = session.scalars(query.limit(1)).one_or_none()
    if game is None:
        known = ", ".join(game.name for game in newest(session))
        raise invalid("/game", f"There is no game {name!r}. Games here: {known}.")
    return game


@lru_cache(maxsize=256)
def parsed(source: str) -> Program:
    return parse(source)
