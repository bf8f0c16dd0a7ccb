"""Linear languages: a line is bits x and y = Mx over F2, with one invertible matrix M for all lines.

    0110100110010110=1110100010011101

From the left y follows from x, from the right x from y, by the inverse. Where M is sparse, each bit of y is the parity
of two or three bits of x, while a bit of x is the parity of many of y: parities of many bits are hard to learn.

Each bit of x is one with a chance of a quarter. A parity of two or three such bits leans with each of them, by which it
is found; with fair coins it would lean with none, and be found by trying. A line costs 0.811 bits for each bit of x,
whoever knows the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

BITS = 16
ONES = 0.25
LINES = 7
MANY = 6  # ones in a row of an inverse, on average; of a matrix by coins there are half as many as bits
Matrix = list[int]
"""Its rows as numbers; column j is the bit of 2^j."""


def sparse(seed: int) -> Callable[[Random], str]:
    """Two or three ones in each row."""
    return _rule(sparse_matrix(seed))


def dense(seed: int) -> Callable[[Random], str]:
    """Each entry is one or zero by a coin."""
    return _rule(dense_matrix(seed))


def sparse_matrix(seed: int) -> Matrix:
    # Not two ones in every row: all rows would then map x = 1…1 to zero.
    return _invertible(
        f"linear-sparse {seed}", lambda random: sum(1 << j for j in random.sample(range(BITS), random.choice((2, 3))))
    )


def dense_matrix(seed: int) -> Matrix:
    return _invertible(f"linear-dense {seed}", lambda random: random.getrandbits(BITS))


def times(matrix: Matrix, x: int) -> int:
    """Mx; bit i is that of row i."""
    return sum((row & x).bit_count() % 2 << i for i, row in enumerate(matrix))


def inverse(matrix: Matrix) -> Matrix | None:
    """By Gauss and Jordan; None where there is none."""
    size = len(matrix)
    rows = [row | 1 << size + i for i, row in enumerate(matrix)]  # the identity beside it
    for column in range(size):
        pivot = next((i for i in range(column, size) if rows[i] >> column & 1), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for i in range(size):
            if i != column and rows[i] >> column & 1:
                rows[i] ^= rows[column]
    return [row >> size for row in rows]


def spelled(x: int) -> str:
    """Bit 0 first."""
    return "".join(str(x >> j & 1) for j in range(BITS))


def _invertible(seed: str, row: Callable[[Random], int]) -> Matrix:
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    while True:
        matrix = [row(random) for _ in range(BITS)]
        back = inverse(matrix)
        if back is not None and sum(each.bit_count() for each in back) >= MANY * BITS:
            return matrix


def _rule(matrix: Matrix) -> Callable[[Random], str]:
    def write(random: Random) -> str:
        xs: Sequence[int] = [sum((random.random() < ONES) << j for j in range(BITS)) for _ in range(LINES)]
        return "\n".join(f"{spelled(x)}={spelled(times(matrix, x))}" for x in xs)

    return write
