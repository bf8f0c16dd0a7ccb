"""What the server asks its database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from tests.support.server import RunningApp


@contextmanager
def statements(house: RunningApp) -> Iterator[list[str]]:
    """What the server sends to its database in the block."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = house.arena.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
