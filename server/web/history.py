"""How a player's best in a round grew, as a small curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

WIDTH, HEIGHT, EDGE = 240, 48, 4
LEAST = 3  # moves that make a curve


@dataclass(frozen=True, slots=True)
class Curve:
    """line: the points of the best so far; dots: every move. In units of a picture WIDTH by HEIGHT."""

    line: str
    dots: Sequence[tuple[float, float]]
    first: float
    best: float
    width: int = WIDTH
    height: int = HEIGHT


def curve(bits: Sequence[float]) -> Curve | None:
    """Of scores in the order they were made; None where they are too few."""
    if len(bits) < LEAST:
        return None
    least, most = min(bits), max(bits)
    across, up = (WIDTH - 2 * EDGE) / (len(bits) - 1), (HEIGHT - 2 * EDGE) / ((most - least) or 1.0)

    def point(number: int, value: float) -> tuple[float, float]:
        return round(EDGE + number * across, 1), round(HEIGHT - EDGE - (value - least) * up, 1)

    line = [point(number, value) for number, value in enumerate(accumulate(bits, max))]
    dots = [point(number, value) for number, value in enumerate(bits)]
    return Curve(" ".join(f"{x},{y}" for x, y in line), dots, bits[0], most)
