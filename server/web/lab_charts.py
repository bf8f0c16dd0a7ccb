"""The drawings of the lab's experiments: SVG for a page, or alone as a file, and as PNG.

Colours stand in the drawings themselves, so that a file shows them; a page gives those of its scheme by classes.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from starlette.responses import Response

from judge.figures import Saved
from judge.intervals import Interval
from server.web.cut_picture import ACCENT, INK, SOFT, visible
from server.web.picture.pixels import png
from server.web.picture.typesetting import FONTS
from server.web.rendering import HEADERS
from server.web.sharing import CONTENT, STYLED

SHOWN, ZOOM = 1.6, 3  # pixels of a page and of a PNG for each unit of a drawing
TOKENS, COLUMN, HIGHEST, STRIP = 9, 28, 56, 118  # tokens of a strip, as a phone has room for; columns, bars, a strip
LEFT = 20
LABEL, ROW, LETTERS = 124, 20, 19  # the texts' column, a line, letters of a text
BARS, WIDTH = 140, 330  # for bars to either side, all of it

Ending = Literal["svg", "png"]


@dataclass(frozen=True, slots=True)
class Column:
    """A token. begins: a border stands before it."""

    text: str
    bits: float
    entropy: float
    begins: bool = False


async def sent(drawn: str, ending: Ending, name: str) -> Response:
    """A drawing that stands alone, as a file. name: what the file is called, without its ending."""
    shown = drawn if ending == "svg" else await asyncio.to_thread(png, drawn, zoom=ZOOM, fonts=FONTS)
    headers = HEADERS | {
        "Content-Security-Policy": CONTENT if ending == "svg" else STYLED,
        "Content-Disposition": f'inline; filename="{name}.{ending}"',
    }
    return Response(shown, media_type="image/svg+xml" if ending == "svg" else "image/png", headers=headers)


def framed(body: str, width: float, height: float, label: str, *, alone: bool) -> str:
    """A drawing for a page or, `alone`, as a file: then with a ground of its own. label: what it shows, in words."""
    size = f' width="{SHOWN * width:g}" height="{SHOWN * height:g}"'
    name = ' xmlns="http://www.w3.org/2000/svg"' if alone else size
    paper = f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>' if alone else ""
    return (
        f'<svg{name} class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}"'
        f' font-family="sans-serif" font-size="11" direction="ltr">{paper}{body}</svg>'
    )


def tokens_svg(texts: Sequence[tuple[str, Sequence[Column]]], label: str, *, alone: bool = False) -> str:
    """Bits of each token as a bar, the entropy there as a line across it, all texts on one scale. texts: each with what
    stands over it, or nothing."""
    most = max((max(each.bits, each.entropy) for _, columns in texts for each in columns), default=0.0) or 1.0
    parts, y = list[str](), 4.0
    for title, columns in texts:
        if title:
            parts.append(f'<text x="{LEFT}" y="{y + 12}" font-weight="bold" fill="{INK}">{escape(title)}</text>')
            y += 20
        for start in range(0, len(columns), TOKENS):
            parts += _strip(columns[start : start + TOKENS], y, most)
            y += STRIP
    longest = max((min(len(columns), TOKENS) for _, columns in texts), default=0)
    return framed("".join(parts), 2 * LEFT + COLUMN * longest, y, label, alone=alone)


def _strip(columns: Sequence[Column], top: float, most: float) -> Iterator[str]:
    foot = top + 12 + HIGHEST
    yield f'<path class="rule" d="M{LEFT} {foot}h{COLUMN * len(columns)}" stroke="{SOFT}" stroke-width="0.5"/>'
    for number, each in enumerate(columns):
        x = LEFT + COLUMN * number
        high, expected = HIGHEST * each.bits / most, foot - HIGHEST * each.entropy / most
        yield f'<rect class="after" x="{x + 5}" y="{foot - high:.1f}" width="18" height="{high:.1f}" fill="{ACCENT}"/>'
        yield f'<rect class="mark" x="{x + 2}" y="{expected - 0.75:.1f}" width="24" height="1.5" fill="{INK}"/>'
        tip = min(foot - high, expected)
        yield (
            f'<text x="{x + 14}" y="{tip - 3:.1f}" text-anchor="middle" font-size="8" fill="{INK}">'
            f"{each.bits:.1f}</text>"
        )
        turned = f'x="{x + 18}" y="{foot + 10}" text-anchor="end" transform="rotate(-40 {x + 18} {foot + 10})"'
        yield f'<text {turned} font-size="9" fill="{INK}">{escape(visible(each.text))}</text>'
        if each.begins:
            yield f'<path class="border" d="M{x} {top}V{foot}" stroke="{INK}" stroke-dasharray="3 3"/>'


def saved_svg(rows: Sequence[Saved], found: Interval, names: tuple[str, str], *, alone: bool = False) -> str:
    """What was saved on each text, to the right of a line where something was, and under them the mean with its
    interval. names: of the drawing, and of the mean."""
    reach = max([abs(row.saved) for row in rows] + [abs(found.low), abs(found.high)]) or 1.0
    scale = BARS / 2 / reach
    zero, height = LABEL + 10 + BARS / 2, ROW * (len(rows) + 1) + 14
    parts = [f'<path class="rule" d="M{zero} 4V{height - 4}" stroke="{SOFT}"/>']
    for number, row in enumerate(rows):
        y = ROW * number + 4
        long, kind, colour = abs(row.saved) * scale, "after", ACCENT
        left = zero if row.saved >= 0 else zero - long
        if row.saved < 0:
            kind, colour = "before", SOFT
        parts.append(_named(y, _clipped(row.text), _signed(row.saved)))
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{y + 3}" width="{long:.1f}" height="10" fill="{colour}"/>'
        )
    y = ROW * len(rows) + 10
    low, middle, high = (zero + each * scale for each in (found.low, found.mean, found.high))
    parts.append(_named(y, names[1], _signed(found.mean), bold=True))
    parts.append(
        f'<rect class="mark" x="{low:.1f}" y="{y + 7.25}" width="{high - low:.1f}" height="1.5" fill="{INK}"/>'
    )
    parts += [
        f'<rect class="mark" x="{x - wide / 2:.1f}" y="{y + 8 - wide}" width="{wide}" height="{2 * wide}"'
        f' fill="{INK}"/>'
        for x, wide in ((low, 1.5), (middle, 4), (high, 1.5))
    ]
    return framed("".join(parts), WIDTH, height, names[0], alone=alone)


def _named(y: float, text: str, number: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{LABEL}" y="{y + 12}" text-anchor="end"{weight} fill="{INK}">{escape(text)}</text>'
        f'<text x="{WIDTH - 4}" y="{y + 12}" text-anchor="end" font-size="9"{weight} fill="{INK}">{number}</text>'
    )


def _signed(bits: float) -> str:
    return f"{bits:+.2f}".replace("-", "−")


def _clipped(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= LETTERS else f"{shown[: LETTERS - 1]}…"
