"""A unit of work runs in one transaction, and nobody inside commits.

On SQLite a write is BEGIN IMMEDIATE behind a lock of this process, so that writers queue instead of polling. On
PostgreSQL it is READ COMMITTED; work that a deadlock or a serialization failure undid is run again.
"""

import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, DateTime, Engine, cast, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from server.errors import Unavailable, database_away, disk_full

log = structlog.get_logger()

T = TypeVar("T")

PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4)  # seconds before work that did not go through is run again
LONG_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)  # before an export that is being read is waited for once more
FULL_FOR = 30.0  # seconds for which a disk counts as full after work found it so
LEAST_ROOM = 2**22  # bytes on the disk of an SQLite file, below which it is full
TELL_EVERY = 60.0  # seconds between two words in the log about a full disk
BUSY_MS = 30_000  # how long SQLite waits for a lock of another process
#: Serialization failure, deadlock detected, and a row that another one hangs on: it was deleted meanwhile.
RETRYABLE_SQLSTATES = {"40001", "40P01", "23503"}


class Undone(Exception):
    """Raised by work that was overtaken by another transaction, so that it is undone and run again."""


class Database:
    """A database by URL. Thread-safe; blocking, so async code calls it from a thread.

    Where its disk is full work raises `Unavailable`, and the log says so once a minute.
    """

    def __init__(self, url: str, *, connections: int = 16) -> None:
        self.url = normalised(url)
        self.engine = _engine(self.url, connections)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._reading = self.engine.execution_options(xentarena_write=False)
        self._writing = self.engine.execution_options(xentarena_write=True)
        self._writer = threading.Lock() if self.sqlite else nullcontext()
        self._refused = self._told = -math.inf  # when its disk was last found full, and when the log last said so

    @property
    def full(self) -> bool:
        """Has the disk no room, or had it none a moment ago?"""
        if self.sqlite and self.engine.url.database:
            with suppress(OSError):
                if shutil.disk_usage(Path(self.engine.url.database).absolute().parent).free < LEAST_ROOM:
                    return True
        return time.monotonic() - self._refused < FULL_FOR

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on one snapshot of the rows (PostgreSQL: one per statement); its writes are undone."""
        return self._retrying(lambda: self._read_once(work))

    def stream(self, work: Callable[[Session], Iterator[T]]) -> Iterator[T]:
        """What `work` yields, read as it is asked for, all in one transaction that ends with the last of it.

        Where nobody asks to the end, it ends when the iterator is let go of."""

        def begin() -> tuple[Session, Iterator[T]]:
            session = _session(self._reading)
            try:
                return session, work(session)
            except BaseException:
                session.close()
                raise

        return _to_the_end(*self._retrying(begin))

    def snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on all rows as they are at one moment, on either database. It is not tried again."""
        options: dict[str, Any] = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._reading.connect() as connection:
            return work(connection.execution_options(**options))

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` and commit. It may run several times, so it does nothing but use its session.

        Raises `Unavailable` when the database cannot be reached, also when it is unknown whether the commit arrived.
        """
        session, result = self.commit(work)
        session.close()
        return result

    def commit(self, work: Callable[[Session], T]) -> tuple[Session, T]:
        """The same, with the session left open, to `look` at what was written."""
        with self._writer:
            return self._retrying(lambda: self._commit_once(work))

    def look(self, session: Session, view: Callable[[], T]) -> T:
        """A view of what was committed, which finds the rows in `session` that it has read. Closes the session."""
        with session:
            return self._retrying(lambda: self._look_once(session, view))

    def scrub(self) -> str | None:
        """SQLite: leave nothing in its files of what is in no row any more. Why that could not be, else None."""
        if not self.sqlite:
            return None
        try:
            self._without_transaction("VACUUM")
            for pause in LONG_PAUSES:
                time.sleep(pause)
                if not self._without_transaction("PRAGMA wal_checkpoint(TRUNCATE)"):
                    return None
        except sqlite3.OperationalError as error:
            return f"{error}: run VACUUM and PRAGMA wal_checkpoint(TRUNCATE) on the file"
        return "somebody reads an older state: the write-ahead log is emptied when the server stops"

    def _without_transaction(self, statement: str) -> int:
        """The first number that SQLite answers, if any. Others wait meanwhile, so that it soon gives up on readers."""
        with self._writer, closing(self.engine.raw_connection()) as connection:
            connection.execute("PRAGMA busy_timeout=500")
            try:
                answer = connection.execute(statement).fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        return int(answer[0]) if answer else 0

    def dispose(self) -> None:
        self.engine.dispose()

    def _read_once(self, work: Callable[[Session], T]) -> T:
        with _session(self._reading) as session:
            return work(session)

    def _commit_once(self, work: Callable[[Session], T]) -> tuple[Session, T]:
        session = _session(self._writing)
        try:
            result = work(session)
            _commit(session)
        except BaseException:
            session.close()
            raise
        return session, result

    def _look_once(self, session: Session, view: Callable[[], T]) -> T:
        session.rollback()  # of an attempt before
        session.bind = self._reading
        shown = view()
        session.rollback()  # here and not when the session is closed, so that a connection lost by now is tried again
        return shown

    def _retrying(self, attempt: Callable[[], T]) -> T:
        for pause in PAUSES:
            try:
                return attempt()
            except Undone:
                time.sleep(pause)
            except DBAPIError as error:
                if _is_full(error):
                    raise self._note_full(error) from error
                # Until the commit is sent nothing has happened, so a lost connection is no reason to give up.
                if not (_is_undone(error) or _unreachable(error)):
                    raise
                time.sleep(pause)
        raise database_away()

    def _note_full(self, error: DBAPIError) -> Unavailable:
        self._refused = time.monotonic()
        if self._refused - self._told >= TELL_EVERY:
            self._told = self._refused
            log.error("database.disk_full", error=str(error.orig))
        return disk_full()


def _to_the_end(session: Session, items: Iterator[T]) -> Iterator[T]:
    with session:
        yield from items


def _session(engine: Engine) -> Session:
    """A session whose transaction begins with its first statement. It holds on to what it has read, so that no row is
    read twice."""
    session = Session(engine, expire_on_commit=False, autoflush=False)
    kept: list[object] = []
    for happening in ("pending_to_persistent", "loaded_as_persistent"):
        event.listen(session, happening, lambda _session, row: kept.append(row))
    return session


def now(session: Session) -> datetime:
    """The database's clock, read once a transaction. On SQLite it is this machine's, which is the same."""
    if "now" not in session.info:
        session.info["now"] = _read_clock(session)
    moment: datetime = session.info["now"]
    return moment


def _read_clock(session: Session) -> datetime:
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    return session.scalars(select(cast(func.clock_timestamp(), DateTime(timezone=True)))).one().astimezone(UTC)


def normalised(url: str) -> str:
    """The URL with the driver that this project uses."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _commit(session: Session) -> None:
    """Commit. If the answer is lost nobody knows whether it happened, so it must not be tried again."""
    try:
        session.commit()
    except DBAPIError as error:
        if _unreachable(error) and not _is_full(error):
            raise database_away() from error
        raise


def _is_undone(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES


def _is_full(error: DBAPIError) -> bool:
    """Is there no room on the disk?"""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error.orig, "sqlstate", None) == "53100"


def _unreachable(error: DBAPIError) -> bool:
    """Is there no connection, or is the server going down or coming up, out of something that it will have again, or
    locked by somebody for too long?"""
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(("08", "53", "57P")))


def _engine(url: str, connections: int) -> Engine:
    # Errors do not tell the parameters of statements: they are what people wrote, and end in the log.
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=connections, max_overflow=0, pool_timeout=60, hide_parameters=True)
    waits = {"timeout": 30}
    engine = create_engine(url, pool_size=connections, max_overflow=0, connect_args=waits, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling would begin late and deferred.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    write = connection.get_execution_options().get("xentarena_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def insert(session: Session, model: type[DeclarativeBase]) -> Any:
    """An INSERT that knows ON CONFLICT, in the session's dialect."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(model)
    return postgresql.insert(model)
