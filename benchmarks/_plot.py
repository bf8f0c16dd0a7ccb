"""Lines over a logarithmic plane, as SVG that stands alone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 220, 20, 50
COLOURS = ("#1b6ca8", "#c0392b", "#7d8c1f", "#b9770e", "#6c3483", "#117864", "#5d6d7e", "#a04000")


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right, all above zero."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Decades between two numbers, from one place to another."""

    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], begin: float, end: float) -> "_Axis":
        low, high = (10 ** rounded(math.log10(most(values))) for rounded, most in ((math.floor, min), (math.ceil, max)))
        return cls(low, high if high > low else 10 * low, begin, end)

    def at(self, value: float) -> float:
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    @property
    def marks(self) -> list[float]:
        first, last = (round(math.log10(each)) for each in (self.low, self.high))
        return [10.0**power for power in range(first, last + 1)]


def plot(lines: Sequence[Line], *, across: str, up: str) -> str:
    """The picture. Readable on light and dark: it has a ground of its own."""
    x = _Axis.over([point[0] for line in lines for point in line.points], LEFT, WIDTH - RIGHT)
    y = _Axis.over([point[1] for line in lines for point in line.points], HEIGHT - BOTTOM, TOP)
    parts = [*_grid(x, y), *_names(across, up)]
    for i, line in enumerate(lines):
        parts += _line(line, i, x, y)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13">\n<title>{escape(up)} over {escape(across)}</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _grid(x: _Axis, y: _Axis) -> Iterator[str]:
    for mark in x.marks:
        at = x.at(mark)
        yield f'<path d="M{at:.1f} {y.begin}V{y.end}" stroke="#ddd"/>'
        yield f'<text x="{at:.1f}" y="{y.begin + 18}" text-anchor="middle">{mark:,.0f}</text>'
    for mark in y.marks:
        at = y.at(mark)
        yield f'<path d="M{x.begin} {at:.1f}H{x.end}" stroke="#ddd"/>'
        yield f'<text x="{x.begin - 8}" y="{at + 4:.1f}" text-anchor="end">{mark:,.0f}</text>'


def _names(across: str, up: str) -> Iterator[str]:
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>'
    turned = f"rotate(-90 16 {HEIGHT / 2})"
    yield f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" transform="{turned}">{escape(up)}</text>'


def _line(line: Line, number: int, x: _Axis, y: _Axis) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    way = "L".join(f"{x.at(across):.1f} {y.at(up):.1f}" for across, up in line.points)
    yield f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for across, up in line.points:
        yield f'<circle cx="{x.at(across):.1f}" cy="{y.at(up):.1f}" r="3" fill="{colour}"/>'
    at = TOP + 10 + 20 * number
    yield f'<path d="M{WIDTH - RIGHT + 12} {at}h20" stroke="{colour}" stroke-width="2"/>'
    yield f'<text x="{WIDTH - RIGHT + 38}" y="{at + 4}">{escape(line.name)}</text>'
