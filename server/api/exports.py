"""Tables to be kept elsewhere: CSV for spreadsheets, JSON Lines for programs. Sent while they are read."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from server.api.json_route import JsonRoute
from server.arena import exports
from server.arena.exports import MOVES, PORTION, RESULTS, Row
from server.http.calls import ReadOf
from server.http.files import as_file

router = APIRouter(tags=["exports"], route_class=JsonRoute)

BOM = "\ufeff"  # by which spreadsheets know UTF-8
FORMULA = tuple("=+-@\t\r\n")  # a text that begins so is run by spreadsheets


class Csv(StreamingResponse):
    media_type = "text/csv"


class JsonLines(StreamingResponse):
    media_type = "application/jsonl"


@router.get("/competitions/{competition_id}/results.csv", response_class=Csv)
async def export_results(read: ReadOf, competition_id: str) -> Csv:
    """Everyone's best in each round that they have tried. Hosts only."""
    rows = await read.stream(exports.results, competition_id)
    return Csv(_csv(RESULTS, rows), headers=as_file("results", competition_id, "csv"))


@router.get("/competitions/{competition_id}/moves.csv", response_class=Csv)
async def export_moves(read: ReadOf, competition_id: str) -> Csv:
    """Every move, with what came of it. Hosts only. A play's moves stand in one cell, a line each."""
    rows = await read.stream(exports.moves, competition_id)
    return Csv(_csv(MOVES, rows), headers=as_file("moves", competition_id, "csv"))


@router.get(
    "/competitions/{competition_id}/moves.jsonl", response_class=JsonLines, summary="Export moves as JSON Lines"
)
async def export_moves_as_json_lines(read: ReadOf, competition_id: str) -> JsonLines:
    """The same, an object a line. Hosts only."""
    rows = await read.stream(exports.moves, competition_id)
    return JsonLines(_json_lines(rows), headers=as_file("moves", competition_id, "jsonl"))


@router.get("/audit.jsonl", response_class=JsonLines)
async def export_audit_log(read: ReadOf) -> JsonLines:
    """What hosts did, an object a line. Hosts only."""
    rows = await read.stream(exports.audit)
    return JsonLines(_json_lines(rows), headers=as_file("audit", "xentarena", "jsonl"))


def _csv(columns: Sequence[str], rows: Iterator[Row]) -> Iterator[str]:
    """The table, a portion of rows at a time."""
    yield BOM + _lines([columns])
    while portion := list(islice(rows, PORTION)):
        yield _lines([[_cell(row[column]) for column in columns] for row in portion])


def _lines(table: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """As a spreadsheet takes it: numbers as they are, and a text always as a text."""
    match value:
        case bool():
            return str(value).lower()
        case None | int() | float():
            return value
        case datetime():
            return _moment(value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return _cell("\n".join(value))
    return f"'{value}" if value.startswith(FORMULA) else str(value)


def _json_lines(rows: Iterator[Row]) -> Iterator[str]:
    while portion := list(islice(rows, PORTION)):
        yield "".join(json.dumps(row, ensure_ascii=False, default=_moment) + "\n" for row in portion)


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
