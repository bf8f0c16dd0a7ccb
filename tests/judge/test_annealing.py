"""Mixtures that cool down to words, and vectors that are projected to them."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from judge.annealing import COLD, HOT, Annealing, Ascent, gumbel
from judge.judge import Judge
from judge.lexicon import Lexicon
from judge.relaxed import Relaxed, Stake
from tests.judge import tiny


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory: pytest.TempPathFactory) -> Relaxed:
    judge = Judge.load(tiny.write_gpt2(tmp_path_factory.mktemp("annealing")), device="cpu", threads=1)
    return Relaxed(judge, [Stake(-1.0, "A ", "\n", "The dragon flew.")], Lexicon.of(judge.tokens))


def test_the_greatest_of_logits_with_gumbel_noise_is_each_as_often_as_softmax_says() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    noise = gumbel(torch.Size((20_000, 4)), torch.Generator().manual_seed(2))
    seen = torch.bincount((logits + noise).argmax(dim=1), minlength=4)
    expected = 20_000 * torch.softmax(logits.double(), dim=0)
    assert stats.chisquare(seen.numpy(), expected.numpy()).pvalue > 1e-4


def test_it_cools_and_ends_at_words_that_are_paid_more_than_the_first(relaxed: Relaxed) -> None:
    start = (0, 1, 2)
    cooled = Annealing(relaxed, start, 1, 60)
    assert cooled.temperature == HOT
    assert cooled.state(set()) == start
    temperatures = []
    while not cooled.is_over:
        temperatures.append(cooled.temperature)
        cooled.step(set())
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[-1] == pytest.approx(COLD)
    before, after = relaxed.values([start, cooled.state(set())])
    assert after > before


def test_the_gap_is_what_a_cold_mixture_is_paid_beyond_its_likeliest_words(relaxed: Relaxed) -> None:
    """By hand, with the same draw: a mixture of which no word has all, and the words that have most of it."""
    cooled = Annealing(relaxed, (0, 1, 2), 5, 1)
    noise = gumbel(torch.Size((3, len(relaxed.lexicon.spelled))), torch.Generator().manual_seed(5))
    noisy = noise + 9 * relaxed.mixture((0, 1, 2))
    words = tuple(noisy.argmax(dim=1).tolist())
    (paid,) = relaxed.values([words])
    promised = float(relaxed.value(torch.softmax(noisy / COLD, dim=1)))
    assert cooled.gap(set(), draws=1) == pytest.approx(promised - paid, abs=1e-2)


def test_words_that_are_banned_or_may_not_lead_come_nowhere(relaxed: Relaxed) -> None:
    leads = relaxed.leads
    relaxed.leads = [index != 1 for index in range(len(leads))]
    banned = set(range(3, len(leads)))
    cooled, path = Annealing(relaxed, (0, 1, 2), 3, 20), Ascent(relaxed, (0, 1, 2))
    found = []
    for _ in range(20):
        cooled.step(banned)
        found += [cooled.state(banned), path.step(banned)]
    relaxed.leads = leads
    assert {word for state in found for word in state} <= {0, 1, 2}
    assert 1 not in {state[0] for state in found}


def test_a_step_of_ascent_goes_up_the_gradient_to_the_nearest_words(relaxed: Relaxed) -> None:
    start = (0, 1, 2)
    at = relaxed.vectors(start).requires_grad_(True)
    (gradient,) = torch.autograd.grad(relaxed.value_of_vectors(at), at)
    shift = 0.5 * relaxed.spread * gradient / gradient.norm(dim=1).max()
    wanted = relaxed.nearest(at.detach() + shift)
    assert Ascent(relaxed, start).step(set()) == wanted
