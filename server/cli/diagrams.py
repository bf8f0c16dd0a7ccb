"""How far confidence can be trusted, drawn: a reliability diagram, and what not answering is worth. SVG that stands
alone."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from judge.calibration import Answered, accuracy, bins, calibration_error, coverage

SIDE, GAP, LEFT, TOP, BOTTOM = 320, 90, 70, 40, 100
WIDTH, HEIGHT = LEFT + 2 * SIDE + GAP + 30, TOP + SIDE + BOTTOM
COLOURS = ("#1b6ca8", "#c0392b")
MARKS = [each / 5 for each in range(6)]
Point = tuple[float, float]


def reliability(kinds: Mapping[str, Sequence[Answered]], title: str) -> str:
    """The picture of answers of one kind or two, by name. Readable on light and dark: it has a ground of its own."""
    parts = [*_frame(LEFT, "confidence", "share that was right")]
    parts += [*_frame(LEFT + SIDE + GAP, "share of the questions that is answered", "share of those that is right")]
    parts.append(f'<path d="{_way(LEFT, [(0, 0), (1, 1)])}" stroke="#888" stroke-dasharray="5 4"/>')
    for number, (name, answered) in enumerate(kinds.items()):
        parts += _kind(name, answered, number)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13">\n<title>{escape(title)}</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        f'<text x="{LEFT}" y="24" font-weight="bold">{escape(title)}</text>\n{body}\n</svg>\n'
    )


def _kind(name: str, answered: Sequence[Answered], number: int) -> Iterator[str]:
    """Its bins as circles whose area is how many answers they have, its coverage as a line, and its name."""
    colour, found = COLOURS[number], bins(answered)
    points = [(each.confidence, each.right) for each in found]
    yield f'<path d="{_way(LEFT, points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for each, point in zip(found, points, strict=True):
        x, y = _place(LEFT, point)
        radius = 3 + 15 * (each.count / len(answered)) ** 0.5
        told = f"{each.count} of {len(answered)}: confidence {each.confidence:.3f}, right {each.right:.3f}"
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.45">'
            f"<title>{told}</title></circle>"
        )
    line = [(each.share, each.right) for each in coverage(answered)]
    yield f'<path d="{_way(LEFT + SIDE + GAP, line)}" fill="none" stroke="{colour}" stroke-width="2"/>'
    y = TOP + SIDE + 62 + 20 * number
    told = f"{name}: {accuracy(answered):.1%} right, expected calibration error {calibration_error(answered):.3f}"
    yield f'<path d="M{LEFT} {y}h20" stroke="{colour}" stroke-width="2"/>'
    yield f'<text x="{LEFT + 28}" y="{y + 4}">{escape(told)}</text>'


def _frame(left: int, across: str, up: str) -> Iterator[str]:
    for mark in MARKS:
        x, y = _place(left, (mark, mark))
        yield f'<path d="M{x:.1f} {TOP + SIDE}V{TOP}M{left} {y:.1f}H{left + SIDE}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{TOP + SIDE + 18}" text-anchor="middle">{mark:.0%}</text>'
        yield f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{mark:.0%}</text>'
    yield f'<text x="{left + SIDE / 2}" y="{TOP + SIDE + 38}" text-anchor="middle">{across}</text>'
    x, y = left - 50, TOP + SIDE / 2
    yield f'<text x="{x}" y="{y}" text-anchor="middle" transform="rotate(-90 {x} {y})">{up}</text>'


def _place(left: int, point: Point) -> Point:
    return left + SIDE * point[0], TOP + SIDE * (1 - point[1])


def _way(left: int, points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (_place(left, point) for point in points))
