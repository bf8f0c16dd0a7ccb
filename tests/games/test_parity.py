"""Games earn what the judge's own numbers say: those of the public benchmark as it writes them, and the catalog's.

The numbers come from plain transformers on the pocket judge, summed as the benchmark sums them: no beginning-of-text
token, prefix and text tokenised apart, the text's first token not scored. Nothing of the judge room measures here.

The catalog's games differ from the benchmark's of the same name by their frame, so each is held against its own sum.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from games import catalog
from games.engine import advance
from games.program import Program, parse
from games.protocol import MAIN, Finished, JudgeFacts, Log, Measurement, Move, NeedMove, Setup
from judge.loading.tokenizer import Tokens
from tests.support.frames import framed

POCKET = Path(__file__).parents[2] / "judge" / "pocket"
SEA = "Waves rolled in from the café, and gulls cried over the harbour while the boats came home."
LAW = "The court rose when the judge came in, and nobody spoke until the clerk had read the charge."
FOOD = "Peel the apples, slice them thinly and bake them with butter until the kitchen smells of cake."
BRIDGE = "Not far from there,"
DIAL = 'She bent over the golden dial. The needle swung to these symbols: "{}". She looked up and said:\n'
CALM = "It was a day like any other."

BENCHMARK = Path(__file__).parent / "data" / "benchmark"


@cache
def _tokens() -> Tokens:
    return Tokens.from_folder(POCKET)


@cache
def _model() -> torch.nn.Module:
    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(POCKET, dtype=torch.float32)
    return model.eval()


def _bits(text: str, prefix: str) -> list[float]:
    before, ids = _tokens().ids(prefix), _tokens().ids(text)
    row = [*before, *ids]
    with torch.inference_mode():
        logits = _model()(torch.tensor([row])).logits[0].float().log_softmax(-1)
    return [-logits[at - 1, row[at]].item() / math.log(2) for at in range(len(before) + 1, len(row))]


def xent(text: str, prefix: str = "") -> float:
    return sum(_bits(text, prefix))


def xed(text: str, prefix: str) -> float:
    return xent(text) - xent(text, prefix)


def _answers(questions: Sequence[Measurement]) -> dict[Measurement, list[float]]:
    assert {question.profile for question in questions} == {"xent-0.5"}
    return {question: _bits(question.text, question.prefix) for question in questions}


def framed_xed(text: str, hint: str) -> float:
    return xent(text, framed("")) - xent(text, framed(hint))


def _of_the_benchmark(name: str) -> Program:
    return parse((BENCHMARK / f"{name}.xent").read_text(encoding="utf-8"), name)


def _of_the_catalog(name: str) -> Program:
    return parse(catalog.source(name), name)


def _score(program: Program, passages: list[str], moves: list[str]) -> float:
    setup = Setup(tuple(passages), "seed", {MAIN: JudgeFacts(_tokens().ends, 512)}, "xent-0.5")
    log, waiting = Log(), iter(moves)
    while True:
        effect, log = advance(program, setup, log, _answers)
        if isinstance(effect, Finished):
            return effect.rewards["black"]
        assert isinstance(effect, NeedMove)
        log = Log((*log.moves, Move(effect.seat, next(waiting))), log.bits)


Case = tuple[list[str], list[str], Callable[[], float]]

BENCHMARK_CASES: dict[str, Case] = {
    "condense": ([SEA], ["a seaside story, waves"], lambda: xed(SEA, "a seaside story,")),
    "contrast": ([SEA, LAW], ["a seaside story"], lambda: xed(SEA, "a seaside story") - xed(LAW, "a seaside story")),
    "synthesize": (
        [SEA, LAW, FOOD],
        ["old prose"],
        lambda: xed(SEA, "old prose") + xed(LAW, "old prose") + xed(FOOD, "old prose"),
    ),
    "two_ways": (
        [SEA, LAW],
        [" " + BRIDGE],
        lambda: xent(LAW, SEA) - xent(LAW, f"{SEA} {BRIDGE}") + xent(SEA, LAW) - xent(SEA, f"{LAW} {BRIDGE}"),
    ),
    "alethiometer": ([SEA], ["anchor dolphin compass"], lambda: xed(SEA, DIAL.format("anchor dolphin compass"))),
}

CATALOG_CASES: dict[str, Case] = {
    "condense": ([SEA], ["a seaside story, waves"], lambda: framed_xed(SEA, "a seaside story,")),
    "contrast": (
        [SEA, LAW],
        ["a seaside story"],
        lambda: framed_xed(SEA, "a seaside story") - framed_xed(LAW, "a seaside story"),
    ),
    "synthesize": (
        [SEA, LAW, FOOD],
        ["old prose"],
        lambda: sum(framed_xed(passage, "old prose") for passage in (SEA, LAW, FOOD)),
    ),
    "two_ways": (
        [SEA, LAW],
        [BRIDGE],
        lambda: (
            (xent(" " + LAW, SEA) - xent(" " + LAW, f"{SEA} {BRIDGE}"))
            + (xent(" " + SEA, LAW) - xent(" " + SEA, f"{LAW} {BRIDGE}"))
        ),
    ),
    "alethiometer": (
        [SEA],
        ["anchor dolphin compass"],
        lambda: xent(SEA, DIAL.format("")) - xent(SEA, DIAL.format("anchor dolphin compass")),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARK_CASES)
def test_a_game_of_the_public_benchmark_earns_the_same_bits(name: str) -> None:
    passages, moves, expected = BENCHMARK_CASES[name]
    assert _score(_of_the_benchmark(name), passages, moves) == pytest.approx(expected(), abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOG_CASES)
def test_a_game_of_the_catalog_earns_the_bits_of_its_frame(name: str) -> None:
    passages, moves, expected = CATALOG_CASES[name]
    assert _score(_of_the_catalog(name), passages, moves) == pytest.approx(expected(), abs=0.002)


def _cut(text: str, most: int = 5) -> str:
    ends = _tokens().ends(text)
    return text if len(ends) <= most else text[: ends[most - 1]]


def _until(accepted: Callable[[str], bool], steps: list[str]) -> list[str]:
    """The steps up to the first that is accepted."""
    return steps[: [accepted(step) for step in steps].index(True) + 1]


@pytest.mark.slow
def test_horizon_asks_again_as_often_as_the_benchmark_would_and_earns_the_same_bits() -> None:
    threshold = xed(" I eat food", "After the rain")

    def until_helped(before: str) -> list[str]:
        return _until(lambda step: xed(_cut(step), before) >= threshold, fragments)

    fragments = [" the the the the", *(FOOD[start : start + 25] for start in range(0, 60, 5)), " apples apples apples"]
    first = until_helped(FOOD)
    second = until_helped(FOOD + _cut(first[-1]))
    assert len(first) > 1
    score = _score(_of_the_benchmark("horizon"), [FOOD], [*first, *second])
    assert score == pytest.approx(-xed(_cut(second[-1]), FOOD), abs=0.002)


@pytest.mark.slow
def test_horizon_of_the_catalog_asks_again_where_a_sentence_that_says_nothing_helps_more() -> None:
    def until_likelier(before: str) -> list[str]:
        return _until(lambda step: xent(" " + _cut(step), before) < xent(" " + _cut(step), CALM), fragments)

    fragments = ["the court rose at noon", "zebra zebra zebra", "apples apples apples", "butter and apples until brown"]
    first = until_likelier(FOOD)
    second = until_likelier(f"{FOOD} {_cut(first[-1])}")
    assert len(first) > 1
    step = " " + _cut(second[-1])
    score = _score(_of_the_catalog("horizon"), [FOOD], [*first, *second])
    assert score == pytest.approx(xent(step, FOOD) - xent(step, CALM), abs=0.002)
