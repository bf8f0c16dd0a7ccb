"""The lab's page of sampling: what a judge writes by several methods side by side, and what each cut left of it."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.responses import Response

from games.sentences import say
from judge.methods import USUAL
from judge.samples import Sample, SampleStep
from server.arena import lab_doors, samples
from server.arena.unit import Unit
from server.db.models import Judge
from server.db.states import LabExperiment, WorkState
from server.errors import RequestError, invalid, not_found
from server.http.calls import MeasureOf, PictureOf, ReadOf
from server.http.live import until
from server.web import view_models
from server.web.cut_picture import cut_svg
from server.web.lab import HELD, choices, experiments
from server.web.lab_charts import Ending, sent
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
TOKENS = 20
# Letters drawn at random, a at a half, b and c at a quarter each: what one who knows no more can say of the next.
LETTERS = "a b a a c b a a a c a b c a a b a c a a c b a a b a c a b a a c a a b c a b a a"
EMPTY = {"prefix": "", "methods": " ".join(USUAL), "tokens": str(TOKENS), "seed": "0", "judge": ""}


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a method. picture: of the step that is looked at."""

    method: str
    sample: Sample
    step: SampleStep
    picture: Markup

    @property
    def again(self) -> int:
        return sum(step.repeats for step in self.sample.steps)


@dataclass(frozen=True, slots=True)
class SamplesShown:
    """Samples, as far as they are there. step: the place that is looked at, from 1."""

    id: str
    state: WorkState
    failure: str | None
    judge: str
    tokens: int
    step: int
    written: Sequence[Written]
    form: dict[str, str]


@router.get("/lab/sampling")
async def front(
    read: ReadOf, prefix: str = "", methods: str = "", tokens: str = "", seed: str = "", judge: str = ""
) -> Response:
    """The form; what the address says of it is filled in, and nothing is asked before somebody presses the button."""
    await read.context.look_for_workers()
    said = {"prefix": prefix, "methods": methods, "tokens": tokens, "seed": seed, "judge": judge}
    return await read(_page, {name: value for name, value in said.items() if value})


@router.post("/lab/samples")
async def ask(call: MeasureOf, read: ReadOf, form: FormOf) -> Response:
    await call.context.look_for_workers()
    try:
        methods = form.get("methods", "").split() or USUAL
        tokens, seed = _whole(form, "tokens", TOKENS), _whole(form, "seed", 0)
        asked = await call(samples.sample, form.get("judge") or None, form.get("prefix", ""), methods, tokens, seed)
    except RequestError as refused:
        if refused.status == 401:
            raise
        return await read(_page, form, refused)
    return go(f"/lab/samples/{asked.key}#samples")


@router.get("/lab/samples/{samples_id}")
async def shown(read: ReadOf, samples_id: str, step: str = "1") -> Response:
    """Samples of one's own; held until they are there, for some seconds. step: the place whose cuts are drawn."""

    async def look() -> WorkState:
        return (await read(samples.see, samples_id)).state

    await until(read.context.live, samples_id, look, lambda state: state is not WorkState.PENDING, HELD)
    return await read(_samples, samples_id, step)


@router.get("/lab/samples/{samples_id}/cut.{ending}")
async def picture(read: PictureOf, samples_id: str, ending: Ending, method: str = "", step: str = "1") -> Response:
    """One of the page's drawings as a file."""
    found = await read(_shown, samples_id, step)
    one = next((each for each in found.written if each.method == method), None)
    if one is None:
        raise not_found("There is no sample {name}.", method[:40])
    return await sent(cut_svg(one.step, _label(method, found.step), alone=True), ending, "cut")


@router.get("/lab/samples/{samples_id}/steps.csv")
async def table(read: ReadOf, samples_id: str) -> Response:
    """All steps of all methods as a table for programs."""
    found = await read(_shown, samples_id, "1")
    headers = {"Content-Disposition": 'attachment; filename="samples.csv"', "Cache-Control": "no-store"}
    return Response("\n".join(_csv(found)) + "\n", media_type="text/csv; charset=utf-8", headers=headers)


def _whole(form: dict[str, str], name: str, usual: int) -> int:
    said = form.get(name, "").strip()
    if not said:
        return usual
    if not (said.isascii() and said.isdigit() and len(said) <= 15):
        raise invalid(f"/{name}", say("Say tokens and seed as whole numbers."))
    return int(said)


def _page(
    unit: Unit, form: dict[str, str], refused: RequestError | None = None, found: SamplesShown | None = None
) -> Response:
    lab_doors.require(unit, LabExperiment.SAMPLING)
    return page(
        "sampling.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        experiments=experiments(unit),
        form={**EMPTY, **form},
        error=told(refused) if refused else None,
        judges=choices(unit),
        found=found,
        most=samples.TOKENS,
        written=samples.WRITTEN,
        letters=LETTERS,
    )


def _samples(unit: Unit, key: str, step: str) -> Response:
    found = _shown(unit, key, step)
    return _page(unit, found.form, None, found)


def _shown(unit: Unit, key: str, step: str) -> SamplesShown:
    row = samples.see(unit, key)
    asked, judge = row.question, unit.session.get_one(Judge, row.judge).name
    place = min(max(int(step), 1), asked["tokens"]) if step.isascii() and step.isdigit() and len(step) < 5 else 1
    form = {"prefix": asked["prefix"], "methods": " ".join(asked["methods"]), "judge": judge}
    return SamplesShown(
        id=key,
        state=row.state,
        failure=row.failure,
        judge=judge,
        tokens=asked["tokens"],
        step=place,
        written=[_written(*each, place) for each in samples.samples(unit.session, row) or ()],
        form=form | {"tokens": str(asked["tokens"]), "seed": str(asked["seed"])},
    )


def _written(method: str, sample: Sample, place: int) -> Written:
    step = sample.steps[place - 1]
    return Written(method, sample, step, Markup(cut_svg(step, _label(method, place))))  # noqa: S704 (it escapes texts)


def _label(method: str, place: int) -> str:
    return f"{method}, {place}"


def _csv(found: SamplesShown) -> Iterator[str]:
    """Texts of tokens are JSON, by which white space is seen and no spreadsheet takes one for a formula."""
    names = ("before", "after", "kept", "mass", "entropy", "entropy_after")
    yield ",".join(("method", "token", "token_text", *names, "repeats", "top"))
    for each in found.written:
        for number, step in enumerate(each.sample.steps, 1):
            top = json.dumps([[choice.text, choice.before, choice.after] for choice in step.top])
            numbers = [getattr(step, name) for name in names]
            line = io.StringIO()
            cells = [each.method, number, json.dumps(step.text), *numbers, int(step.repeats), top]
            csv.writer(line, lineterminator="").writerow(cells)
            yield line.getvalue()
