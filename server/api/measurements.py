"""Measuring freely, outside any game."""

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from server.api import schemas, views
from server.api.params import Wait
from server.arena import measurements, players
from server.arena.outbox import Outbox
from server.arena.validation import clean
from server.db.models import Judge
from server.http.live import until
from server.http.requests import ArenaOf, TokenOf

router = APIRouter(tags=["measurements"])


@router.post(
    "/measurements", status_code=201, responses={202: {"description": "On its way.", "model": schemas.Measurement}}
)
async def measure(
    arena: ArenaOf, token: TokenOf, body: schemas.MeasurementRequest, response: Response, wait: Wait = 0
) -> schemas.Measurement:
    """The bits of a text with and without a prefix. Runs in the bots' lane; closed to players of an open round with
    an attempt limit for that judge, unless the host allows it."""
    prefix = clean(body.prefix, "/prefix", what="The prefix", empty=True)
    text = clean(body.text, "/text")
    await arena.look_for_workers()

    def work(session: Session, outbox: Outbox) -> str:
        caller = players.authenticate(session, token)
        arena.rates.spend(f"measure {caller.player or caller.token}")
        private = arena.settings.private_judge
        judge = arena.default_judge() if body.judge is None else body.judge
        key, jobs = measurements.explore(session, caller, judge, prefix, text, body.profile, private)
        outbox.jobs += jobs
        return key

    shown = await _held(arena, await arena.write(work), wait)
    response.headers["Location"] = f"/api/v1/measurements/{shown.id}"
    response.status_code = 202 if shown.state == "pending" else 201
    return shown


@router.get("/measurements/{key}")
async def one(arena: ArenaOf, token: TokenOf, key: str, wait: Wait = 0) -> schemas.Measurement:
    """A free measurement, as it is now."""

    def check(session: Session) -> None:
        caller = players.authenticate(session, token)
        row, _ = measurements.find(session, key)
        judge = session.get_one(Judge, row.judge)
        measurements.may_explore(session, caller, judge, arena.settings.private_judge)

    await arena.read(check)
    return await _held(arena, key, wait)


async def _held(arena: ArenaOf, key: str, seconds: float) -> schemas.Measurement:
    async def read() -> schemas.Measurement:
        return await arena.read(lambda session: views.measurement(session, *measurements.find(session, key)))

    row, base = await arena.read(lambda session: measurements.find(session, key))
    return await until(arena.live, row.key, read, lambda shown: shown.state != "pending", seconds, also=base.key)
