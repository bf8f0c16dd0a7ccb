"""The caller."""

from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from server.api import me_schemas, schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import allowances, players, submissions
from server.arena.unit import Unit
from server.db.models import Player
from server.http.calls import ReadOf, WaitOf, WriteOf
from server.http.context import AppContext
from server.http.live import until

router = APIRouter(tags=["me"], route_class=JsonRoute)
Held = Annotated[
    float,
    Query(ge=0, le=60, description="Hold the answer while the player waits to be let in, so many seconds at most."),
]


@router.get("/me", summary="Whose token this is")
async def get_me(read: WaitOf, wait: Held = 0) -> me_schemas.Me:
    """Whose token this is, what it is good for, and what a player has left of what is limited."""

    async def look() -> me_schemas.Me:
        return await _with_rate(read.context, await read.show(_me, players.own))

    shown = await look()
    if not (wait and _waits(shown)):
        return shown
    return await until(read.context.live, await read(_token), look, lambda now: not _waits(now), wait)


def _me(unit: Unit, own: Player | None) -> me_schemas.Me:
    return me_schemas.Me(
        scope=unit.caller.scope,
        player=views.player(unit, own) if own else None,
        competition=unit.caller.competition,
        name=unit.caller.name,
        owner=unit.caller.owner,
        allowance=_allowance(unit, own) if own else None,
    )


def _allowance(unit: Unit, own: Player) -> me_schemas.Allowance:
    left = asdict(allowances.of_player(unit, own))
    return me_schemas.Allowance(rate=unit.settings.rate_limit, at_once=0, wait_s=0, **left)


async def _with_rate(context: AppContext, shown: me_schemas.Me) -> me_schemas.Me:
    """How quick a player may be now, which no table says."""
    if shown.player is not None and shown.allowance is not None:
        left = await context.in_thread(partial(context.rates.left, shown.player.id))
        shown.allowance.at_once = int(left)
        shown.allowance.wait_s = round(max(0.0, 1 - left) / context.rates.rate, 3)
    return shown


def _waits(shown: me_schemas.Me) -> bool:
    return shown.player is not None and shown.player.pending


def _token(unit: Unit) -> str:
    return unit.caller.token


@router.get("/me/submissions")
async def list_my_submissions(
    read: ReadOf, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[schemas.Submission]:
    """All of the caller's submissions, newest first."""
    return await read.show(views.page, submissions.mine, cursor, limit)


@router.delete("/me/token", status_code=204)
async def revoke_my_token(write: WriteOf) -> Response:
    """End this token. Open event streams that it opened end too."""
    await write(players.revoke)
    return Response(status_code=204)
