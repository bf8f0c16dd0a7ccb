"""What a judge writes, by several methods side by side, outside any game."""

from contextlib import suppress
from functools import partial

from fastapi import APIRouter, Response

from server.api import bodies, lab_schemas
from server.api.json_route import JsonRoute
from server.api.params import Wait
from server.arena import samples
from server.arena.unit import Unit
from server.db.lab import Experiment
from server.db.models import Judge
from server.errors import ServerError
from server.http.calls import MeasureOf, Read, ReadOf
from server.http.live import until

router = APIRouter(tags=["lab"], route_class=JsonRoute)


@router.post("/samples", status_code=201, responses={202: {"description": "On its way.", "model": lab_schemas.Samples}})
async def sample_text(
    call: MeasureOf, read: ReadOf, body: bodies.SampleRequest, response: Response, wait: Wait = 0
) -> lab_schemas.Samples:
    """What a judge writes after a text, by several methods from one seed, and what might have come at each token.

    The distributions are deterministic, the draw is seeded. Runs behind everybody's moves, in small steps; closed to
    players where readings are.
    """
    await call.context.look_for_workers()
    shown = await call.show(view, samples.sample, body.judge, body.prefix, body.methods, body.tokens, body.seed)
    if shown.state == "pending" and wait:
        with suppress(ServerError):  # a round with an attempt limit opened meanwhile: it was taken all the same
            shown = await _held(read, shown.id, wait)
    response.headers["Location"] = f"/api/v1/samples/{shown.id}"
    response.status_code = 202 if shown.state == "pending" else 201
    return shown


@router.get("/samples/{samples_id}")
async def get_samples(read: ReadOf, samples_id: str, wait: Wait = 0) -> lab_schemas.Samples:
    """Samples of one's own, as they are now."""
    return await _held(read, samples_id, wait)


async def _held(read: Read, key: str, seconds: float) -> lab_schemas.Samples:
    look = partial(read.show, view, samples.see, key)
    return await until(read.context.live, key, look, lambda shown: shown.state != "pending", seconds)


def view(unit: Unit, row: Experiment) -> lab_schemas.Samples:
    """A row with what came of it."""
    judge = unit.session.get_one(Judge, row.judge)
    found = samples.samples(unit.session, row)
    listed = None if found is None else [{"method": method, **each.as_json()} for method, each in found]
    told = {"judge": judge.name, "identity": judge.identity, **row.question, "samples": listed}
    state = {"id": row.key, "state": row.state.value, "build": row.build, "failure": row.failure}
    return lab_schemas.Samples.model_validate({**told, **state})
