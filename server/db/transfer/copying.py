"""Every table into a file, and every table out of one. No table is named here: they are those of the models."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import BinaryIO

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.orm import Session

from server.db import boards, rescorings, retention  # noqa: F401 whatever declares tables
from server.db.models import Competition
from server.db.session import Database
from server.db.transfer import archive, rows, sharing
from server.db.transfer.archive import Archive, Manifest
from server.errors import CommandError

TABLES = Competition.metadata.sorted_tables  # each after those that it refers to
BATCH_BYTES = 1 << 20
Progress = Callable[[str], None]  # is given the table's name for each of its rows


def export_rows(
    database: Database, file: BinaryIO, revision: str, progress: Progress, *, shareable: bool, names: bool
) -> Manifest:
    """Write all rows as they are at one moment.

    shareable: without secrets, and without what hosts have hidden. names: with players' names and ids, where those
    would be pseudonyms."""

    def write(connection: Connection) -> Manifest:
        encoders = sharing.encoders(connection, names=names) if shareable else rows.encoders
        change = sharing.withholding(connection) if shareable else rows.unchanged
        tables = (
            (table.name, _counted(rows.lines(connection, table, encode, change), table, progress))
            for table in TABLES
            if (encode := encoders(table))
        )
        return archive.write(file, tables, revision, shareable=shareable)

    return database.snapshot(write)


def import_rows(database: Database, source: Archive, progress: Progress) -> None:
    """Make all rows of an export, in one transaction. Raises CommandError unless no table has rows, and unless the
    database would export what it was given."""

    def fill(session: Session) -> None:
        connection = session.connection()
        _require_empty(connection)
        for table in TABLES:
            statement = rows.inserting(table)
            for batch in _batches(_counted(source.lines(table.name), table, progress)):
                connection.execute(statement, [rows.read(table, line) for line in batch])
            _require_same(connection, table, source)
            _number_on(connection, table)

    database.write(fill)


def _counted(lines: Generator[bytes, None, None], table: Table, progress: Progress) -> Generator[bytes, None, None]:
    with closing(lines):  # a cursor is open behind them
        for line in lines:
            progress(table.name)
            yield line


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """As many lines at a time as there are in a megabyte, or a single one that is longer."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


def _require_empty(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite nobody else can write now
        connection.execute(text(f"LOCK TABLE {', '.join(table.name for table in TABLES)} IN EXCLUSIVE MODE"))
    full = [table.name for table in TABLES if connection.execute(select(1).select_from(table).limit(1)).first()]
    if full:
        raise CommandError(
            f"the database is in use (it has rows in {', '.join(full)}): import into a new data folder or a new"
            " database, before any server is started on it"
        )


def _require_same(connection: Connection, table: Table, source: Archive) -> None:
    kept, given = (
        archive.part_of(rows.lines(connection, table, rows.encoders(table), rows.unchanged)),
        source.manifest.tables[table.name],
    )
    if kept != given:
        raise CommandError(
            f"of {table.name} the database has {kept.rows} rows that are not the {given.rows} of the file:"
            " nothing was imported"
        )


def _number_on(connection: Connection, table: Table) -> None:
    """The next row that numbers itself gets the number after the highest. SQLite does that without being told."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name == "sqlite":
        return
    highest = connection.scalar(select(func.max(column)))
    if highest is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, highest)))
