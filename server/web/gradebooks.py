"""The host's page that fills a column of a course's grade export. The file goes along in the form, and is not kept."""

import base64
import binascii
from collections.abc import Mapping

from fastapi import APIRouter, Depends
from starlette.responses import Response

from games.sentences import say
from server.arena import callers, competitions, gradebooks
from server.arena.unit import Unit
from server.errors import RequestError, invalid
from server.http.calls import Read, ReadOf
from server.http.files import csv_file
from server.web import round_lines, view_models
from server.web.rendering import FormOf, own_forms_only, page
from server.web.words import told

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
PAGE = "/host/competitions/{competition_id}/gradebook"
Form = Mapping[str, str]


@router.get(PAGE)
async def ask(read: ReadOf, competition_id: str) -> Response:
    return await read(_page, competition_id, {})


def _page(unit: Unit, competition_id: str, form: Form, refused: RequestError | None = None) -> Response:
    callers.require_watcher(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    return page(
        "gradebook.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        competition=competition,
        rounds_here=round_lines.lines(unit, competition_id),
        form=form,
        book=gradebooks.preview(unit, competition_id, _file(form)) if form and not refused else None,
        error=told(refused) if refused else None,
    )


@router.post(PAGE)
async def preview(read: ReadOf, competition_id: str, form: FormOf) -> Response:
    """Who is left over, and which column it shall be."""
    try:
        return await read(_page, competition_id, form)
    except RequestError as refused:
        return await _refused(read, competition_id, form, refused)


@router.post(PAGE + "/file")
async def fill(read: ReadOf, competition_id: str, form: FormOf) -> Response:
    try:
        column, of = form.get("column", ""), form.get("of", "")
        data, encoding = await read(gradebooks.fill, competition_id, _file(form), column, of)
    except RequestError as refused:
        return await _refused(read, competition_id, form, refused)
    return csv_file(data, encoding, "gradebook", competition_id)


async def _refused(read: Read, competition_id: str, form: Form, refused: RequestError) -> Response:
    if refused.status in (401, 403):
        raise refused
    return await read(_page, competition_id, form, refused)


def _file(form: Form) -> bytes:
    """The file as the page's script wrote it into the form, in Base64 with - and _."""
    text = form.get("file", "")
    if not text:
        raise invalid("/file", say("Choose the file that Canvas or Moodle exported."))
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid("/file", say("This form was not sent as the page made it. Open the page again.")) from None
