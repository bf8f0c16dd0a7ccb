"""What a judge knows: readings of any text, outside any game."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from judge.reading import Reading
from judge.unforeseen import Parts, Rule, parts
from server.api import bodies, lab_schemas
from server.api.json_route import JsonRoute
from server.api.params import Wait
from server.arena import lab
from server.arena.unit import Unit
from server.db.models import Judge
from server.db.states import WorkState
from server.errors import ServerError
from server.http.calls import MeasureOf, Read, ReadOf
from server.http.live import until

SpikeRule = Annotated[
    Rule, Query(description="What a border is: the entropy is above so many bits, or so many more than a token before.")
]
SpikeBits = Annotated[
    float | None,
    Query(ge=-100, le=100, description="So many bits; if absent, such that pieces have four tokens on average."),
]

router = APIRouter(tags=["lab"], route_class=JsonRoute)


@router.post(
    "/readings", status_code=201, responses={202: {"description": "On its way.", "model": lab_schemas.Reading}}
)
async def read_text(
    call: MeasureOf,
    read: ReadOf,
    body: bodies.ReadingRequest,
    response: Response,
    wait: Wait = 0,
    rule: SpikeRule = "above",
    bits: SpikeBits = None,
) -> lab_schemas.Reading:
    """What a judge expects at each token of a text, after a prefix and without: bits, rank, entropy, likeliest tokens.

    Runs behind everybody's moves, in small steps. Closed to players where their host has closed the lab, and for the
    judges and passages of an open round with an attempt limit, unless the host allows it.
    """
    await call.context.look_for_workers()
    view = partial(reading, rule=rule, bits=bits)
    shown = await call.show(view, lab.read, body.judge, body.prefix, body.text, body.profile)
    if shown.state == "pending" and wait:
        with suppress(ServerError):  # a round with an attempt limit opened meanwhile: it was taken all the same
            shown = await _held(read, shown.id, wait, view)
    response.headers["Location"] = f"/api/v1/readings/{shown.id}"
    response.status_code = 202 if shown.state == "pending" else 201
    return shown


@router.get("/readings/{reading_id}")
async def get_reading(
    read: ReadOf, reading_id: str, wait: Wait = 0, rule: SpikeRule = "above", bits: SpikeBits = None
) -> lab_schemas.Reading:
    """A reading of one's own, as it is now."""
    return await _held(read, reading_id, wait, partial(reading, rule=rule, bits=bits))


async def _held(
    read: Read, key: str, seconds: float, view: Callable[[Unit, lab.Asked], lab_schemas.Reading]
) -> lab_schemas.Reading:
    asked = await read(lab.see, key)
    look = partial(read.show, view, lab.see, key)
    also = None if asked.alone is None else asked.alone.key
    return await until(read.context.live, key, look, lambda shown: shown.state != "pending", seconds, also=also)


def reading(unit: Unit, asked: lab.Asked, *, rule: Rule, bits: float | None) -> lab_schemas.Reading:
    """A reading beside the one of the same text without its prefix."""
    row, known = asked.after, asked.state is WorkState.KNOWN
    after, alone = [lab.reading(unit.session, each) if each and known else None for each in (row, asked.alone)]
    judge = unit.session.get_one(Judge, row.judge)
    return lab_schemas.Reading(
        id=row.key,
        judge=judge.name,
        identity=judge.identity,
        profile=row.question["profile"],
        prefix=row.question["prefix"],
        text=row.question["text"],
        state=asked.state.value,
        read=_text(after),
        alone=_text(alone),
        saved=alone.bits - after.bits if alone and after else None,
        parts=_parts(parts(after, alone, direction=judge.direction, rule=rule, threshold=bits)) if after else None,
        build=row.build,
        failure=next((each.failure for each in asked.rows if each.failure), None),
    )


def _parts(found: Parts) -> lab_schemas.Parts:
    return lab_schemas.Parts.model_validate(found.as_json())


def _text(reading: Reading | None) -> lab_schemas.ReadText | None:
    return None if reading is None else lab_schemas.ReadText.model_validate(reading.as_json())
