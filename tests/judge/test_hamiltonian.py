"""Chains against densities whose moments are known, and the leapfrog against what mechanics says of it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from scipy import stats
from torch import Tensor

from judge.hamiltonian import WARM, Chain, Mixtures, Point, leapfrog
from judge.judge import Judge
from judge.lexicon import Lexicon
from judge.relaxed import Relaxed, Stake
from tests.judge import tiny

MEAN, COVARIANCE = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([[1.0, 0.6, 0.0], [0.6, 2.0, 0.0], [0.0, 0.0, 0.25]])


def normal(at: Tensor) -> tuple[float, Tensor]:
    """The log of a normal density, and its gradient, by hand."""
    pull = torch.linalg.solve(COVARIANCE, at - MEAN)
    return float(-(at - MEAN) @ pull / 2), -pull


def looked(at: Tensor) -> Point:
    return Point(at, *normal(at))


def energy(point: Point, momentum: Tensor) -> float:
    return -point.log + float(momentum @ momentum) / 2


def test_the_leapfrog_comes_back_and_its_energy_errs_by_the_square_of_the_step() -> None:
    start, momentum = looked(torch.tensor([2.0, 0.0, 0.3])), torch.tensor([0.4, -1.0, 0.7])
    errors = []
    for size, steps in ((0.1, 10), (0.05, 20)):
        found, after = leapfrog(looked, start, momentum, size, steps)
        back, turned = leapfrog(looked, found, -after, size, steps)
        assert torch.allclose(back.at, start.at, atol=1e-5)
        assert torch.allclose(-turned, momentum, atol=1e-5)
        assert not torch.allclose(found.at, start.at, atol=0.1)
        errors.append(abs(energy(found, after) - energy(start, momentum)))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)


def test_the_leapfrog_keeps_volume() -> None:
    def moved(both: Tensor) -> Tensor:
        found, after = leapfrog(looked, looked(both[:3]), both[3:], 0.3, 4)
        return torch.cat([found.at, after])

    at, width = torch.tensor([0.5, -1.0, 0.2, 0.3, 0.1, -0.4]), 1e-2
    columns = [(moved(at + width * way) - moved(at - width * way)) / (2 * width) for way in torch.eye(6)]
    assert float(torch.linalg.det(torch.stack(columns))) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("steps", [1, 6])
def test_a_chain_has_the_moments_of_its_density_and_the_acceptance_it_is_told(steps: int) -> None:
    chain = Chain(normal, torch.zeros(3), steps=steps, size=0.05, seed=steps)
    for _ in range(WARM):
        chain.move()
    size, seen = chain.size, []
    assert size > 0.1, "it was too careful at first"
    for _ in range(6_000 // steps):
        seen.append(chain.move())
    assert chain.size == size, "a chain that goes on adapting has another density"
    found = torch.stack(seen)
    assert found.mean(dim=0).tolist() == pytest.approx(MEAN.tolist(), abs=0.25)
    assert torch.cov(found.T).flatten().tolist() == pytest.approx(COVARIANCE.flatten().tolist(), abs=0.4)
    assert 0.3 < chain.acceptance < 0.95
    # In equilibrium the mean of exp(−error) over all moves is one, whatever the step size (Neal 2011, 5.31).
    errors = chain.errors[WARM:]
    assert sum(math.exp(-each) for each in errors) / len(errors) == pytest.approx(1, abs=0.15)


def test_steps_that_are_too_long_are_refused_by_metropolis_and_made_shorter() -> None:
    chain = Chain(normal, torch.zeros(3), steps=3, size=40.0, seed=1)
    first = chain.point.at
    assert torch.equal(chain.move(), first)
    for _ in range(WARM):
        chain.move()
    assert chain.size < 3
    assert not torch.equal(chain.point.at, first)


def test_a_chain_is_its_seeds() -> None:
    ends = []
    for seed in (1, 1, 2):
        chain = Chain(normal, torch.zeros(3), steps=2, size=0.5, seed=seed)
        ends.append([chain.move().tolist() for _ in range(20)])
    assert ends[0] == ends[1] != ends[2]


def test_mixtures_of_words_have_a_density_with_its_gradient(tmp_path: Path) -> None:
    judge = Judge.load(tiny.write_gpt2(tmp_path), device="cpu", threads=1)
    relaxed = Relaxed(judge, [Stake(-1.0, "A ", "\n", "The dragon flew.")], Lexicon.of(judge.tokens))
    mixtures = Mixtures(relaxed, [[3, 1, 0], [2, 4, 1]], temperature=1.5, width=2.0)
    assert mixtures.state(mixtures.start()) == (3, 2)
    at = torch.tensor([[0.3, -0.2, 0.5], [1.0, 0.0, -0.4]])
    weights = torch.zeros(2, len(relaxed.lexicon.spelled))
    weights[0, [3, 1, 0]], weights[1, [2, 4, 1]] = torch.softmax(at, dim=1)
    log, gradient = mixtures.density(at)
    by_hand = float(relaxed.value(weights)) * math.log(2) / 1.5 + stats.norm.logpdf(at.numpy(), scale=2.0).sum()
    constant = 6 * stats.norm.logpdf(0, scale=2.0)
    assert log == pytest.approx(by_hand - constant, abs=1e-3)
    for place, word in ((0, 0), (1, 2)):
        way = torch.zeros(2, 3)
        way[place, word] = 1e-2
        slope = (mixtures.density(at + way)[0] - mixtures.density(at - way)[0]) / 2e-2
        assert float(gradient[place, word]) == pytest.approx(slope, rel=0.02, abs=0.02)
