"""Bring a database to this version's tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import migrations
from server.db.session import normalised


def migrate(url: str) -> None:
    """Create or upgrade the tables. Safe to call by several processes: on PostgreSQL one at a time does it."""
    command.upgrade(config(url), "head")


def config(url: str) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    made.attributes["url"] = normalised(url)
    return made


def revisions(url: str) -> tuple[str | None, str]:
    """(the revision the database is at, the newest one there is)"""
    engine = create_engine(normalised(url))
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return current, history()[0]


def history() -> list[str]:
    """Every revision, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(config("sqlite://")).walk_revisions()]
