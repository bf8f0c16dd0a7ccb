"""The lab's experiments of several readings: each has a form, a page of what came of it, its picture and its table."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from judge.reading import Reading
from server.arena import lab_doors, lab_several
from server.arena.unit import Unit
from server.db.lab import Experiment
from server.db.models import Judge
from server.db.states import LabExperiment, WorkState
from server.errors import RequestError, not_found
from server.http.calls import MeasureOf, PictureOf, ReadOf
from server.http.live import until
from server.web import view_models
from server.web.lab import HELD, choices, experiments
from server.web.lab_charts import Ending, sent
from server.web.lab_figures import Answers, Pairs, Passages
from server.web.rendering import FormOf, go, own_forms_only, page
from server.web.words import told

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
Figures = Passages | Answers | Pairs
Form = Mapping[str, str]
BETWEEN = "|"  # answers


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the experiments. ask: what its form asks for. filled: the form of what was asked."""

    experiment: LabExperiment
    empty: Form
    ask: Callable[[Unit, Form], Experiment]
    filled: Callable[[Mapping[str, Any]], dict[str, str]]
    figures: Callable[[Mapping[str, Any], Sequence[Reading]], Figures]

    @property
    def path(self) -> str:
        return f"/lab/{self.experiment}"


@dataclass(frozen=True, slots=True)
class Shown:
    """One that was asked for, as far as it is there."""

    id: str
    path: str
    judge: str
    state: WorkState
    failure: str | None
    figures: Figures | None
    form: dict[str, str]


def _ask_passages(unit: Unit, form: Form) -> Experiment:
    texts = [line for line in form["texts"].splitlines() if line.strip()]
    return lab_several.passages(unit, form["judge"] or None, form["prefix"], form["other"], texts)


def _ask_answers(unit: Unit, form: Form) -> Experiment:
    allowed = [each for each in form["answers"].split(BETWEEN) if each.strip()]
    return lab_several.answers(unit, form["judge"] or None, form["question"], allowed)


def _ask_pair(unit: Unit, form: Form) -> Experiment:
    return lab_several.pair(unit, form["judge"] or None, form["first"], form["second"])


KINDS = (
    Kind(
        LabExperiment.PASSAGES,
        {"prefix": "", "other": "", "texts": "", "judge": ""},
        _ask_passages,
        lambda asked: {**asked, "texts": "\n".join(asked["texts"])},
        Passages.of,
    ),
    Kind(
        LabExperiment.ANSWERS,
        {"question": "", "answers": "Yes|No", "judge": ""},
        _ask_answers,
        lambda asked: {**asked, "answers": BETWEEN.join(asked["answers"])},
        Answers.of,
    ),
    Kind(LabExperiment.PAIRS, {"first": "", "second": "", "judge": ""}, _ask_pair, dict, Pairs.of),
)


def _install(kind: Kind) -> None:
    """The routes of one kind: its form, and the page of what came of it."""

    async def front(read: ReadOf, request: Request) -> Response:
        """The form; what the address says of it is filled in, and nothing is asked before the button is pressed."""
        await read.context.look_for_workers()
        return await read(_page, kind, dict(request.query_params))

    async def ask(call: MeasureOf, read: ReadOf, form: FormOf) -> Response:
        await call.context.look_for_workers()
        said = {name: form.get(name, "") for name in kind.empty}
        try:
            asked = await call(kind.ask, said)
        except RequestError as refused:
            if refused.status == 401:
                raise
            return await read(_page, kind, said, refused)
        return go(f"{kind.path}/{asked.key}#found")

    async def found(read: ReadOf, key: str) -> Response:
        """One of one's own; held until it is there, for some seconds."""

        async def look() -> WorkState:
            return (await read(lab_several.see, kind.experiment, key)).state

        await until(read.context.live, key, look, lambda state: state is not WorkState.PENDING, HELD)
        return await read(_found, kind, key)

    router.add_api_route(kind.path, front, methods=["GET"])
    router.add_api_route(kind.path, ask, methods=["POST"])
    router.add_api_route(f"{kind.path}/{{key}}", found, methods=["GET"])


def _install_files(kind: Kind) -> None:
    """The same as files: the drawing and the table."""

    async def picture(read: PictureOf, key: str, ending: Ending) -> Response:
        drawn = await read(partial(_drawn, kind), key)
        return await sent(drawn, ending, str(kind.experiment))

    async def table(read: ReadOf, key: str) -> Response:
        """The same as a table for programs."""
        name = f'attachment; filename="{kind.experiment}.csv"'
        told_ = await read(partial(_csv, kind), key)
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(told_, media_type="text/csv; charset=utf-8", headers=headers)

    router.add_api_route(f"{kind.path}/{{key}}/picture.{{ending}}", picture, methods=["GET"])
    router.add_api_route(f"{kind.path}/{{key}}/table.csv", table, methods=["GET"])


for _kind in KINDS:
    _install(_kind)
    _install_files(_kind)


def _page(
    unit: Unit, kind: Kind, form: Form, refused: RequestError | None = None, shown: Shown | None = None
) -> Response:
    lab_doors.require(unit, kind.experiment)
    return page(
        f"{kind.experiment}.html",
        refused.status if refused else 200,
        viewer=view_models.viewer(unit),
        experiments=experiments(unit),
        here=str(kind.experiment),
        form={**kind.empty, **{name: value for name, value in form.items() if name in kind.empty}},
        error=told(refused) if refused else None,
        judges=choices(unit),
        shown=shown,
        action=kind.path,
        most_texts=lab_several.TEXTS,
    )


def _found(unit: Unit, kind: Kind, key: str) -> Response:
    shown = _shown(unit, kind, key)
    return _page(unit, kind, shown.form, None, shown)


def _shown(unit: Unit, kind: Kind, key: str) -> Shown:
    row = lab_several.see(unit, kind.experiment, key)
    judge = unit.session.get_one(Judge, row.judge).name
    read = lab_several.readings(unit.session, row)
    return Shown(
        id=key,
        path=f"{kind.path}/{key}",
        judge=judge,
        state=row.state,
        failure=row.failure,
        figures=None if read is None else kind.figures(row.question, read),
        form=kind.filled(row.question) | {"judge": judge},
    )


def _figures(unit: Unit, kind: Kind, key: str) -> Figures:
    figures = _shown(unit, kind, key).figures
    if figures is None:
        raise not_found("There is nothing to show of {name} yet.", key[:64])
    return figures


def _drawn(kind: Kind, unit: Unit, key: str) -> str:
    return _figures(unit, kind, key).svg(alone=True)


def _csv(kind: Kind, unit: Unit, key: str) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(map(_safe, _figures(unit, kind, key).table()))
    return written.getvalue()


def _safe(cells: Sequence[str | float | int]) -> list[str | float | int]:
    """No spreadsheet takes a text for a formula."""
    return [f"'{each}" if isinstance(each, str) and each[:1] in tuple("=+-@\t\r") and each else each for each in cells]
