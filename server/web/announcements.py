"""What a host tells everyone: written on the host's page, shown on the pages of players."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends
from starlette.responses import Response

from server.arena import announcements, callers, competitions
from server.arena.unit import Unit
from server.db.models import Announcement
from server.errors import RequestError
from server.http.calls import Read, ReadOf, WriteOf
from server.web import view_models
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])

SHOWN = 3  # of the newest, on the pages of players
LISTED = 20  # on the host's


def newest(unit: Unit, competition_id: str) -> Sequence[Announcement]:
    """What the pages of players show."""
    return announcements.standing(unit, competition_id, SHOWN)


def listed(unit: Unit, competition_id: str) -> Sequence[Announcement]:
    """What the host's page lists, to be taken back."""
    return announcements.standing(unit, competition_id, LISTED)


@router.get("/competitions/{competition_id}/announcements")
async def announced(read: ReadOf, competition_id: str) -> Response:
    return await read(_announced, competition_id)


def _announced(unit: Unit, competition_id: str) -> Response:
    return page("parts/announcements.html", announced=newest(unit, competition_id))


@router.post("/host/competitions/{competition_id}/announcements")
async def announce(read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    text = form.get("text", "")
    try:
        await write(announcements.make, competition_id, text)
    except RequestError as refused:
        return await _again(read, competition_id, text, refused)
    return _to(competition_id)


async def _again(read: Read, competition_id: str, text: str, refused: RequestError) -> Response:
    """The line with what is wrong with it, where it is about the line and not about who writes."""
    if refused.status in (401, 403, 404):
        raise refused
    return await read(_draft, competition_id, text, refused)


def _draft(unit: Unit, competition_id: str, text: str, refused: RequestError) -> Response:
    callers.require_host_of(unit.caller, competition_id)
    return page(
        "announce.html",
        refused.status,
        viewer=view_models.viewer(unit),
        competition=competitions.see(unit, competition_id),
        text=text,
        error=told(refused),
    )


@router.post("/host/announcements/{announcement_id}/withdraw")
async def withdraw(write: WriteOf, announcement_id: str) -> Response:
    return _to((await write(announcements.withdraw, announcement_id)).competition_id)


def _to(competition_id: str) -> Response:
    return go(f"/host/competitions/{competition_id}#announcements")
