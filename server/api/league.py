"""The league of a competition's programs."""

from fastapi import APIRouter

from server.api import schemas, views
from server.api.json_route import JsonRoute
from server.api.league_schemas import LeagueEntry, LeagueMark
from server.api.params import Cursor, Limit
from server.arena import league
from server.arena.league import Mark
from server.arena.unit import Unit
from server.http.calls import ReadOf

router = APIRouter(tags=["competitions"], route_class=JsonRoute)


@router.get("/competitions/{competition_id}/league")
async def get_competition_league(
    read: ReadOf, competition_id: str, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[LeagueEntry]:
    """A competition's bots, rated over time. Every round that has ended ranks those who stand in it, all at once, by
    their best or, in a round of a zero-sum game, by their rating. While the boards are frozen players see the league as
    it was then."""
    return await read.show(views.items(_entry, cursor, limit), league.entries, competition_id)


def _entry(_: Unit, entry: league.LeagueEntry) -> LeagueEntry:
    rating = entry.rating
    return LeagueEntry(
        rank=entry.rank,
        player=views.board_player(entry.player),
        rating=rating.value,
        mu=rating.mu,
        sigma=rating.sigma,
        rounds=rating.plays,
        history=[_mark(each) for each in entry.history],
    )


def _mark(mark: Mark) -> LeagueMark:
    return LeagueMark(round=mark.round, number=mark.number, rating=mark.rating.value)
