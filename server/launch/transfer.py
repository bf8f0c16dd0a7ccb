"""`xentarena export` and `import`: all rows of a server as one file, to move it to another machine or database."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import structlog

from server.db import upgrade
from server.db.migrate import history
from server.db.transfer import archive
from server.db.transfer.archive import Manifest
from server.db.transfer.copying import export_rows, import_rows
from server.errors import CommandError
from server.launch.data_dir import held, noted_database
from server.launch.files import replacing
from server.settings import Settings, sqlite_url

log = structlog.get_logger()

SILENCE = 5.0  # seconds until a word of how far it is


class Progress:
    """Counts rows, and tells the log of them now and then."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._rows = 0
        self._told = time.monotonic()

    def __call__(self, table: str) -> None:
        self._rows += 1
        if time.monotonic() - self._told >= SILENCE:
            log.info(self._event, rows=self._rows, table=table)
            self._told = time.monotonic()


def export(settings: Settings, file: Path, *, shareable: bool, names: bool, force: bool) -> dict[str, Any]:
    """Write the file, whole or not at all; what was written. Raises CommandError."""
    begun = time.monotonic()
    url = _url(settings)
    found = upgrade.sqlite_file(url) if url.startswith("sqlite") else None
    if found is not None and not found.is_file():
        raise CommandError(f"there is no database {found}: name a server's folder with --data")
    upgrade.check_current(url)
    _require_free(file, force=force)
    with upgrade.opened(url) as database, _written(file) as raw:
        progress = Progress("export.under_way")
        manifest = export_rows(database, raw, history()[0], progress, shareable=shareable, names=names)
        _require_free(file, force=force)
    return _told(file, manifest, begun)


def import_(settings: Settings, file: Path) -> dict[str, Any]:
    """Make the rows of the file, all of them or none; what it held. Raises CommandError."""
    begun = time.monotonic()
    with ExitStack() as stack:
        source = stack.enter_context(archive.opened(file))
        _require_ours(file, source.manifest)
        if settings.database_url is None:
            stack.enter_context(held(settings.data))
        url = _url(settings)
        if upgrade.is_new(url):
            upgrade.ensure_current(url)
        upgrade.check_current(url)
        import_rows(stack.enter_context(upgrade.opened(url)), source, Progress("import.under_way"))
        return _told(file, source.manifest, begun)


def warning(*, shareable: bool, names: bool) -> str:
    """What whoever made an export has to know of it, in a line."""
    if not shareable:
        return (
            "it holds keys and the digests of tokens, and makes a server where everybody's token is good: keep it safe"
        )
    if names:
        return "it holds players' names and all that they wrote"
    return "it holds all that players wrote; who sees a board can tell by the bits who is who"


def _url(settings: Settings) -> str:
    """Where the rows are: the database that is named, or that of the data folder."""
    url = settings.database_url or noted_database(settings.data) or sqlite_url(settings.data)
    if settings.database_url is None and not url.startswith("sqlite"):
        raise CommandError(f"the rows of {settings.data} are in {url}: name that database with --database-url")
    return url


@contextmanager
def _written(file: Path) -> Iterator[Any]:
    try:
        with replacing(file) as raw:
            yield raw
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror or error}") from error


def _require_free(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise CommandError(f"{file} is a folder: name the file to write")
    if file.exists() and not force:
        raise CommandError(f"{file} is there already: name another file, or replace it with --force")


def _require_ours(file: Path, manifest: Manifest) -> None:
    newest, *older = history()
    if manifest.shareable:
        raise CommandError(
            f"{file} was exported with --shareable: it lacks what a server needs, tokens and keys; export without"
        )
    if manifest.revision in older:
        raise CommandError(
            f"{file} was written by an older version of this program (revision {manifest.revision}, not {newest}):"
            " import it with that version, then let this one bring the database up to date"
        )
    if manifest.revision != newest:
        raise CommandError(
            f"{file} was written by a newer version of this program (revision {manifest.revision}, not {newest}):"
            " install that version or a newer one"
        )


def _told(file: Path, manifest: Manifest, begun: float) -> dict[str, Any]:
    tables = {name: part.rows for name, part in manifest.tables.items()}
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "revision": manifest.revision,
        "shareable": manifest.shareable,
        "rows": sum(tables.values()),
        "tables": tables,
        "seconds": round(time.monotonic() - begun, 3),
    }
