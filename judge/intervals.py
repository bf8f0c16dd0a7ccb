"""A mean or a share, and how well it is known. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean of `count` values and the bounds of its confidence interval."""

    mean: float
    low: float
    high: float
    count: int


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Student's confidence interval of the mean of independent values. Raises ValueError for fewer than two."""
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, not {len(values)}")
    mean = fmean(values)
    half = student(0.5 + level / 2, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half, len(values))


def ratio_interval(parts: Sequence[float], wholes: Sequence[float], level: float = 0.95) -> Interval:
    """That of the sum of `parts` over the sum of `wholes`, as of bits over bytes; the pairs are independent.

    Its variance is that of what each part is more than the ratio lets expect (Cochran, Sampling Techniques, 1977,
    §6.3); with equal wholes it is Student's. Raises ValueError for fewer than two.
    """
    if len(parts) < 2:
        raise ValueError(f"an interval needs at least two values, not {len(parts)}")
    count, whole = len(parts), math.fsum(wholes)
    ratio = math.fsum(parts) / whole
    squares = math.fsum((part - ratio * of) ** 2 for part, of in zip(parts, wholes, strict=True))
    half = student(0.5 + level / 2, count - 1) * math.sqrt(count * squares / (count - 1)) / whole
    return Interval(ratio, ratio - half, ratio + half, count)


def share_interval(hits: int, count: int, level: float = 0.95) -> Interval:
    """Wilson's confidence interval of the share that `hits` of `count` independent tries are. Raises ValueError for no
    try."""
    if not 0 <= hits <= count or count == 0:
        raise ValueError(f"a share needs at least one try, and not more hits than tries: not {hits} of {count}")
    z, share = NormalDist().inv_cdf(0.5 + level / 2), hits / count
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    stretch = 1 + z * z / count
    return Interval(share, max(0.0, (middle - half) / stretch), min(1.0, (middle + half) / stretch), count)


def student(p: float, freedom: int) -> float:
    """The quantile of Student's distribution at p, from 0.5 on but below 1, by bisection."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < 2 * p - 1:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 2 * p - 1 else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """P(|T| ≤ t), as the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4 say it."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return (angle + sine * total) * 2 / math.pi if odd else sine * total
