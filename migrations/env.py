"""Alembic's entry: runs the migrations on the URL that `server.db.migrate` (or `alembic -x url=…`) gives."""

from typing import Literal

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool, text

from server.db import models  # noqa: F401 it declares the tables
from server.db.columns import Base, UTCDateTime

ONE_AT_A_TIME = 7_264_003_911  # an advisory lock of PostgreSQL, any constant


def _plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name SQLAlchemy's types, so that they outlive ours."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def _numbered(_context: object, _revision: object, made: list[MigrationScript]) -> None:
    """A new migration's name is the next number."""
    newest = ScriptDirectory.from_config(context.config).get_current_head()
    for script in made:
        script.rev_id = f"{int(newest or 0) + 1:04}"


def run() -> None:
    url = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True)["url"]
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=sqlite,
            compare_type=True,
            render_item=_plain_type,
            process_revision_directives=_numbered,
        )
        with context.begin_transaction():
            if not sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": ONE_AT_A_TIME})
            context.run_migrations()
    engine.dispose()


run()
