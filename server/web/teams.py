"""The host's page of a competition's teams."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Depends
from starlette.responses import Response

from server.arena import callers, competitions, players, teams
from server.arena.unit import Unit
from server.db.models import Player, Team
from server.errors import RequestError
from server.http.calls import Read, ReadOf, WriteOf
from server.web import view_models
from server.web.rendering import FormOf, go, own_forms_only, page

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
PAGE = "/host/competitions/{competition_id}/teams"
FIELD = "of-"  # before a player's id
MOST_LISTED = 500  # players in one form


@dataclass(frozen=True, slots=True)
class TeamShown:
    """A team, and who is in it."""

    team: Team
    members: Sequence[Player]


@router.get(PAGE)
async def of_competition(read: ReadOf, competition_id: str) -> Response:
    return await read(_page, competition_id)


def _page(unit: Unit, competition_id: str, refused: RequestError | None = None) -> Response:
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    members = [each for each in players.members(unit.session, competition_id) if not (each.removed or each.pending)]
    there = [each.team for each in teams.see(unit, competition_id)]
    return page(
        "teams.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        competition=competition,
        teams=[TeamShown(team, [each for each in members if each.team_id == team.id]) for team in there],
        members=members,
        alone=sum(each.team_id not in {team.id for team in there} for each in members),
        deleted=teams.deleted(unit.session, competition_id),
        refused=refused,
        field=FIELD,
        most=teams.MOST,
        listable=len(members) <= MOST_LISTED,
    )


@router.post(PAGE)
async def create(read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    return await _done(read, competition_id, write(teams.create, competition_id, form.get("name", "")))


@router.post(PAGE + "/spread")
async def spread(read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    return await _done(read, competition_id, write(teams.spread, competition_id, _count(form.get("count", ""))))


def _count(text: str) -> int:
    """0, which is no number of teams, for what is no number at all."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


@router.post(PAGE + "/members")
async def put_all(read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    """Who is in which team, as the whole list says."""
    wanted = {name.removeprefix(FIELD): team or None for name, team in form.items() if name.startswith(FIELD)}
    return await _done(read, competition_id, write(teams.put_all, competition_id, wanted))


@router.post("/host/teams/{team_id}/rename")
async def rename(read: ReadOf, write: WriteOf, team_id: str, form: FormOf) -> Response:
    competition_id = await read(_competition_of, team_id)
    return await _done(read, competition_id, write(teams.rename, team_id, form.get("name", "")))


@router.post("/host/teams/{team_id}/{action}")
async def one(read: ReadOf, write: WriteOf, team_id: str, action: Literal["delete", "restore"]) -> Response:
    competition_id = await read(_competition_of, team_id)
    return await _done(read, competition_id, write({"delete": teams.delete, "restore": teams.restore}[action], team_id))


def _competition_of(unit: Unit, team_id: str) -> str:
    """Nowhere for a team that is not there: what is done to it says so."""
    team = unit.session.get(Team, team_id)
    return team.competition_id if team else ""


async def _done(read: Read, competition_id: str, change: Awaitable[object]) -> Response:
    """Back to the page once something is changed; or the page with what was refused, where that is not about who
    asks."""
    try:
        await change
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await read(_page, competition_id, refused)
    return go(PAGE.format(competition_id=competition_id))
