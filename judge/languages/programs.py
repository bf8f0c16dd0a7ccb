"""Small functions in Python, and what they return: as a manual shows them, and as `doctest` checks them.

    def scale(a, b):
        c = a + 3
        return c * b

    >>> scale(2, 5)
    25

What is returned follows from what stands before it; from the right, what was computed has to be guessed from it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

NAMES = ("scale", "shift", "mix", "rate", "grow", "turn", "fold", "step", "cost", "gain")
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
CALLS = 3


def rule(seed: int) -> Callable[[Random], str]:
    """The rule is the same for all seeds."""
    del seed
    return _program


def _program(random: Random) -> str:
    """One function with two arguments, and calls of it."""
    name, known = random.choice(NAMES), ["a", "b"]
    lines, steps = [f"def {name}(a, b):"], list[tuple[str, str, str]]()
    for _ in range(random.randrange(1, 4)):
        operation = random.choice([*OPERATIONS])
        left, right = random.choice(known), random.choice([*known, str(random.randrange(2, 10))])
        steps.append((left, operation, right))
        known.append("abcdef"[len(known)])
        lines.append(f"    {known[-1]} = {left} {operation} {right}")
    lines.append(f"    return {known[-1]}")
    for _ in range(CALLS):
        a, b = random.randrange(10), random.randrange(10)
        lines += ["", f">>> {name}({a}, {b})", str(_result(steps, [a, b]))]
    return "\n".join(lines)


def _result(steps: list[tuple[str, str, str]], values: list[int]) -> int:
    for left, operation, right in steps:
        given = [int(each) if each.isdigit() else values["abcdef".index(each)] for each in (left, right)]
        values.append(OPERATIONS[operation](*given))
    return values[-1]
