"""One door to the database: a unit of work runs in one transaction, and nobody inside commits.

On SQLite a write is BEGIN IMMEDIATE behind a lock of this process, so that writers queue instead of polling. On
PostgreSQL it is READ COMMITTED; work that a deadlock or a serialization failure undid is run again.
"""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import DateTime, Engine, cast, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from server.errors import database_away

T = TypeVar("T")

RETRIES = 5
UNDONE = {"40001", "40P01"}  # serialization failure, deadlock detected


class Database:
    """A database by URL. Thread-safe; blocking, so async code calls it from a thread."""

    def __init__(self, url: str, *, connections: int = 16) -> None:
        self.url = normalised(url)
        self.engine = _engine(self.url, connections)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._writer = threading.Lock() if self.sqlite else nullcontext()

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on one snapshot of the rows (PostgreSQL: one per statement); its writes are undone."""
        return self._retrying(lambda: self._once(work, write=False))

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` and commit. It may run several times, so it does nothing but use its session.

        Raises `Away` when the database cannot be reached, also when it is unknown whether the commit arrived.
        """
        with self._writer:
            return self._retrying(lambda: self._once(work, write=True))

    def dispose(self) -> None:
        self.engine.dispose()

    def _once(self, work: Callable[[Session], T], *, write: bool) -> T:
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            session.connection(execution_options={"xentarena_write": write})
            result = work(session)
            if write:
                session.commit()
            return result

    def _retrying(self, attempt: Callable[[], T]) -> T:
        for _ in range(RETRIES):
            try:
                return attempt()
            except DBAPIError as error:
                if error.connection_invalidated or _unreachable(error):
                    raise database_away() from error
                if getattr(error.orig, "sqlstate", None) not in UNDONE:
                    raise
        raise database_away()


def now(session: Session) -> datetime:
    """The database's clock: on SQLite that of this machine, which is the same."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    return session.scalars(select(cast(func.clock_timestamp(), DateTime(timezone=True)))).one().astimezone(UTC)


def normalised(url: str) -> str:
    """The URL with the driver that this project uses."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _unreachable(error: DBAPIError) -> bool:
    """Could no connection be made, or is the server going down or coming up?"""
    state = getattr(error.orig, "sqlstate", None)
    is_postgres = type(error.orig).__module__.startswith("psycopg")
    return (
        is_postgres
        and type(error.orig).__name__ in {"OperationalError", "AdminShutdown", "CannotConnectNow"}
        and (state is None or state.startswith(("08", "57P")))
    )


def _engine(url: str, connections: int) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=connections, max_overflow=0, pool_pre_ping=True, pool_timeout=60)
    engine = create_engine(url, pool_size=connections, max_overflow=0, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling would begin late and deferred.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    write = connection.get_execution_options().get("xentarena_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def insert(session: Session, model: type[DeclarativeBase]) -> Any:
    """An INSERT that knows ON CONFLICT, in the session's dialect."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(model)
    return postgresql.insert(model)
