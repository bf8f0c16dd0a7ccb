"""The lab's page: what a judge expects at each token of a text, before a context and without it."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.responses import Response

from games.sentences import say
from judge.profiles import ARENA
from judge.reading import Candidate, Reading
from server.arena import competitions, lab, lab_doors
from server.arena.unit import Unit
from server.db.models import Judge
from server.db.states import LabExperiment, WorkState
from server.errors import RequestError, invalid, not_found
from server.http.calls import MeasureOf, PictureOf, ReadOf, WriteOf
from server.http.live import until
from server.web import lab_parts, view_models
from server.web.lab_charts import Ending, sent
from server.web.lab_figures import reading_svg
from server.web.lab_parts import PartsShown, Spike
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.score_breakdown import Piece
from server.web.surprise import STEPS
from server.web.words import experiment_name, told

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
HELD = 10  # seconds that a page waits for its reading
TOLD = 5  # of the likeliest tokens at a place


PATHS = {
    LabExperiment.READING: "/lab",
    LabExperiment.SAMPLING: "/lab/sampling",
    LabExperiment.PASSAGES: "/lab/passages",
    LabExperiment.ANSWERS: "/lab/answers",
    LabExperiment.PAIRS: "/lab/pairs",
}


@dataclass(frozen=True, slots=True)
class Link:
    """The way to an experiment."""

    name: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Place:
    """A token of the text. alone: its bits without the context; None where there is none. saved: what that saves."""

    number: int
    text: str
    bits: float
    rank: int
    entropy: float
    top: Sequence[Candidate]
    alone: float | None = None

    @property
    def saved(self) -> float:
        return 0.0 if self.alone is None else self.alone - self.bits


@dataclass(frozen=True, slots=True)
class Mark:
    """A token on the map, or several, where they make one character together. number: of the last of them."""

    number: int
    cost: Piece
    gain: Piece


@dataclass(frozen=True, slots=True)
class ReadingShown:
    """A reading, as far as it is there. saved: bits, by the context."""

    id: str
    judge: str
    text: str
    prefix: str
    state: WorkState
    failure: str | None
    read: Reading | None
    alone: Reading | None
    places: Sequence[Place]
    marks: Sequence[Mark]
    parts: PartsShown | None
    steps: Sequence[float] = STEPS

    @property
    def picture(self) -> Markup:
        assert self.read is not None
        borders = self.parts.found.borders if self.parts else ()
        return Markup(reading_svg(self.read, borders))  # noqa: S704 (it escapes texts)

    @property
    def saved(self) -> float | None:
        return self.alone.bits - self.read.bits if self.read and self.alone else None


@router.get("/lab")
async def front(read: ReadOf, text: str = "", prefix: str = "", judge: str = "") -> Response:
    """The form; what the address says of it is filled in, and nothing is asked before somebody presses the button."""
    if not text and (elsewhere := await read(_instead)):
        return go(elsewhere)
    await read.context.look_for_workers()
    return await read(_page, {"text": text, "prefix": prefix, "judge": judge})


@router.post("/lab/readings")
async def ask(call: MeasureOf, read: ReadOf, form: FormOf) -> Response:
    await call.context.look_for_workers()
    try:
        asked = await call(lab.read, form.get("judge") or None, form.get("prefix", ""), form.get("text", ""), ARENA)
    except RequestError as refused:
        if refused.status == 401:
            raise
        return await read(_page, form, refused)
    return go(f"/lab/readings/{asked.after.key}#reading")


@router.get("/lab/readings/{reading_id}")
async def reading(read: ReadOf, reading_id: str, rule: str = "", bits: str = "") -> Response:
    """A reading of one's own; held until it is there, for some seconds. rule, bits: where its text is cut."""
    spike = lab_parts.spike(rule, bits)
    asked = await read(lab.see, reading_id)
    also = None if asked.alone is None else asked.alone.key

    async def look() -> WorkState:
        return (await read(lab.see, reading_id)).state

    await until(read.context.live, reading_id, look, lambda state: state is not WorkState.PENDING, HELD, also=also)
    return await read(_reading, reading_id, spike)


@router.get("/lab/readings/{reading_id}/tokens.csv")
async def table(read: ReadOf, reading_id: str) -> Response:
    """The same as a table for programs."""
    shown = await read(_shown, reading_id)
    headers = {"Content-Disposition": 'attachment; filename="reading.csv"', "Cache-Control": "no-store"}
    return Response("\n".join(_csv(shown)) + "\n", media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/lab/readings/{reading_id}/picture.{ending}")
async def picture(read: PictureOf, reading_id: str, ending: Ending, rule: str = "", bits: str = "") -> Response:
    """The page's drawing as a file."""
    drawn = await read(_drawn, reading_id, lab_parts.spike(rule, bits))
    return await sent(drawn, ending, "reading")


@router.post("/host/competitions/{competition_id}/lab")
async def switch(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    """The host's button that closes the lab to players, or opens it."""
    if form.get("lab") not in ("open", "closed"):
        raise invalid("/lab", say("Say whether the lab is open or closed."))
    await write(competitions.change, competition_id, lab_open=form["lab"] == "open")
    return go(f"/host/competitions/{competition_id}")


@router.post("/host/competitions/{competition_id}/experiments")
async def choose(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    """The host's choice of the experiments that are open to players: a box that is checked for each."""
    closed = [each for each in LabExperiment if each not in form]
    await write(competitions.change, competition_id, closed=closed)
    return go(f"/host/competitions/{competition_id}")


def _page(
    unit: Unit, form: dict[str, str], refused: RequestError | None = None, shown: ReadingShown | None = None
) -> Response:
    lab_doors.require(unit, LabExperiment.READING)
    return page(
        "lab.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        experiments=experiments(unit),
        form={"text": "", "prefix": "", "judge": "", **form},
        error=told(refused) if refused else None,
        judges=choices(unit),
        reading=shown,
        most=lab.TOKENS,
    )


def _reading(unit: Unit, key: str, spike: Spike) -> Response:
    shown = _shown(unit, key, spike)
    return _page(unit, {"text": shown.text, "prefix": shown.prefix, "judge": shown.judge}, None, shown)


def experiments(unit: Unit) -> list[Link]:
    """Those that the caller may use, as the pages of the lab lead to them."""
    return [Link(str(each), PATHS[each], experiment_name(each)) for each in lab_doors.open_experiments(unit)]


def _instead(unit: Unit) -> str | None:
    """Where *Lab* leads to when the host has closed readings, but not all: to the first experiment that is open."""
    found = lab_doors.open_experiments(unit)
    return None if not found or LabExperiment.READING in found else PATHS[found[0]]


def _drawn(unit: Unit, key: str, spike: Spike) -> str:
    shown = _shown(unit, key, spike)
    if shown.read is None or shown.parts is None:
        raise not_found("There is nothing to show of {name} yet.", key[:64])
    return reading_svg(shown.read, shown.parts.found.borders, alone=True)


def choices(unit: Unit) -> list[str]:
    """The names of the judges at work that may be asked."""
    found = [unit.session.get_one(Judge, identity).name for identity in unit.workforce.judges()]
    return [name for name in dict.fromkeys(found) if name not in unit.settings.private_judge]


def _shown(unit: Unit, key: str, spike: Spike | None = None) -> ReadingShown:
    asked = lab.see(unit, key)
    read, alone = [lab.reading(unit.session, row) if row else None for row in (asked.after, asked.alone)]
    known = asked.state is WorkState.KNOWN
    places = list(_places(read, alone)) if known and read else []
    judge = unit.session.get_one(Judge, asked.after.judge)
    return ReadingShown(
        id=key,
        judge=judge.name,
        text=asked.after.question["text"],
        prefix=asked.after.question["prefix"],
        state=asked.state,
        failure=next((row.failure for row in asked.rows if row.failure), None),
        read=read if known else None,
        alone=alone if known else None,
        places=places,
        marks=list(_marks(places)),
        parts=lab_parts.shown(read, alone, judge.direction, spike) if known and read and spike else None,
    )


def _places(read: Reading, alone: Reading | None) -> Iterator[Place]:
    for index, token in enumerate(read.tokens):
        without = None if alone is None else alone.tokens[index].bits
        yield Place(index + 1, token.text, token.bits, token.rank, token.entropy, token.top[:TOLD], without)


def _marks(places: Sequence[Place]) -> Iterator[Mark]:
    bits = saved = 0.0
    for place in places:
        bits, saved = bits + place.bits, saved + place.saved
        if place.text:  # what ends inside a character comes with no text
            yield Mark(place.number, Piece(place.text, bits), Piece(place.text, saved))
            bits = saved = 0.0


def _csv(shown: ReadingShown) -> Iterator[str]:
    """Texts of tokens are JSON, by which white space is seen and no spreadsheet takes one for a formula."""
    beside = ("alone_bits", "saved") if shown.alone else ()
    yield ",".join(("token", "token_text", "bits", "rank", "entropy", *beside, "top"))
    tokens = shown.read.tokens if shown.read else ()
    for place, token in zip(shown.places, tokens, strict=True):
        top = json.dumps([[each.text, each.probability] for each in token.top])
        numbers = [place.bits, place.rank, place.entropy, *((place.alone, place.saved) if shown.alone else ())]
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([place.number, json.dumps(token.text), *numbers, top])
        yield line.getvalue()
