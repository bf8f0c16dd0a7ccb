"""The lab's experiments of several readings: what a prefix tells of many texts, restricted answers, two sentences."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from fastapi import APIRouter, Response

from judge import figures, several
from judge.reading import Reading
from server.api import bodies, several_schemas
from server.api.json_route import JsonRoute
from server.api.params import Wait
from server.arena import lab_several
from server.arena.unit import Unit
from server.db.lab import Experiment
from server.db.models import Judge
from server.db.states import LabExperiment
from server.errors import ServerError
from server.http.calls import MeasureOf, Read, ReadOf, Write
from server.http.live import until

router = APIRouter(prefix="/lab", tags=["lab"], route_class=JsonRoute)
Shown = TypeVar("Shown", bound=several_schemas.Experiment)
Json = dict[str, Any]


@router.post(
    "/passages", status_code=201, responses={202: {"description": "On its way.", "model": several_schemas.Passages}}
)
async def read_passages(
    call: MeasureOf, read: ReadOf, body: bodies.PassagesRequest, response: Response, wait: Wait = 0
) -> several_schemas.Passages:
    """What a prefix tells of 2 to 40 texts: the bits that it saves on each, against another prefix or none, and their
    mean with its interval.

    Runs behind everybody's moves, in small steps; closed to players where readings are.
    """
    asked = await PASSAGES.ask(call, lab_several.passages, body.judge, body.prefix, body.other, body.texts)
    return await PASSAGES.answer(read, asked, response, wait)


@router.get("/passages/{passages_id}")
async def get_passages(read: ReadOf, passages_id: str, wait: Wait = 0) -> several_schemas.Passages:
    """What a prefix tells of texts, as one asked oneself, as it is now."""
    return await PASSAGES.held(read, passages_id, wait)


@router.post(
    "/answers", status_code=201, responses={202: {"description": "On its way.", "model": several_schemas.Answers}}
)
async def read_answers(
    call: MeasureOf, read: ReadOf, body: bodies.AnswersRequest, response: Response, wait: Wait = 0
) -> several_schemas.Answers:
    """How likely a judge finds each of 2 to 6 answers to a question, as it says and without its prior for them.

    Runs behind everybody's moves, in small steps; closed to players where readings are. For judges that read forward.
    """
    asked = await ANSWERS.ask(call, lab_several.answers, body.judge, body.question, body.answers)
    return await ANSWERS.answer(read, asked, response, wait)


@router.get("/answers/{answers_id}")
async def get_answers(read: ReadOf, answers_id: str, wait: Wait = 0) -> several_schemas.Answers:
    """Answers to a question of one's own, as they are now."""
    return await ANSWERS.held(read, answers_id, wait)


@router.post("/pairs", status_code=201, responses={202: {"description": "On its way.", "model": several_schemas.Pair}})
async def read_pair(
    call: MeasureOf, read: ReadOf, body: bodies.PairRequest, response: Response, wait: Wait = 0
) -> several_schemas.Pair:
    """Which of two sentences is cheaper, in all and by the token, and which one the judge calls true when it is asked.

    Runs behind everybody's moves, in small steps; closed to players where readings are. For judges that read forward.
    """
    asked = await PAIRS.ask(call, lab_several.pair, body.judge, body.first, body.second)
    return await PAIRS.answer(read, asked, response, wait)


@router.get("/pairs/{pair_id}")
async def get_pair(read: ReadOf, pair_id: str, wait: Wait = 0) -> several_schemas.Pair:
    """Two sentences of one's own, as far as they are compared now."""
    return await PAIRS.held(read, pair_id, wait)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Shown]):
    """One of the experiments, how it is shown, and its figures as they are told."""

    experiment: LabExperiment
    shape: type[Shown]
    figures: Callable[[Mapping[str, Any], Sequence[Reading]], Json]

    async def ask(self, call: Write, use_case: Callable[..., Experiment], *asked: object) -> Shown:
        await call.context.look_for_workers()
        return await call.show(self.view, use_case, *asked)

    async def answer(self, read: Read, shown: Shown, response: Response, wait: float) -> Shown:
        if shown.state == "pending" and wait:
            with suppress(ServerError):  # a round with an attempt limit opened meanwhile: it was taken all the same
                shown = await self.held(read, shown.id, wait)
        response.headers["Location"] = f"/api/v1/lab/{self.experiment}/{shown.id}"
        response.status_code = 202 if shown.state == "pending" else 201
        return shown

    async def held(self, read: Read, key: str, seconds: float) -> Shown:
        look = partial(read.show, self.view, lab_several.see, self.experiment, key)
        return await until(read.context.live, key, look, lambda shown: shown.state != "pending", seconds)

    def view(self, unit: Unit, row: Experiment) -> Shown:
        judge, found = unit.session.get_one(Judge, row.judge), lab_several.readings(unit.session, row)
        told = {
            "judge": judge.name,
            "identity": judge.identity,
            **row.question,
            "readings": None if found is None else _totals(several.readings(row.kind, row.question), found),
            "figures": None if found is None else self.figures(row.question, found),
        }
        state = {"id": row.key, "state": row.state.value, "build": row.build, "failure": row.failure}
        return self.shape.model_validate({**told, **state})


def _totals(asked: Sequence[several.Read], found: Sequence[Reading]) -> list[Json]:
    return [
        {"prefix": prefix, "text": text, "bits": each.bits, "tokens": len(each.tokens), "entropy": each.entropy}
        for (prefix, text), each in zip(asked, found, strict=True)
    ]


def _passages(question: Mapping[str, Any], found: Sequence[Reading]) -> Json:
    made = figures.Passages.of(question, found)
    return {
        "saved": asdict(made.saved),
        "with_prefix": _pooled(made.after),
        "without": _pooled(made.before),
        "texts": [
            {"text": each.text, "bits_without": each.without, "bits_with": each.after, "saved": each.saved}
            for each in made.rows
        ],
    }


def _pooled(texts: figures.Pooled) -> Json:
    return {"bits": texts.bits, "tokens": texts.tokens, "entropy": texts.entropy, "perplexity": texts.perplexity}


def _answers(question: Mapping[str, Any], found: Sequence[Reading]) -> Json:
    made = figures.Answers.of(question, found)
    return {
        "answers": [
            {
                "answer": each.text,
                "bits": each.bits,
                "share": each.share,
                "log_odds": each.odds,
                "share_without_prior": each.share_apart,
                "log_odds_without_prior": each.odds_apart,
            }
            for each in made.answers
        ],
        "chosen": made.chosen.text,
        "chosen_without_prior": made.chosen_apart.text,
        "entropy": made.unsure[0],
        "entropy_without_prior": made.unsure[1],
    }


def _pair(question: Mapping[str, Any], found: Sequence[Reading]) -> Json:
    made = figures.Pairs.of(question, found)
    return {
        each.way: {"first": each.first, "second": each.second, "preferred": each.preferred} for each in made.verdicts
    }


PASSAGES = Kind(LabExperiment.PASSAGES, several_schemas.Passages, _passages)
ANSWERS = Kind(LabExperiment.ANSWERS, several_schemas.Answers, _answers)
PAIRS = Kind(LabExperiment.PAIRS, several_schemas.Pair, _pair)
