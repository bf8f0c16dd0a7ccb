"""The page of judges and workers: who measures, and what was announced that nobody understood."""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Depends
from sqlalchemy import select
from starlette.responses import Response

from server.arena import distrusting, judges, missing_judges, naming, second_judges, trust
from server.arena.unit import Unit
from server.db.models import Competition, Round
from server.db.rescorings import Rescoring
from server.db.states import Blamed, RescoringState
from server.errors import RequestError
from server.http.calls import ReadOf, WriteOf
from server.web import view_models
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(prefix="/host/judges", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("")
async def everyone(read: ReadOf) -> Response:
    await read.context.look_for_workers()
    return await read(_page)


@router.post("/{action}")
async def change(
    read: ReadOf, write: WriteOf, action: Literal["distrust", "trust", "accept"], form: FormOf
) -> Response:
    await read.context.look_for_workers()
    kind, name = Blamed.BUILD if form.get("kind") == Blamed.BUILD else Blamed.WORKER, form.get("name", "")
    try:
        if action == "distrust":
            await write(distrusting.distrust, kind, name)
        elif action == "trust":
            await write(distrusting.trust_again, kind, name)
        else:
            await write(naming.accept, name)
    except RequestError as refused:
        if refused.status not in (404, 409, 422):
            raise
        return await read(_page, refused)
    return go("/host/judges")


def _page(unit: Unit, refused: RequestError | None = None) -> Response:
    workforce, found = judges.workers(unit), judges.visible(unit)
    return page(
        "judges.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        judges=found,
        unnamed={row.identity: wanted for row in found if (wanted := naming.wanted_name(row)) is not None},
        packaged={row.identity for row in found if naming.packaged(naming.wanted_name(row) or "") is not None},
        workforce=workforce,
        missing=missing_judges.of_server(unit),
        workers=sorted(workforce.workers, key=lambda worker: worker.id),
        distrusted=trust.everyone(unit.session),
        differences=trust.differences(unit.session),
        aside=_aside(unit),
        may_change=unit.caller.owner,
        builds=sorted({worker.build for worker in workforce.workers}),
        error=told(refused) if refused else None,
    )


def _aside(unit: Unit) -> Sequence[tuple[Rescoring, Round, Competition]]:
    """Scores that wait for a host to look at them: of rounds that are scored again, and not by a second judge."""
    query = select(Rescoring, Round, Competition).join(Round, Round.id == Rescoring.round_id).join(Competition)
    rows = unit.session.execute(query.where(Rescoring.state == RescoringState.RUNNING).order_by(Rescoring.made_at))
    return [
        (row, round_, competition)
        for row, round_, competition in rows.all()
        if unit.caller.watches(competition.id) and not second_judges.is_second(round_, row)
    ]
