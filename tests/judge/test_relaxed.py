"""Gradients of moves, against differences and against every move measured by itself."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch

from judge import coordinate
from judge.errors import JudgeError
from judge.judge import Judge, Pair
from judge.lexicon import Lexicon
from judge.relaxed import Relaxed, Stake, State
from tests.judge import tiny

TEXT, OTHER = "The dragon flew.", "old castle"
STAKES = [Stake(-1.0, "Topic: ", "\n", TEXT), Stake(0.5, "A judge, ", " and", OTHER)]


@pytest.fixture(scope="module", params=["forward", "backward"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    folder = tmp_path_factory.mktemp("relaxed")
    return Judge.load(tiny.declare(tiny.write_tied_llama(folder), direction=request.param), device="cpu", threads=1)


@pytest.fixture(scope="module")
def relaxed(judge: Judge) -> Relaxed:
    return Relaxed(judge, STAKES, Lexicon.of(judge.tokens), paid=3.0)


def measured(judge: Judge, move: str) -> float:
    """By the judge alone."""
    found = judge.measure([Pair(stake.head + move + stake.tail, stake.text) for stake in STAKES])
    return 3.0 + sum(stake.weight * sum(bits) for stake, bits in zip(STAKES, found, strict=True))


def test_a_lexicon_has_words_that_are_found_again_as_their_tokens(judge: Judge) -> None:
    lexicon = Lexicon.of(judge.tokens)
    assert {"dragon", "castle"} & set(lexicon.spelled) or len(lexicon.spelled) > 3
    text = "".join(f" {word}" for word in lexicon.spelled)
    assert judge.tokens.ids(f"a{text}")[1:] == list(lexicon.inner)
    assert lexicon.only(lambda word: word == lexicon.spelled[1]).inner == lexicon.inner[1:2]


def test_what_is_paid_for_words_is_what_is_measured_and_what_their_vectors_cost(judge: Judge, relaxed: Relaxed) -> None:
    for state in [(0, 1, 2), (2, 2, 1, 0)]:
        expected = measured(judge, relaxed.spell(state))
        assert relaxed.values([state]) == pytest.approx([expected], abs=1e-6)
        assert float(relaxed.value(relaxed.mixture(state))) == pytest.approx(expected, abs=2e-2)
        assert float(relaxed.value_of_vectors(relaxed.vectors(state))) == pytest.approx(expected, abs=2e-2)
        assert relaxed.nearest(relaxed.vectors(state)) == state


def test_the_gradient_is_that_of_differences(relaxed: Relaxed) -> None:
    state: State = (0, 1, 2)
    gradient, at, width = relaxed.gradient(state), relaxed.mixture(state), 1e-2
    draw = torch.Generator().manual_seed(3)
    for _ in range(4):
        way = torch.randn(at.shape, generator=draw)
        way /= way.norm()
        ahead, behind = (float(relaxed.value(at + side * width * way)) for side in (1, -1))
        assert float((gradient * way).sum()) == pytest.approx((ahead - behind) / (2 * width), rel=0.02, abs=0.05)


def test_what_is_read_is_counted_forward_and_back(judge: Judge) -> None:
    fresh = Relaxed(judge, STAKES[:1], Lexicon.of(judge.tokens))
    state, count = (0, 1, 2), judge.tokens.count
    tokens = count(f"Topic: {fresh.spell(state)}\n") + count(TEXT)
    fresh.values([state, state])
    assert fresh.read == 2 * tokens
    fresh.gradient(state)
    assert fresh.read == 4 * tokens


def test_a_step_of_gcg_finds_the_best_exchange_of_all_and_draws_by_its_seed(judge: Judge, relaxed: Relaxed) -> None:
    state: State = (0, 1, 2)
    words = range(len(relaxed.lexicon.spelled))
    banned = {4}
    every = {
        (*state[:place], word, *state[place + 1 :])
        for place in range(3)
        for word in words
        if word not in (state[place], 4)
    }
    assert all(relaxed.leads)
    ranked = coordinate.step(relaxed, state, banned, Random(1), top=10_000, count=10_000)
    assert {found for _, found in ranked} == every
    brute = {found: measured(judge, relaxed.spell(found)) for found in every}
    assert ranked[0][0] == pytest.approx(max(brute.values()), abs=1e-6)
    assert all(brute[found] == pytest.approx(value, abs=1e-6) for value, found in ranked)
    few = [coordinate.step(relaxed, state, banned, Random(seed), top=3, count=4) for seed in (1, 1, 5)]
    assert few[0] == few[1] != few[2]
    gradient = relaxed.gradient(state)
    for place, some in enumerate(coordinate.promising(relaxed, state, banned, 3)):
        others = sorted((word for word in words if word not in (4, state[place])), key=lambda w: -gradient[place, w])
        assert some == others[:3]


def test_bad_input_says_what_is_wrong(judge: Judge) -> None:
    lexicon = Lexicon.of(judge.tokens)
    with pytest.raises(JudgeError, match="no text that stands behind the move"):
        Relaxed(judge, [], lexicon)
    with pytest.raises(JudgeError, match="no word that is one token"):
        Relaxed(judge, STAKES, lexicon.only(lambda word: False))


def test_a_head_that_ends_in_no_space_has_first_words_of_their_own(tmp_path: Path) -> None:
    judge = Judge.load(tiny.write_gpt2(tmp_path), device="cpu", threads=1)
    lexicon = Lexicon.of(judge.tokens)
    relaxed = Relaxed(judge, [Stake(-1.0, "", "\n", TEXT)], lexicon)
    assert relaxed.leads == [len(judge.tokens.ids(word)) == 1 for word in lexicon.spelled]
    state = (relaxed.leads.index(True), 1)
    (bits,) = judge.measure([Pair(f"{relaxed.spell(state)}\n", TEXT)])
    assert float(relaxed.value(relaxed.mixture(state))) == pytest.approx(-sum(bits), abs=2e-2)
