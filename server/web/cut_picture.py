"""One step of a judge that writes, as a drawing: how likely each token was before a method's cut, and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from judge.samples import SampleStep

LABEL, BARS, WIDTH, ROW = 92, 140, 320, 22  # units of the drawing: the tokens' column, the longest bar, all, a line
LONGEST = 12  # letters of a token
INK, SOFT, ACCENT = "#1c1b19", "#8a857c", "#1f5fa8"  # where no page gives colours of its own


@dataclass(frozen=True, slots=True)
class Bar:
    """Two shares of one thing, each from 0 to 1."""

    text: str
    before: float
    after: float


def cut_svg(step: SampleStep, label: str, *, alone: bool = False) -> str:
    """The drawing, for a page or, `alone`, as a file. label: what it shows, in words."""
    rows, height = bars([Bar(visible(each.text), each.before, each.after) for each in step.top])
    name = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    paper = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>' if alone else ""
    return (
        f'<svg{name} class="cut" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}"'
        f' font-family="sans-serif" font-size="11" direction="ltr">{paper}{rows}</svg>'
    )


def bars(shown: Sequence[Bar]) -> tuple[str, int]:
    """Two bars for each, on one scale; and how high that is. They are `WIDTH` wide."""
    most = max((max(each.before, each.after) for each in shown), default=1.0) or 1.0
    rows = "".join(_row(number, each.text, each.before, each.after, most) for number, each in enumerate(shown))
    return rows, ROW * len(shown) + 4


def visible(text: str) -> str:
    """A token in one line in which every character is seen."""
    shown = text.replace("\n", "⏎").replace(" ", "·").replace("\t", "⇥")
    shown = "".join(c if c.isprintable() else "�" for c in shown)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _row(number: int, text: str, before: float, after: float, most: float) -> str:
    y = ROW * number + 4
    bars = ((y, before, "before", SOFT), (y + 8, after, "after", ACCENT))
    drawn = "".join(
        f'<rect class="{kind}" x="{LABEL + 6}" y="{top}" width="{BARS * share / most:.2f}" height="7" fill="{colour}"/>'
        for top, share, kind, colour in bars
    )
    numbers = f"{_percent(before)} → {_percent(after)}"
    return (
        f'<text x="{LABEL}" y="{y + 11}" text-anchor="end" fill="{INK}">{escape(text)}</text>{drawn}'
        f'<text x="{WIDTH - 2}" y="{y + 11}" text-anchor="end" font-size="9" fill="{INK}">{numbers}</text>'
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
