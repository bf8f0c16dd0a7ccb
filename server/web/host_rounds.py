"""The pages on which a host makes, edits and runs rounds."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import PlainTextResponse, Response

from server.arena import callers, competitions, endings, missing_judges, passages, round_making, round_order, rounds
from server.arena.unit import Unit
from server.db.models import Round
from server.db.states import RoundState
from server.errors import RequestError, not_found
from server.http.calls import ReadOf, WriteOf
from server.http.public_address import base_url
from server.web import host, round_form, round_lines
from server.web.rendering import HEADERS, FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])

#: What a button does with a round.
ACTIONS: dict[str, Callable[[Unit, str], Round]] = {
    "pause": partial(rounds.set_round_state, state=RoundState.PAUSED),
    "close": partial(rounds.set_round_state, state=RoundState.CLOSED),
    "publish": rounds.publish,
    "duplicate": round_making.duplicate,
    "delete": round_order.delete,
    "restore": round_order.restore,
}


def _to(row: Round) -> Response:
    return go(f"/host/competitions/{row.competition_id}")


def _is_about_the_form(refused: RequestError) -> bool:
    return refused.status not in (401, 403, 404)


@router.post("/competitions/{competition_id}/rounds")
async def create_round(request: Request, read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    await read.context.look_for_workers()
    try:
        return _to(await write(_create_round, competition_id, form))
    except RequestError as refused:
        if not _is_about_the_form(refused):
            raise
        return await read(host.competition_page, base_url(request), competition_id, form, refused)


def _create_round(unit: Unit, competition_id: str, form: round_form.Form) -> Round:
    callers.require_host_of(unit.caller, competition_id)
    return round_making.create_round(unit, competition_id, round_form.said(form))


@router.get("/passages")
async def packaged_passages(read: ReadOf, judge: Annotated[str | None, Query(max_length=255)] = None) -> Response:
    """What there is to choose from, as part of the form: how long it is for a judge, and how much it surprises it."""
    return await read(_packaged, judge)


def _packaged(unit: Unit, judge: str | None) -> Response:
    return page("parts/passage-choice.html", offered=passages.offered(unit, judge))


@router.get("/passages/{passage_id}")
async def packaged_passage(read: ReadOf, passage_id: str) -> Response:
    found = await read(passages.packaged, passage_id)
    if found is None:
        raise not_found("There is no packaged passage {name}.", passage_id[:64])
    return PlainTextResponse(found.text, headers=HEADERS)


@router.post("/rounds/look")
async def look(read: ReadOf, form: FormOf) -> Response:
    """What would become of the round, as part of its form, while it is typed."""
    return await read(_look, form)


def _look(unit: Unit, form: round_form.Form) -> Response:
    looked = passages.look(unit, round_form.said({**form, "library": ""}))
    return page("parts/round-look.html", looked=looked, refused=told(looked.refused) if looked.refused else None)


@router.get("/rounds/{round_id}/edit")
async def edit(read: ReadOf, round_id: str) -> Response:
    await read.context.look_for_workers()
    return await read(_edit_page, round_id)


def _edit_page(
    unit: Unit, round_id: str, form: round_form.Form | None = None, refused: RequestError | None = None
) -> Response:
    row = rounds.see(unit, round_id)
    callers.require_host_of(unit.caller, row.competition_id)
    shown = {**round_form.of_round(unit, row), **(form or {})}
    return page(
        "edit-round.html",
        refused.status if refused else 200,
        viewer=host.viewer(unit),
        competition=competitions.see(unit, row.competition_id),
        line=round_lines.of_round(unit, row),
        missing=missing_judges.of_round(unit, row),
        played=round_making.is_played(unit.session, row),
        opened=rounds.has_opened(row, unit.now),
        form=shown,
        own_game=row.game,
        error=told(refused) if refused else None,
        wrong=host.field_of(refused) if refused else None,
        **round_form.choices(unit, shown["judge"]),
    )


@router.post("/rounds/{round_id}/edit")
async def change(read: ReadOf, write: WriteOf, round_id: str, form: FormOf) -> Response:
    await read.context.look_for_workers()
    try:
        return _to(await write(_change, round_id, form))
    except RequestError as refused:
        if not _is_about_the_form(refused):
            raise
        return await read(_edit_page, round_id, form, refused)


def _change(unit: Unit, round_id: str, form: round_form.Form) -> Round:
    row = rounds.find_round(unit.session, round_id)
    callers.require_host_of(unit.caller, row.competition_id)
    return round_making.change(unit, round_id, round_form.changed(unit, row, form))


@router.post("/rounds/{round_id}/open")
async def open_(request: Request, read: ReadOf, write: WriteOf, round_id: str, form: FormOf) -> Response:
    """Open a round; where it had ended the form says until when."""
    try:
        row = await write(_open, round_id, form)
    except RequestError as refused:
        if not refused.errors:
            raise
        return await read(_competition_of, base_url(request), round_id, refused)
    return _to(row)


def _open(unit: Unit, round_id: str, form: round_form.Form) -> Round:
    return rounds.set_round_state(unit, round_id, RoundState.OPEN, round_form.end(form, unit.now))


def _competition_of(unit: Unit, base: str, round_id: str, refused: RequestError) -> Response:
    row = rounds.see(unit, round_id)
    return host.competition_page(unit, base, row.competition_id, trouble=refused)


@router.post("/rounds/{round_id}/prolong")
async def prolong(write: WriteOf, round_id: str, form: FormOf) -> Response:
    return _to(await write(rounds.prolong, round_id, 60 * int(_digits(form.get("minutes", "")))))


@router.post("/rounds/{round_id}/place")
async def place(write: WriteOf, round_id: str, form: FormOf) -> Response:
    return _to(await write(round_order.move, round_id, int(_digits(form.get("number", "")))))


def _digits(text: str) -> str:
    """What a button of the page says; anything else is no button of it."""
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise not_found("There is no button {name}.", text[:64])
    return text


@router.post("/rounds/{round_id}/{action}")
async def act(write: WriteOf, round_id: str, action: str) -> Response:
    if action not in ACTIONS:
        raise not_found("There is no button {name}.", action[:64])
    await write.context.look_for_workers()
    row = await write(ACTIONS[action], round_id)
    await write.context.write(endings.end_late_plays)
    return _to(row)


@router.post("/competitions/{competition_id}/publish")
async def publish_competition(write: WriteOf, competition_id: str) -> Response:
    row = await write(competitions.publish, competition_id)
    return go(f"/host/competitions/{row.id}")


@router.post("/competitions/{competition_id}/duplicate")
async def duplicate_competition(
    request: Request, read: ReadOf, write: WriteOf, competition_id: str, form: FormOf
) -> Response:
    await read.context.look_for_workers()
    try:
        row = await write(round_making.duplicate_competition, competition_id, form.get("name", ""))
    except RequestError as refused:
        if not _is_about_the_form(refused):
            raise
        return await read(host.competition_page, base_url(request), competition_id, trouble=refused)
    return go(f"/host/competitions/{row.id}")
