"""The host's pages of a round that is scored again under another judge."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from games.protocol import MAIN
from judge.profiles import PROFILES
from server.arena import judges, rescoring_previews, rescorings, rounds, second_judges
from server.arena.unit import Unit
from server.db.models import Round
from server.db.rescorings import Rescoring
from server.errors import RequestError
from server.http.calls import ReadOf, WriteOf
from server.web import round_form, round_lines, view_models
from server.web.i18n import translated
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("/rounds/{round_id}/rescorings")
async def of_round(read: ReadOf, round_id: str) -> Response:
    await read.context.look_for_workers()
    return await read(_of_round, round_id)


def _of_round(unit: Unit, round_id: str, refused: RequestError | None = None) -> Response:
    found = rescorings.of_round(unit, round_id)
    row = rounds.find_round(unit.session, round_id)
    return page(
        "rescorings.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        line=round_lines.of_round(unit, row),
        competition=row.competition_id,
        profile=row.profile,
        profiles=PROFILES,
        judges=round_form.judge_names(unit),
        rescorings=[_named(unit, row, each) for each in found],
        may_change=unit.caller.hosts(row.competition_id),
        error=told(refused) if refused else None,
    )


def _named(unit: Unit, round_: Round, row: Rescoring) -> dict[str, Any]:
    names = {
        "row": row,
        "second": second_judges.is_second(round_, row),
        "judge": judges.find(unit.session, row.judges[MAIN]).name,
    }
    return names | {"progress": rescorings.progress(unit.session, row)}


@router.post("/rounds/{round_id}/rescorings")
async def ask(read: ReadOf, write: WriteOf, round_id: str, form: FormOf) -> Response:
    await read.context.look_for_workers()
    try:
        made = await write(rescorings.ask, round_id, form.get("judge") or None, None, form.get("profile") or None)
    except RequestError as refused:
        return await read(_refused, round_id, refused)
    return go(f"/host/rescorings/{made.id}")


def _refused(unit: Unit, round_id: str, refused: RequestError) -> Response:
    if refused.status in (401, 403, 404):
        raise refused
    return _of_round(unit, round_id, refused)


@router.get("/rescorings/{rescoring_id}")
async def one(read: ReadOf, rescoring_id: str) -> Response:
    return await read(_one, "rescoring.html", rescoring_id)


@router.get("/rescorings/{rescoring_id}/part")
async def part(read: ReadOf, rescoring_id: str) -> Response:
    """What of it goes on while the page is open."""
    return await read(_one, "parts/rescoring.html", rescoring_id)


def _one(unit: Unit, template: str, rescoring_id: str, refused: RequestError | None = None) -> Response:
    preview = rescoring_previews.preview(unit, rescoring_id)
    row = rounds.find_round(unit.session, preview.rescoring.round_id)
    return page(
        template,
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        events=row.competition_id,
        line=round_lines.of_round(unit, row),
        preview=preview,
        kept=[(each.submission, each.player.name, translated(each.reason)) for each in preview.kept],
        rescoring=preview.rescoring,
        judge=judges.find(unit.session, preview.rescoring.judges[MAIN]).name,
        may_change=unit.caller.hosts(row.competition_id),
        error=told(refused) if refused else None,
    )


@router.post("/rescorings/{rescoring_id}/apply")
async def apply(read: ReadOf, write: WriteOf, rescoring_id: str) -> Response:
    try:
        await write(rescorings.apply, rescoring_id)
    except RequestError as refused:
        if refused.status != 409:
            raise
        return await read(_one, "rescoring.html", rescoring_id, refused)
    return go(f"/host/rescorings/{rescoring_id}")


@router.post("/rescorings/{rescoring_id}/drop")
async def drop(write: WriteOf, rescoring_id: str) -> Response:
    dropped = await write(rescorings.drop, rescoring_id)
    return go(f"/host/rounds/{dropped.round_id}/rescorings")
