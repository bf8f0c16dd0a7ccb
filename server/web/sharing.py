"""A scored submission as a picture that its player may share, once the round has ended."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from server.arena.unit import Unit
from server.db.states import SubmissionState
from server.errors import conflict
from server.http.calls import PictureOf
from server.web import view_models
from server.web.picture.card import Card, card
from server.web.picture.drawing import svg
from server.web.picture.pixels import png
from server.web.rendering import HEADERS

router = APIRouter(include_in_schema=False)
#: A picture loads and runs nothing. A PNG that is opened alone is given a style by the browser itself.
CONTENT = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
STYLED = f"{CONTENT}; style-src 'unsafe-inline'"


@router.get("/submissions/{submission_id}/picture.svg")
async def as_svg(read: PictureOf, submission_id: str, name: bool = False) -> Response:
    shown = await read(_card, submission_id, name)
    return _sent(await asyncio.to_thread(svg, shown), "image/svg+xml", "svg", CONTENT)


@router.get("/submissions/{submission_id}/picture.png")
async def as_png(read: PictureOf, submission_id: str, name: bool = False) -> Response:
    shown = await read(_card, submission_id, name)
    return _sent(await asyncio.to_thread(lambda: png(svg(shown))), "image/png", "png", STYLED)


def _card(unit: Unit, submission_id: str, named: bool) -> Card:
    shown = view_models.submission(unit, submission_id)
    if not shown.round_closed:
        raise conflict("round-not-ended", "No picture yet", "The picture is there when the round has ended.")
    if shown.line.practice:
        raise conflict("practice", "No picture", "This was practice: only moves of the round itself have a picture.")
    if shown.line.hidden:
        raise conflict("submission-hidden", "No picture", "The host has hidden this move: there is no picture of it.")
    if shown.line.state != SubmissionState.SCORED:
        raise conflict("not-scored", "No picture", "This move was not scored: there is no picture of it.")
    return card(shown, named=named)


def _sent(picture: str | bytes, kind: str, ending: str, content: str) -> Response:
    headers = HEADERS | {
        "Content-Security-Policy": content,
        "Content-Disposition": f'inline; filename="xent-arena.{ending}"',
    }
    return Response(picture, media_type=kind, headers=headers)
