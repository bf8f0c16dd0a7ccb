"""Rows as lines of JSON: the same lines for the same rows, whichever database they are in.

A row is one object with its columns in the order of the table. A column that is NULL is left out: so it is told from a
JSON column that holds null. Moments are UTC with microseconds, bytes are base64, a float is the shortest text that is
read as the same float. What is inside a JSON column keeps the order it has.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Insert,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    cast,
    collate,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from server.db.columns import UTCDateTime

PORTION = 100  # rows that are in memory at a time; a play may have megabytes
Encode = Callable[[Any], Any]
Change = Callable[[str, dict[str, Any]], dict[str, Any] | None]  # the table's name and a row → what is told of it


def unchanged(_: str, told: dict[str, Any]) -> dict[str, Any]:
    return told


def lines(
    connection: Connection, table: Table, encode: Mapping[str, Encode], change: Change
) -> Generator[bytes, None, None]:
    """A line for each row, in the order of the primary key, with the columns of `encode`; none where `change` gives
    None."""
    columns = [table.columns[name] for name in encode]
    query = select(*map(_selected, columns)).order_by(*(_in_order(connection, each) for each in table.primary_key))
    with connection.execute(query.execution_options(yield_per=PORTION)) as found:
        for row in found:
            told = {name: encode[name](value) for name, value in zip(encode, row, strict=True) if value is not None}
            if (kept := change(table.name, told)) is not None:
                yield json.dumps(kept, separators=(",", ":")).encode() + b"\n"


def encoders(table: Table) -> dict[str, Encode]:
    """Column → how its values are told in JSON."""
    return {column.name: _encode(column) for column in table.columns}


def read(table: Table, line: bytes) -> dict[str, Any]:
    """The row of a line, for `inserting`."""
    told = json.loads(line)
    return {
        column.name: _decode(column, told[column.name]) if column.name in told else None for column in table.columns
    }


def inserting(table: Table) -> Insert:
    """The statement that takes rows as `read` gives them."""
    return table.insert().values(
        {column.name: bindparam(column.name, type_=_bound(column)) for column in table.columns}
    )


def _selected(column: Column[Any]) -> ColumnElement[Any]:
    """JSON as the text that it is, so that null is told from NULL."""
    return cast(column, Text) if isinstance(column.type, JSON) else column


def _in_order(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """Texts by their code points, which is what SQLite does by itself."""
    if connection.dialect.name == "sqlite" or not isinstance(column.type, String):
        return column
    return collate(column, "C")


def _encode(column: Column[Any]) -> Encode:
    match column.type:
        case JSON():
            return json.loads
        case UTCDateTime():
            return lambda moment: moment.isoformat(timespec="microseconds")
        case LargeBinary():
            return lambda data: b64encode(data).decode()
    return lambda value: value


def _decode(column: Column[Any], value: Any) -> Any:
    match column.type:
        case JSON():
            return JSON.NULL if value is None else value
        case UTCDateTime():
            return datetime.fromisoformat(value)
        case LargeBinary():
            return b64decode(value)
    return value


def _bound(column: Column[Any]) -> Any:
    return JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type
