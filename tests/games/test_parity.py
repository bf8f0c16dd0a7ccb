"""The six games of the public benchmark earn what the judge's own numbers say, with that benchmark's profile.

The numbers come from plain transformers on the pocket judge, summed as the benchmark sums them: no beginning-of-text
token, prefix and text tokenised apart, the text's first token not scored. Nothing of the judge room measures here.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from games import catalog
from games.engine import replay
from games.program import parse
from games.protocol import MAIN, Finished, JudgeFacts, Log, Measurement, Move, NeedBits, NeedMove, Setup
from judge.loading.tokenizer import Tokens

POCKET = Path(__file__).parents[2] / "judge" / "pocket"
SEA = "Waves rolled in from the café, and gulls cried over the harbour while the boats came home."
LAW = "The court rose when the judge came in, and nobody spoke until the clerk had read the charge."
FOOD = "Peel the apples, slice them thinly and bake them with butter until the kitchen smells of cake."
BRIDGE = " Not far from there,"
FRAME = (
    'She bent over the golden dial. The needle swung to these symbols: "anchor dolphin compass". '
    "She looked up and said:\n"
)


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


def _score(name: str, passages: list[str], moves: list[str]) -> float:
    program = parse(catalog.source(name), name)
    setup = Setup(tuple(passages), "seed", {MAIN: JudgeFacts(_tokens().ends, 512)}, "xent-0.5")
    log, waiting = Log(), iter(moves)
    while True:
        effect = replay(program, setup, log)
        if isinstance(effect, NeedMove):
            log = Log((*log.moves, Move(effect.seat, next(waiting))), log.bits)
        elif isinstance(effect, NeedBits):
            log = Log(log.moves, {**log.bits, **_answers(effect.measurements)})
        else:
            assert isinstance(effect, Finished)
            return effect.rewards["black"]


CASES: dict[str, tuple[list[str], list[str], Callable[[], float]]] = {
    "condense": ([SEA], ["a seaside story, waves"], lambda: xed(SEA, "a seaside story,")),
    "contrast": ([SEA, LAW], ["a seaside story"], lambda: xed(SEA, "a seaside story") - xed(LAW, "a seaside story")),
    "synthesize": (
        [SEA, LAW, FOOD],
        ["old prose"],
        lambda: xed(SEA, "old prose") + xed(LAW, "old prose") + xed(FOOD, "old prose"),
    ),
    "two_ways": (
        [SEA, LAW],
        [BRIDGE],
        lambda: xent(LAW, SEA) - xent(LAW, SEA + BRIDGE) + xent(SEA, LAW) - xent(SEA, LAW + BRIDGE),
    ),
    "alethiometer": ([SEA], ["anchor dolphin compass"], lambda: xed(SEA, FRAME)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_game_of_the_public_benchmark_earns_the_same_bits(name: str) -> None:
    passages, moves, expected = CASES[name]
    assert _score(name, passages, moves) == pytest.approx(expected(), abs=0.002)


def _cut(text: str, most: int = 5) -> str:
    ends = _tokens().ends(text)
    return text if len(ends) <= most else text[: ends[most - 1]]


def _until_helped(steps: list[str], before: str) -> list[str]:
    """The steps up to the first that the text before it helps as much as the plain pair of sentences."""
    threshold = xed(" I eat food", "After the rain")
    helped = [xed(_cut(step), before) >= threshold for step in steps]
    return steps[: helped.index(True) + 1]


@pytest.mark.slow
def test_horizon_asks_again_as_often_as_the_benchmark_would_and_earns_the_same_bits() -> None:
    fragments = [" the the the the", *(FOOD[start : start + 25] for start in range(0, 60, 5)), " apples apples apples"]
    first = _until_helped(fragments, FOOD)
    second = _until_helped(fragments, FOOD + _cut(first[-1]))
    assert len(first) > 1
    assert _score("horizon", [FOOD], [*first, *second]) == pytest.approx(-xed(_cut(second[-1]), FOOD), abs=0.002)
