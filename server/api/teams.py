"""Teams: a competition's players, put together by its hosts, with boards of their own."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api import bodies, schemas, views
from server.api.boards import KNOWN, whole_board
from server.api.json_route import JsonRoute
from server.arena import team_boards, teams
from server.arena.team_boards import TeamEntry
from server.arena.teams import Members
from server.arena.unit import Unit
from server.db.models import Team
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["teams"], route_class=JsonRoute)


@router.get("/competitions/{competition_id}/teams")
async def list_teams(read: ReadOf, competition_id: str) -> schemas.Items[schemas.Team]:
    """The teams of a competition, in the order in which they were made."""
    return await read.show(_sized, teams.see, competition_id)


@router.post("/competitions/{competition_id}/teams", status_code=201)
async def create_team(write: WriteOf, competition_id: str, body: bodies.TeamRequest) -> schemas.TeamName:
    """A team that nobody is in yet; at most 100 in a competition. Hosts only."""
    return await write.show(_named, teams.create, competition_id, body.name)


@router.post("/competitions/{competition_id}/teams:spread", summary="Spread players over teams")
async def spread_teams(write: WriteOf, competition_id: str, body: bodies.SpreadRequest) -> schemas.Items[schemas.Team]:
    """Put every person who is in no team into the smallest one. Missing teams are made. Hosts only."""
    return await write.show(_sized, teams.spread, competition_id, body.count)


@router.patch("/teams/{team_id}")
async def rename_team(write: WriteOf, team_id: str, body: bodies.TeamRequest) -> schemas.TeamName:
    """Call a team otherwise. Hosts only."""
    return await write.show(_named, teams.rename, team_id, body.name)


@router.delete("/teams/{team_id}")
async def delete_team(write: WriteOf, team_id: str) -> schemas.TeamName:
    """Take a team away. Its players keep what they earned, and are in none. `:restore` undoes it. Hosts only."""
    return await write.show(_named, teams.delete, team_id)


@router.post("/teams/{team_id}:restore")
async def restore_team(write: WriteOf, team_id: str) -> schemas.TeamName:
    """Take a deleted team back, with those of its players who are in no other one by now. Hosts only."""
    return await write.show(_named, teams.restore, team_id)


@router.put("/players/{player_id}/team", summary="Put a player into a team")
async def put_player_into_team(write: WriteOf, player_id: str, body: bodies.PlayerTeamRequest) -> schemas.Player:
    """Put a player into a team, or out of theirs. What they have earned counts for the team they are in. While the
    boards are frozen nobody changes teams. Hosts only."""
    return await write.show(views.player, teams.put, player_id, body.team)


@router.get("/rounds/{round_id}/team-leaderboard", response_model=schemas.Items[schemas.TeamEntry], responses=KNOWN)
async def get_round_team_leaderboard(request: Request, read: ReadOf, round_id: str) -> Response:
    """Each team by the best that one of its players has in a round, or by the best rating in a round of a zero-sum
    game."""
    return whole_board(request, _lines(await read(team_boards.see_round, round_id)))


@router.get(
    "/competitions/{competition_id}/team-leaderboard", response_model=schemas.Items[schemas.TeamEntry], responses=KNOWN
)
async def get_competition_team_leaderboard(request: Request, read: ReadOf, competition_id: str) -> Response:
    """What each team's best in every round adds up to, by the competition's `total`."""
    return whole_board(request, _lines(await read(team_boards.see_competition, competition_id)))


def _named(_: Unit, row: Team) -> schemas.TeamName:
    return schemas.TeamName(id=row.id, name=row.name)


def _sized(_: Unit, found: Sequence[Members]) -> schemas.Items[schemas.Team]:
    shown = [schemas.Team(id=each.team.id, name=each.team.name, players=each.players) for each in found]
    return schemas.Items(items=shown)


def _lines(entries: Sequence[TeamEntry]) -> list[schemas.TeamEntry]:
    return [
        schemas.TeamEntry(rank=each.rank, team=schemas.TeamName(id=each.team, name=each.name), value=each.ranks / 1000)
        for each in entries
    ]
