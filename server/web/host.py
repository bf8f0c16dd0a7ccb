"""The pages of whoever runs competitions: codes, rounds, moves, players."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from games.sentences import say
from server.arena import (
    callers,
    competitions,
    games,
    lab_doors,
    league,
    players,
    retention,
    reveals,
    round_order,
    rounds,
    submissions,
    walls,
)
from server.arena.reveals import Which
from server.arena.unit import Unit
from server.db.models import Competition, Submission
from server.db.states import BotPolicy, LabExperiment, Scope, Total
from server.errors import RequestError, invalid
from server.http.calls import ReadOf, WriteOf
from server.http.public_address import base_url
from server.web import announcements, control, round_form, view_models
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import experiment_name, told

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@dataclass(frozen=True, slots=True)
class CompetitionLine:
    """A competition in the host's list."""

    id: str
    name: str
    code: str
    players: int
    rounds: int
    draft: bool


def viewer(unit: Unit) -> view_models.Viewer:
    """Who looks, where it is a host or an observer of something."""
    if unit.caller.scope not in (Scope.HOST, Scope.OBSERVER):
        callers.require_host(unit.caller)
    return view_models.viewer(unit)


@router.get("")
async def front(request: Request, read: ReadOf) -> Response:
    return await read(_front, base_url(request))


def _front(unit: Unit, base: str, *, name: str = "", refused: RequestError | None = None) -> Response:
    return page(
        "host.html",
        refused.status if refused else 200,
        viewer=viewer(unit),
        makes=unit.caller.makes_competitions,
        owner=unit.caller.owner,
        kept=retention.Kept(retention.see_server(unit), False, None) if unit.caller.owner else None,
        competitions=[_competition(unit, row) for row in competitions.visible(unit)],
        base=base,
        name=name,
        error=told(refused) if refused else None,
    )


def _competition(unit: Unit, row: Competition) -> CompetitionLine:
    members = players.count(unit.session, row.id)
    return CompetitionLine(row.id, row.name, row.code, members, len(rounds.visible(unit, row.id)), row.draft)


@router.post("/competitions")
async def create(request: Request, read: ReadOf, write: WriteOf, form: FormOf) -> Response:
    name, free = form.get("name", ""), form.get("free_measurements") == "on"
    try:
        bots, total = _bots(form.get("bots", BotPolicy.SEPARATE)), _total(form.get("total", Total.FLOORED))
        row = await write(competitions.create, name, bots, free, total, "draft" in form)
    except RequestError as refused:
        if refused.status in (401, 403):
            raise
        return await read(_front, base_url(request), name=name, refused=refused)
    return _to(row.id)


def _to(competition_id: str) -> Response:
    return go(f"/host/competitions/{competition_id}")


def _bots(text: str) -> BotPolicy:
    try:
        return BotPolicy(text)
    except ValueError:
        raise invalid("/bots", say("Say whether bots may play.")) from None


def _total(text: str) -> Total:
    try:
        return Total(text)
    except ValueError:
        raise invalid("/total", say("Say what the board over all rounds adds up.")) from None


@router.post("/competitions/{competition_id}/total")
async def set_total(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    await write(competitions.change, competition_id, total=_total(form.get("total", "")))
    return _to(competition_id)


@router.get("/competitions/{competition_id}")
async def competition(request: Request, read: ReadOf, competition_id: str) -> Response:
    await read.context.look_for_workers()
    return await read(competition_page, base_url(request), competition_id)


def competition_page(
    unit: Unit,
    base: str,
    competition_id: str,
    form: Mapping[str, str] | None = None,
    refused: RequestError | None = None,
    trouble: RequestError | None = None,
) -> Response:
    """The competition with all that its host does there. form: of a new round that is refused. trouble: what is refused
    of a round that is there."""
    seen = _seen(unit, competition_id)
    if not unit.caller.hosts(competition_id):
        return page("observed.html", **seen)
    deleted = round_order.deleted(unit, competition_id)
    shut = lab_doors.closed_experiments(unit.session, competition_id)
    return page(
        "competition.html",
        amiss.status if (amiss := refused or trouble) else 200,
        **seen,
        base=base,
        walls=walls.count(unit, competition_id),
        announced=announcements.listed(unit, competition_id),
        trouble=told(trouble) if trouble else None,
        deleted=deleted,
        kept=retention.see(unit, competition_id),
        lab_open=lab_doors.is_open(unit.session, competition_id),
        experiments=[(each, each not in shut, experiment_name(each)) for each in LabExperiment],
        titles=games.titles(unit.session, {row.digest for row in deleted}),
        form=form or {},
        opened=False,
        own_game=None,
        error=told(refused) if refused else None,
        wrong=field_of(refused) if refused else None,
        events=competition_id,
        **round_form.choices(unit),
    )


def _seen(unit: Unit, competition_id: str) -> dict[str, Any]:
    """What observers see too."""
    callers.require_watcher(unit.caller, competitions.find(unit.session, competition_id).id)
    return {
        "viewer": viewer(unit),
        "competition": competitions.see(unit, competition_id),
        **control.shown(unit, competition_id),
        "league": league.begins(unit.session, competition_id),
    }


def field_of(refused: RequestError) -> str | None:
    """The field of the form that is refused, where it is one of them."""
    return next((error.pointer.split("/")[1] for error in refused.errors), None)


@router.post("/rounds/{round_id}/reveal")
async def reveal(write: WriteOf, round_id: str, form: FormOf) -> Response:
    row = await write(reveals.reveal, round_id, which_of(form.get("which", "")), "names" in form)
    return _to(row.competition_id)


@router.post("/rounds/{round_id}/conceal")
async def conceal(write: WriteOf, round_id: str) -> Response:
    row = await write(reveals.conceal, round_id)
    return _to(row.competition_id)


def which_of(text: str) -> Which:
    """Raises `RequestError` for what no form says."""
    try:
        return Which(text)
    except ValueError:
        raise invalid("/which", "Say whose moves are to be revealed.") from None


@router.post("/submissions/{submission_id}/{action}")
async def set_hidden(write: WriteOf, submission_id: str, action: Literal["hide", "show"]) -> Response:
    return _to(await write.show(_competition_of, submissions.set_hidden, submission_id, action == "hide"))


def _competition_of(unit: Unit, row: Submission) -> str:
    return rounds.find_round(unit.session, row.round_id).competition_id
