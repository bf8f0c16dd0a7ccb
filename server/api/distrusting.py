"""Whom a host does not believe: workers and builds."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from server.api import rescorings
from server.api.bodies import Label, Request
from server.api.json_route import JsonRoute
from server.api.rescorings import RescoringShown
from server.api.workforce import Distrusted
from server.arena import distrusting
from server.arena.distrusting import Stopped
from server.arena.unit import Unit
from server.db.states import Blamed
from server.http.calls import WriteOf

router = APIRouter(tags=["judges and games"], route_class=JsonRoute)

Name = Annotated[Label, Field(min_length=1, description="A worker's id, a lent one's token's id, or a build.")]


class DistrustRequest(Request):
    kind: Blamed
    name: Name = Field(examples=["tok_5a1c0e8f72b3d946"])


class DistrustShown(BaseModel):
    distrusted: Distrusted
    measurements: int = Field(description="How many are measured again.")
    rescorings: list[RescoringShown] = Field(
        description="Of rounds in which these may count: each shows who moves, and is applied by a host."
    )


@router.post("/workers:distrust")
async def distrust_worker(write: WriteOf, body: DistrustRequest) -> DistrustShown:
    """No more work for a worker or a build: all that it measured is measured again by others, and the rounds in which
    that may count are scored again, aside. The server's owner only."""
    await write.context.look_for_workers()
    return await write.show(_shown, distrusting.distrust, body.kind, body.name)


@router.post("/workers:trust", status_code=204)
async def trust_worker(write: WriteOf, body: DistrustRequest) -> None:
    """A worker or a build that nobody believed may work again. The server's owner only."""
    await write(distrusting.trust_again, body.kind, body.name)


def _shown(unit: Unit, stopped: Stopped) -> DistrustShown:
    return DistrustShown(
        distrusted=Distrusted.model_validate(stopped.row, from_attributes=True),
        measurements=stopped.mended.measurements,
        rescorings=[rescorings.shown(unit, each) for each in stopped.mended.rescorings],
    )
