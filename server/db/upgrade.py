"""The database of a server that starts: is it there, and are its tables those of this version?"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from server.db.migrate import history, migrate, revisions
from server.db.session import Database, normalised
from server.errors import CommandError, Unavailable

log = structlog.get_logger()


def wait_for(url: str, seconds: float) -> None:
    """Until PostgreSQL takes connections, at most so long; whether ours are good, who connects finds out."""
    from psycopg.pq import PGconn, Ping

    end = time.monotonic() + seconds
    with faults_told(url):
        # With *** for a password, since nobody is asked for it.
        place = make_url(normalised(url)).set(drivername="postgresql").render_as_string().encode()
        while sqlite_file(url) is None and time.monotonic() < end:
            if PGconn.ping(place) in (Ping.OK, Ping.NO_ATTEMPT):
                return
            time.sleep(0.5)


def ensure_current(url: str, backups: Path | None = None) -> None:
    """Create or upgrade the tables; an older SQLite file is copied to `backups` first. Raises CommandError."""
    current, newest = _revisions(url)
    if current == newest:
        return
    file = sqlite_file(url)
    if current is not None and file is not None and backups is not None:
        log.info("database.copied", file=str(_copy(file, backups, current)))
    try:
        migrate(url)
    except SQLAlchemyError as error:
        raise CommandError(f"cannot bring the database {shown(url)} up to date: {_first_line(error)}") from error
    log.info("database.migrated", before=current, now=newest)


def check_current(url: str) -> None:
    """Raises CommandError unless the tables are those of this version."""
    current, newest = _revisions(url)
    if current != newest:
        state = "has no tables yet" if current is None else f"is at revision {current}, not {newest}"
        raise CommandError(f"the database {shown(url)} {state}: run `xentarena migrate` with the same --database-url")


def is_new(url: str) -> bool:
    """Has it no tables of ours yet? Raises CommandError where it cannot be used."""
    return _revisions(url)[0] is None


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def shown(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


@contextmanager
def faults_told(url: str) -> Iterator[None]:
    """Whatever is wrong with the database in this block is told in a line: raises CommandError."""
    try:
        yield
    except (SQLAlchemyError, ModuleNotFoundError, Unavailable) as error:
        raise CommandError(f"cannot use the database {_harmless(url)}: {_first_line(error)}") from error


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database for one command, on one connection. Raises CommandError for whatever is wrong with it meanwhile."""
    with faults_told(url):
        database = Database(url, connections=1)
        try:
            yield database
        finally:
            database.dispose()


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy, also while others write to the source. The copy is one file."""
    target.touch(mode=0o600, exist_ok=False)
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _revisions(url: str) -> tuple[str | None, str]:
    with faults_told(url):
        parsed = make_url(normalised(url))
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise CommandError(
                f"no database {shown(url)}: name one as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
            )
        current, newest = revisions(url)
    if current is not None and current not in history():
        raise CommandError(
            f"the database {shown(url)} was written by a newer version of this program (revision {current}):"
            " install that version or a newer one"
        )
    return current, newest


def _copy(file: Path, backups: Path, revision: str) -> Path:
    backups.mkdir(mode=0o700, exist_ok=True)
    target = backups / f"before-migration-from-{revision}-{time.strftime('%Y%m%d-%H%M%S')}.sqlite3"
    try:
        copy_sqlite(file, target)
    except (OSError, sqlite3.Error) as error:
        raise CommandError(f"cannot copy the older database to {target} before changing it: {error}") from error
    return target


def _harmless(url: str) -> str:
    try:
        return shown(url)
    except SQLAlchemyError:
        return "(the URL cannot be read)"


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0]
