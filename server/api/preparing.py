"""What a host does besides opening and closing rounds: edit, prolong, publish, duplicate, order, delete."""

from fastapi import APIRouter, Response

from server.api import bodies, schemas, views
from server.api.json_route import JsonRoute
from server.arena import competitions, round_making, round_order, rounds
from server.http.calls import WriteOf

router = APIRouter(tags=["rounds"], route_class=JsonRoute)


@router.patch("/rounds/{round_id}")
async def change_round(write: WriteOf, round_id: str, body: bodies.RoundChange) -> schemas.Round:
    """Change what the body names: all of a round until somebody has moved in it, its title and its end also then. Hosts
    only."""
    await write.context.look_for_workers()
    return await write.show(views.round_, round_making.change, round_id, body.said(given_only=True))


@router.post("/rounds/{round_id}:prolong")
async def prolong_round(write: WriteOf, round_id: str, body: bodies.ProlongRequest) -> schemas.Round:
    """Let a round that has not ended yet end later. Hosts only."""
    return await write.show(views.round_, rounds.prolong, round_id, body.seconds)


@router.post("/rounds/{round_id}:publish")
async def publish_round(write: WriteOf, round_id: str) -> schemas.Round:
    """Let players see a draft; it opens at its time, or at once where it has none. Hosts only."""
    return await write.show(views.round_, rounds.publish, round_id)


@router.post("/rounds/{round_id}:duplicate", status_code=201)
async def duplicate_round(write: WriteOf, round_id: str) -> schemas.Round:
    """Make a draft of the same round. Hosts only."""
    await write.context.look_for_workers()
    return await write.show(views.round_, round_making.duplicate, round_id)


@router.post("/rounds/{round_id}:move")
async def move_round(write: WriteOf, round_id: str, body: bodies.MoveRoundRequest) -> schemas.Round:
    """Give a round the place of another one of its competition; those between make room. Hosts only."""
    return await write.show(views.round_, round_order.move, round_id, body.number)


@router.post("/rounds/{round_id}:delete")
async def delete_round(write: WriteOf, round_id: str) -> schemas.Round:
    """Take a round that is not going on out of its competition. For a day `:restore` undoes it. Hosts only."""
    return await write.show(views.round_, round_order.delete, round_id)


@router.post("/rounds/{round_id}:restore")
async def restore_round(write: WriteOf, round_id: str) -> schemas.Round:
    """Take a deleted round back, as it was. Hosts only."""
    return await write.show(views.round_, round_order.restore, round_id)


@router.post("/competitions/{competition_id}:publish", tags=["competitions"])
async def publish_competition(write: WriteOf, competition_id: str) -> schemas.Competition:
    """Let players join a competition that was a draft. Hosts only."""
    return await write.show(views.competition, competitions.publish, competition_id)


@router.post("/competitions/{competition_id}:duplicate", status_code=201, tags=["competitions"])
async def duplicate_competition(
    write: WriteOf, competition_id: str, body: bodies.DuplicateRequest, response: Response
) -> schemas.Competition:
    """Make a draft of a competition with the same rounds, drafts too, and without its players. Hosts only."""
    await write.context.look_for_workers()
    made = await write.show(views.competition, round_making.duplicate_competition, competition_id, body.name)
    response.headers["Location"] = f"/api/v1/competitions/{made.id}"
    return made
