"""`xentarena backup`: everything that a server keeps, in one archive, while it runs.

The archive holds the files of the data folder under their own names. To restore: stop the server, unpack it into an
empty folder (`tar -xf FILE -C DIR`) and serve that folder. The queue is left out: it is made again from the rows.
"""

import sqlite3
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from server.db.upgrade import copy_sqlite, sqlite_file
from server.errors import CommandError
from server.launch.data_dir import KEPT_FILES, noted_database
from server.launch.files import replacing
from server.settings import sqlite_path, sqlite_url


def backup(folder: Path, file: Path) -> None:
    """Write the archive in one step: whole, or not at all. Raises CommandError."""
    database = _database(folder)
    if file.is_dir():
        raise CommandError(f"{file} is a folder: name the archive to write")
    try:
        with replacing(file) as raw:  # it holds tokens
            _write(folder, database, raw, file)
    except sqlite3.Error as error:
        raise CommandError(f"cannot read the database {database}: {error}") from error
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror or error}") from error


def _database(folder: Path) -> Path:
    if not folder.is_dir():
        raise CommandError(f"there is no data folder {folder}")
    url = noted_database(folder) or sqlite_url(folder)
    database = sqlite_file(url)
    if database is None:
        raise CommandError(
            f"the rows of this server are in PostgreSQL: copy them with pg_dump --dbname={url} --file=FILE"
        )
    if not database.is_file():
        raise CommandError(f"{folder} is no data folder: there is no {database}")
    return database


def _write(folder: Path, database: Path, raw: BinaryIO, file: Path) -> None:
    with (
        tarfile.open(fileobj=raw, mode="w:gz" if file.name.endswith("gz") else "w") as archive,
        tempfile.TemporaryDirectory(dir=file.parent, prefix=".xentarena-backup-") as scratch,
    ):
        copy = Path(scratch) / "copy"
        copy_sqlite(database, copy)
        archive.add(copy, sqlite_path(folder).name)
        for name in KEPT_FILES:
            with suppress(FileNotFoundError):
                archive.add(folder / name, name)
