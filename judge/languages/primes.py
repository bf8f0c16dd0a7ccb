"""Products of two primes: easy to multiply from left to right, to be factored from right to left.

    13*47=611

p < q, both of two digits; every pair is as likely. A line costs log₂ 210 = 7.71 bits, whoever knows the rule: from
the left those of the pair and none of n, from the right those of n and none of the pair.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from random import Random

PRIMES = [n for n in range(10, 100) if all(n % d for d in range(2, 10))]
PAIRS = list(combinations(PRIMES, 2))
LINES = 22


def rule(seed: int) -> Callable[[Random], str]:
    """The rule is the same for all seeds."""
    del seed

    def write(random: Random) -> str:
        return "\n".join(f"{p}*{q}={p * q}" for p, q in random.choices(PAIRS, k=LINES))

    return write
