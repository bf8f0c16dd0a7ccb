"""A leaderboard as a page of JSON, with an ETag so that asking again is cheap."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from server.api import schemas, views
from server.arena.leaderboards import Entry, Page
from server.errors import invalid

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


def board_page(request: Request, entries: Sequence[Entry], limit: int) -> Response:
    """The entries that were `asked` for; 304 where the caller has this very page already."""
    more = len(entries) > limit
    page = schemas.Items[schemas.BoardEntry](
        items=views.board(entries[:limit]), next=_cursor(entries[limit - 1]) if more else None
    )
    return _answer(request, page)


def whole_board(request: Request, entries: Sequence[schemas.TeamEntry]) -> Response:
    """A board that is one page; 304 where the caller has it already."""
    return _answer(request, schemas.Items[schemas.TeamEntry](items=list(entries), next=None))


def _answer(request: Request, page: BaseModel) -> Response:
    body = page.model_dump_json().encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _cursor(entry: Entry) -> str:
    return f"{entry.ranks}.{entry.number}"
