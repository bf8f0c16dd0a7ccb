"""Pictures of a report: lines and bars, as SVG that stands alone, readable on light and dark."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 720, 26, 150, 70, 12, 44
HEIGHT = 300
COLOURS = ("#1b6ca8", "#c0392b", "#5f7a1f", "#b9770e", "#6c3483", "#117864", "#5d6d7e", "#a04000")
MARKS = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """points: of which x rises."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """low, high: of its interval; None: it has none."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def curves(found: Sequence[Curve], *, across: str, up: str) -> str:
    """Best so far: each holds its height until the next point."""
    points = [point for curve in found for point in curve.points]
    if not points:
        return ""
    x = _Axis(min(point[0] for point in points), max(point[0] for point in points), 60, WIDTH - LEFT)
    y = _Axis(min(point[1] for point in points), max(point[1] for point in points), HEIGHT - BOTTOM, TOP)
    parts = [*_across(x, HEIGHT - BOTTOM, across)]
    for mark in y.marks:
        parts.append(f'<path d="M60 {y.at(mark):.1f}H{WIDTH - LEFT}" stroke="#ddd"/>')
        parts.append(_text(54, y.at(mark) + 4, f"{mark:g}", "end"))
    names = _apart([y.at(curve.points[-1][1]) for curve in found if curve.points])
    for number, (curve, place) in enumerate(zip([each for each in found if each.points], names, strict=True)):
        (x0, y0), *more = [(x.at(a), y.at(b)) for a, b in curve.points]
        steps = "".join(f"H{a:.1f}V{b:.1f}" for a, b in more)
        colour = COLOURS[number % len(COLOURS)]
        dashes = "" if number < len(COLOURS) else ' stroke-dasharray="6 3"'
        parts.append(f'<path d="M{x0:.1f} {y0:.1f}{steps}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts.append(_text(WIDTH - LEFT + 6, place + 4, _short(curve.name), "start", colour))
    return _picture(HEIGHT, f"{up} over {across}", parts)


def bars(found: Sequence[Bar], *, across: str) -> str:
    """From zero, one below the other, with a whisker for an interval."""
    if not found:
        return ""
    ends = [end for bar in found for end in (0.0, bar.value, bar.low, bar.high) if end is not None]
    x = _Axis(min(ends), max(ends), LEFT, WIDTH - RIGHT)
    height = TOP + ROW * len(found) + BOTTOM
    parts = [*_across(x, height - BOTTOM, across)]
    for number, bar in enumerate(found):
        y, colour = TOP + ROW * number, COLOURS[number % len(COLOURS)]
        left, right = sorted((x.at(0), x.at(bar.value)))
        parts.append(_text(LEFT - 8, y + 17, _short(bar.name), "end"))
        parts.append(
            f'<rect x="{left:.1f}" y="{y + 5}" width="{right - left:.1f}" height="{ROW - 10}" fill="{colour}"/>'
        )
        end = right
        if bar.low is not None and bar.high is not None:
            end = max(right, x.at(bar.high))
            parts.append(
                f'<path d="M{x.at(bar.low):.1f} {y + 13}H{x.at(bar.high):.1f}" stroke="#111" stroke-width="2"/>'
            )
        parts.append(_text(end + 6, y + 17, f"{bar.value:.1f}", "start"))
    return _picture(height, across, parts)


class _Axis:
    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        high = high if high > low else low + 1
        self._low, self._high, self._begin, self._end = low, high, begin, end

    def at(self, value: float) -> float:
        return self._begin + (value - self._low) / (self._high - self._low) * (self._end - self._begin)

    @property
    def marks(self) -> list[float]:
        """Round numbers, about five."""
        raw = (self._high - self._low) / MARKS
        size: float = 10.0 ** floor(log10(raw))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
        first = floor(self._low / step)
        marks = [round(number * step, 9) for number in range(first, first + 3 * MARKS)]
        return [mark for mark in marks if self._low <= mark <= self._high]


def _across(x: _Axis, y: float, name: str) -> Iterator[str]:
    for mark in x.marks:
        yield f'<path d="M{x.at(mark):.1f} {TOP}V{y}" stroke="#ddd"/>'
        yield _text(x.at(mark), y + 16, f"{mark:g}", "middle")
    yield _text(WIDTH / 2, y + 36, name, "middle")


def _apart(places: Sequence[float]) -> list[float]:
    """Heights of names that do not lie on each other, near where they should be."""
    moved = [0.0] * len(places)
    last = -1e9
    for number in sorted(range(len(places)), key=lambda number: places[number]):
        last = moved[number] = max(places[number], last + 14)
    over = max(0.0, max(moved, default=0.0) - (HEIGHT - BOTTOM + 10))
    return [place - over for place in moved]


def _text(x: float, y: float, said: str, anchor: str, colour: str = "#111") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(said)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}…"


def _picture(height: float, title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif"'
        f' font-size="13">\n<title>{escape(title)}</title>\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n'
        "</svg>\n"
    )
