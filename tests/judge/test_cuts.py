"""What may be drawn next: distributions against transformers' processors, draws by chi-square, beams by trying all."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Generator
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor
from transformers import (
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from judge.cuts import candidates, distributions, pick
from judge.drawing import walk
from judge.methods import GREEDY, USUAL, Beam, Method, Sampling, parse, spelled
from judge.samples import Walk

DRAWS, LEAST = 10_000, 1e-4  # draws, and the p-value below which they are not from the distribution
TRIED = [Sampling(), *(parse(said) for said in ("temperature=0.7", "top-k=9", "top-p=0.8", "min-p=0.1", "typical=0.7"))]
TRIED.append(Sampling(1.3, top_k=30, top_p=0.95, min_p=0.02, typical_p=0.9))


def by_transformers(logits: Tensor, sampling: Sampling) -> Tensor:
    """The distribution after its processors in its own order, float64."""
    scores, ids = logits.double()[None], torch.zeros(1, 0, dtype=torch.long)
    scores = TemperatureLogitsWarper(float(sampling.temperature))(ids, scores)
    for warper, value in (
        (TopKLogitsWarper, sampling.top_k),
        (TopPLogitsWarper, sampling.top_p),
        (MinPLogitsWarper, sampling.min_p),
        (TypicalLogitsWarper, sampling.typical_p),
    ):
        if value is not None:
            scores = warper(value)(ids, scores)  # type: ignore[arg-type]
    return torch.softmax(scores[0], dim=0)


@given(
    logits=st.lists(st.floats(-10, 10, width=16), min_size=2, max_size=30, unique=True),
    sampling=st.builds(
        Sampling,
        st.sampled_from([0.5, 1.0, 2.0]),
        st.none() | st.integers(1, 40),
        st.none() | st.sampled_from([0.05, 0.333, 0.87, 0.999]),
        st.none() | st.sampled_from([0.011, 0.27, 0.93]),
        st.none() | st.sampled_from([0.07, 0.41, 0.93]),
    ),
)
def test_what_is_left_is_what_transformers_leaves(logits: list[float], sampling: Sampling) -> None:
    before, after = distributions(torch.tensor(logits), sampling)
    torch.testing.assert_close(before, torch.softmax(torch.tensor(logits, dtype=torch.float64), dim=0))
    torch.testing.assert_close(after, by_transformers(torch.tensor(logits), sampling), rtol=1e-9, atol=1e-12)


def drawn_as(p: Tensor, draw: Callable[[float], int]) -> float:
    """The p-value of draws being from this distribution, its rarest tokens pooled into bins of at least 5. 0.0 where
    something came that cannot come."""
    numbers = random.Random(18)
    counts = torch.bincount(torch.tensor([draw(numbers.random()) for _ in range(DRAWS)]), minlength=len(p)).tolist()
    if any(count for count, share in zip(counts, p.tolist(), strict=True) if share == 0):
        return 0.0
    observed, expected, bin_ = list[int](), list[float](), [0, 0.0]
    for share, count in sorted(zip(p.tolist(), counts, strict=True)):
        bin_ = [bin_[0] + count, bin_[1] + share * DRAWS]
        if bin_[1] >= 5:
            observed.append(int(bin_[0]))
            expected.append(bin_[1])
            bin_ = [0, 0.0]
    observed[-1] += int(bin_[0])
    expected[-1] += bin_[1]
    return float(chisquare(observed, expected).pvalue) if len(observed) > 1 else 1.0


@pytest.fixture(scope="module")
def logits() -> Tensor:
    return 2 * torch.randn(60, generator=torch.Generator().manual_seed(18))


@pytest.mark.parametrize("sampling", TRIED, ids=spelled)
def test_draws_come_as_often_as_they_should_and_wrong_ones_are_found_out(logits: Tensor, sampling: Sampling) -> None:
    p = by_transformers(logits, sampling)
    assert drawn_as(p, partial(pick, *candidates(logits, sampling))) > LEAST
    hot = Sampling(sampling.temperature * 1.1, sampling.top_k, sampling.top_p, sampling.min_p, sampling.typical_p)
    assert drawn_as(p, partial(pick, *candidates(logits, hot))) < LEAST


def test_a_beam_is_what_trying_everything_finds() -> None:
    """Over five tokens, all 625 texts of four: the best few of all, and with few beams what an independent search of
    that width keeps. What may follow hangs on the last token and on how many there are."""
    rows = torch.randn(4, 5, 5, generator=torch.Generator().manual_seed(3))
    costs = (-torch.log_softmax(rows.double(), dim=2) / math.log(2)).tolist()

    def after(ids: list[int]) -> Generator[None, None, Tensor]:
        yield
        return rows[len(ids) - 1, ids[-1]]

    def bits(text: tuple[int, ...]) -> float:
        cost: float = sum(costs[i][a][b] for i, (a, b) in enumerate(itertools.pairwise((0, *text))))
        return cost

    everything = sorted(itertools.product(range(5), repeat=4), key=bits)
    widest = finished(after, Beam(125))
    assert [ids for _, ids in widest.beams[:20]] == everything[:20]
    assert [cost for cost, _ in widest.beams[:20]] == pytest.approx([bits(text) for text in everything[:20]])
    greedy = tuple(draw.token for draw in finished(after, GREEDY).draws)
    for width in (1, 2, 3):
        kept: list[tuple[int, ...]] = [()]
        for _ in range(4):
            kept = sorted(((*text, token) for text in kept for token in range(5)), key=bits)[:width]
        assert [ids for _, ids in finished(after, Beam(width)).beams] == kept
        assert tuple(draw.token for draw in finished(after, Beam(width)).draws) == kept[0]
        assert width > 1 or kept == [greedy]
    assert bits(everything[0]) < bits(greedy), "else this says nothing"


def finished(after: Callable[[list[int]], Generator[None, None, Tensor]], method: Method, tokens: int = 4) -> Walk:
    steps = walk(after, [0], method, tokens=tokens, seed=0, top=2)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Walk = end.value
            return found


def test_methods_are_spelled_in_one_way_and_read_back() -> None:
    for said in (*USUAL, "top-k=5,top-p=0.5,temperature=2.0", "beam=16"):
        assert spelled(parse(said)) == said
    assert parse(" top-k=4 , temperature=1 ") == Sampling(top_k=4)
    for wrong, told in (
        ("", "no method ''"),
        ("best", "no method 'best'"),
        ("top-k=0", "top-k must be 1 or more, not 0"),
        ("top-k=2.5", "top-k takes a whole number"),
        ("top-p=0", "top-p must be above 0 and at most 1, not 0"),
        ("top-p=nan", "top-p must be above 0"),
        ("typical=2", "typical must be above 0 and at most 1"),
        ("temperature=0", "greedy"),
        ("temperature=1e9", "at most 100, not 1e\\+09"),
        ("temperature=nan", "temperature must be above 0"),
        ("temperature=-1", "temperature must be above 0"),
        ("temperature=hot", "temperature takes a number"),
        ("top-k=4,top-k=5", "no method"),
        ("beam=0", "at least 1 beam"),
        ("beam=17", "at most 16"),
        ("beam=4,top-k=2", "no method"),
        ("greedy,top-k=2", "no method"),
    ):
        with pytest.raises(ValueError, match=told):
            parse(wrong)
