"""A leaderboard as a page of JSON, with an ETag so that asking again is cheap."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from server.api import schemas, views
from server.arena import leaderboards
from server.arena.leaderboards import Board, Entry, Page
from server.arena.plays import ENGINE
from server.db.states import PlayerKind
from server.errors import invalid
from server.http.calls import Read

#: For OpenAPI: what `If-None-Match` with an `ETag` of before can lead to.
KNOWN: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing has changed since the answer of this `ETag`."}}

LARGEST = 2**63 - 1  # number that a column holds


def asked(cursor: str | None, limit: int) -> Page:
    """The lines to read: one more than are shown, which tells that there are more. A cursor is a place in the order, so
    it holds also when its entry has moved."""
    if cursor is None:
        return Page(limit=limit + 1)
    if not re.fullmatch("-?[0-9]{1,100}[.][0-9]{1,100}", cursor):
        raise invalid("(query)/cursor", "This cursor was not given by this server.")
    ranks, number = (max(-LARGEST, min(LARGEST, int(each))) for each in cursor.split("."))
    return Page((ranks, number), limit + 1)


async def board(
    request: Request, read: Read, see: Board, id_: str, kind: PlayerKind | None, cursor: str | None, limit: int
) -> Response:
    """A page of a board; 304 where the caller has it already. Where no event came since then it is not even read: a tag
    is a digest of the page, and one of where and after which event it was read."""
    tags, asks = _sent(request), asked(cursor, limit)

    def since(event: int | None) -> str:
        return _digest(f"{ENGINE} {request.url.path}?{request.url.query} {event}".encode())

    def known(event: int | None) -> bool:
        return event is not None and any(tag.endswith(f'.{since(event)}"') for tag in tags)

    event, entries = await read(leaderboards.unless_known, see, id_, kind, asks, known)
    if entries is None:
        return _unchanged(next(tag for tag in tags if tag.endswith(f'.{since(event)}"')))
    body = board_page(entries, limit).model_dump_json().encode()
    digest = _digest(body)
    has = any(tag.startswith(f'"{digest}.') for tag in tags)
    return _answer(body, f'"{digest}.{since(event)}"', unchanged=has or "*" in tags)


def board_page(entries: Sequence[Entry], limit: int) -> schemas.Items[schemas.BoardEntry]:
    """The entries that were `asked` for."""
    more = len(entries) > limit
    return schemas.Items(items=views.board(entries[:limit]), next=_cursor(entries[limit - 1]) if more else None)


def whole_board(request: Request, entries: Sequence[schemas.TeamEntry]) -> Response:
    """A board that is one page; 304 where the caller has it already."""
    page: BaseModel = schemas.Items[schemas.TeamEntry](items=list(entries), next=None)
    body = page.model_dump_json().encode()
    tag = f'"{_digest(body)}"'
    return _answer(body, tag, unchanged=not {tag, "*"}.isdisjoint(_sent(request)))


def _answer(body: bytes, tag: str, *, unchanged: bool) -> Response:
    return _unchanged(tag) if unchanged else Response(body, media_type="application/json", headers=_headers(tag))


def _unchanged(tag: str) -> Response:
    return Response(status_code=304, headers=_headers(tag))


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "no-cache"}


def _sent(request: Request) -> list[str]:
    """The tags of pages that the caller has."""
    return [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


def _cursor(entry: Entry) -> str:
    return f"{entry.ranks}.{entry.number}"
