"""The page of a competition's league: its programs, rated over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from server.arena import competitions, league
from server.arena.league import League, LeagueEntry
from server.arena.unit import Unit
from server.http.calls import ReadOf
from server.web import view_models
from server.web.i18n import _
from server.web.league_chart import Course, courses_svg
from server.web.rendering import page

router = APIRouter(include_in_schema=False)
SHOWN = 100  # programs of the table
DRAWN = 8  # programs of the chart, the best


@dataclass(frozen=True, slots=True)
class Chart:
    """The best programs' ratings after each round, drawn and in numbers. rows: a round's number, and of each program
    the rating after it, or None where it did not stand there."""

    svg: str
    names: Sequence[tuple[int, str]]
    rows: Sequence[tuple[int, Sequence[float | None]]]


@router.get("/competitions/{competition_id}/league")
async def of_competition(read: ReadOf, competition_id: str) -> Response:
    return await read(_page, "league.html", competition_id)


@router.get("/competitions/{competition_id}/league/part")
async def part(read: ReadOf, competition_id: str) -> Response:
    return await read(_page, "parts/league.html", competition_id)


def _page(unit: Unit, template: str, competition_id: str) -> Response:
    found = league.see(unit, competition_id)
    return page(
        template,
        events=competition_id,
        viewer=view_models.viewer(unit),
        competition=competitions.find(unit.session, competition_id),
        entries=found.entries[:SHOWN],
        more=max(0, len(found.entries) - SHOWN),
        count=len(found.rounds),
        chart=_chart(found) if found.entries else None,
    )


def _chart(found: League) -> Chart:
    best = found.entries[:DRAWN]
    numbers = [each.number for each in found.rounds]
    ratings = [_ratings(entry, found) for entry in best]
    courses = [Course(each.rank, each.player.name, after) for each, after in zip(best, ratings, strict=True)]
    label = _("The ratings of the best programs after each round. The same in numbers stands below.")
    return Chart(
        courses_svg(courses, numbers, label),
        [(each.rank, each.player.name) for each in best],
        [(number, [after[place] for after in ratings]) for place, number in enumerate(numbers)],
    )


def _ratings(entry: LeagueEntry, found: League) -> list[float | None]:
    after = {mark.round: mark.rating.value for mark in entry.history}
    return [after.get(each.id) for each in found.rounds]
