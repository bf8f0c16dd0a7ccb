"""Measuring freely, outside any game."""

from contextlib import suppress
from functools import partial

from fastapi import APIRouter, Response

from server.api import bodies, schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Wait
from server.arena import exploring
from server.errors import ServerError
from server.http.calls import MeasureOf, Read, ReadOf
from server.http.live import until

router = APIRouter(tags=["measurements"], route_class=JsonRoute)


@router.post(
    "/measurements", status_code=201, responses={202: {"description": "On its way.", "model": schemas.Measurement}}
)
async def measure_text(
    call: MeasureOf, read: ReadOf, body: bodies.MeasurementRequest, response: Response, wait: Wait = 0
) -> schemas.Measurement:
    """The bits of a text with and without a prefix. Runs in the bots' lane; closed to players of an open round with
    an attempt limit for that judge, and for its texts to everybody, unless the host allows it."""
    await call.context.look_for_workers()
    shown = await call.show(views.measurement, exploring.explore, body.judge, body.prefix, body.text, body.profile)
    if shown.state == "pending" and wait:
        with suppress(ServerError):  # a round with an attempt limit opened meanwhile: it was taken all the same
            shown = await _held(read, shown.id, wait)
    response.headers["Location"] = f"/api/v1/measurements/{shown.id}"
    response.status_code = 202 if shown.state == "pending" else 201
    return shown


@router.get("/measurements/{key}")
async def get_measurement(read: ReadOf, key: str, wait: Wait = 0) -> schemas.Measurement:
    """A free measurement that the caller has asked for, as it is now; 404 for anybody else."""
    return await _held(read, key, wait)


async def _held(read: Read, key: str, seconds: float) -> schemas.Measurement:
    row, base = await read(exploring.see, key)
    look = partial(read.show, views.measurement, exploring.see, key)
    return await until(read.context.live, row.key, look, lambda shown: shown.state != "pending", seconds, also=base.key)
