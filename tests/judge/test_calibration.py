"""What is said of confidence, against calculations by hand, numpy and scipy."""

import math
from random import Random

import numpy as np
import pytest
from scipy import special, stats

from judge.calibration import Answered, accuracy, bins, calibration_error, coverage
from judge.intervals import share_interval
from judge.replies import log_odds, shares, together


def _yes(p: float, *, right: bool) -> Answered:
    """Answered with the first of two, surely enough."""
    return Answered((p, 1 - p), 0 if right else 1)


def test_the_error_is_that_of_a_calculation_by_hand() -> None:
    """Three bins: 0.6 and 0.6 of which one is right, 0.75 right, 0.95 and 1.0 of which one is right."""
    answered = [
        _yes(0.6, right=True),
        _yes(0.6, right=False),
        _yes(0.75, right=True),
        _yes(0.95, right=False),
        _yes(1.0, right=True),
    ]
    found = bins(answered)
    assert [(each.low, each.high, each.count) for each in found] == [(0.5, 0.6, 2), (0.7, 0.8, 1), (0.9, 1.0, 2)]
    assert [(each.confidence, each.right) for each in found] == [(0.6, 0.5), (0.75, 1.0), (0.975, 0.5)]
    # (2 · |0.5 − 0.6| + 1 · |1 − 0.75| + 2 · |0.5 − 0.975|) / 5
    assert calibration_error(answered) == pytest.approx((0.2 + 0.25 + 0.95) / 5)
    assert accuracy(answered) == pytest.approx(3 / 5)
    with pytest.raises(ValueError, match="no answers"):
        calibration_error([])


def test_the_error_is_that_of_numpy() -> None:
    draw = Random("calibration")
    answered = []
    for _ in range(500):
        p = np.array([draw.random() ** 3 for _ in range(draw.choice([2, 4]))])
        answered.append(Answered(tuple((p / p.sum()).tolist()), draw.randrange(len(p))))
    for count in (5, 10, 17):
        confidence = np.array([max(each.probabilities) for each in answered])
        right = np.array([np.argmax(each.probabilities) == each.right for each in answered])
        nth = np.digitize(confidence, np.linspace(0, 1, count + 1), right=True)
        weighed = [(nth == each).mean() * abs((right - confidence)[nth == each].mean()) for each in np.unique(nth)]
        assert calibration_error(answered, count) == pytest.approx(sum(weighed))
    for each in answered:
        assert each.entropy == pytest.approx(stats.entropy(each.probabilities, base=2))


def test_answering_the_surest_only_is_what_sorting_says() -> None:
    answered = [
        _yes(p, right=right) for p, right in ((0.9, True), (0.6, False), (0.8, True), (0.6, True), (0.99, False))
    ]
    found = coverage(answered)
    assert [(each.share, each.right) for each in found] == [
        (0.2, 0.0),
        (0.4, 0.5),
        (0.6, pytest.approx(2 / 3)),
        (1.0, 0.6),
    ], "the two of one entropy come together"
    assert found[0].entropy == pytest.approx(stats.entropy([0.99, 0.01], base=2))


def test_shares_and_odds_are_those_of_scipy() -> None:
    draw = Random("odds")
    for count in (2, 3, 7):
        bits = [draw.uniform(0, 60) for _ in range(count)]
        p = special.softmax([-each * math.log(2) for each in bits])
        assert shares(bits) == pytest.approx(p)
        exact = [special.logsumexp([-b * math.log(2) for b in bits if b != each]) / -math.log(2) for each in bits]
        assert log_odds(bits) == pytest.approx([other - each for other, each in zip(exact, bits, strict=True)])
        assert together(bits) == pytest.approx(-special.logsumexp(-np.array(bits) * math.log(2)) / math.log(2))
    assert log_odds([0.0, 5000.0]) == [5000.0, -5000.0], "also where one has no share that a float can say"


def test_an_interval_of_a_share_is_wilsons() -> None:
    for hits, count in ((0, 10), (10, 10), (3, 10), (118, 200), (1, 1)):
        found = share_interval(hits, count)
        exact = stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
        assert (found.mean, found.count) == (hits / count, count)
    for hits, count in ((0, 0), (2, 1), (-1, 3)):
        with pytest.raises(ValueError, match="at least one try"):
            share_interval(hits, count)
