"""A card as SVG, and that as PNG: outlines and rectangles, the same on every machine and for everybody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from server.web.picture.card import Block, Card, Token
from server.web.picture.typesetting import (
    CODE,
    ELLIPSIS,
    PLAIN,
    STRONG,
    UNITS,
    Cluster,
    Line,
    Setting,
    cleaned,
    drawable,
    outline,
    set_text,
)

WIDTH, HEIGHT, MARGIN = 1200, 630, 56  # pixels; what chat programs show as a preview
LONGEST = 2000  # characters of a text that are looked at; no more fit
SHORT = 300  # the same of a text of a line or two

# The page's colours in its light scheme (static/arena.css).
PAPER, INK, SOFT, RULE = "#faf9f6", "#1d1c1a", "#5c5952", "#d9d5cb"
ACCENT = "#27468a"
TINTS = {"gain": "#2b64c9", "loss": "#d67010"}
UNDERLINES = {"gain": "#1f4ea8", "loss": "#9a4b00"}
OPACITY = (0.1, 0.2, 0.32, 0.45)  # of the four steps
THICKNESS = (1, 2, 3, 5)
PAGE_TEXT = 18.4  # pixels of the letters of the page, beside which its underlines have that thickness

TOP, BASE, FOOT = 62, 132, 598  # of the brand, the title and the last line
BOTTOM = 546  # where the texts end
SIZES = (50, 44, 40, 36, 32, 29, 26)  # of the letters of the texts: the largest at which all fits, else the last
LEADING = 1.66  # from line to line, in em
HEADING, LABEL = 24, 36  # of the letters above a text, and their room
GAP = 14
ROOM = WIDTH - 2 * MARGIN


def svg(card: Card) -> str:
    """The picture as an SVG document without style, script or font."""
    sheet = _Sheet()
    sheet.rectangle(0, 0, WIDTH, HEIGHT, PAPER)
    _head(sheet, card)
    _texts(sheet, card, _words(sheet, card))
    _foot(sheet, card)
    return sheet.document(f"{card.title}, {card.score}", _told(card))


def _told(card: Card) -> str:
    """The picture for those who do not see it."""
    texts = ("".join(token.text for token in block.tokens)[:LONGEST] or card.hidden for block in card.blocks)
    return "\n".join(filter(None, [card.name, card.words[:LONGEST], *texts, card.judge]))


class _Sheet:
    """What is drawn so far. An outline is written once, and used wherever its glyph stands."""

    def __init__(self) -> None:
        self.lacks = False
        self._body: list[str] = []
        self._names: dict[tuple[str, int], str] = {}

    def rectangle(self, x: float, y: float, width: float, height: float, fill: str, more: str = "") -> None:
        self._body.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{more}/>'
        )

    def drawn(self, element: str) -> None:
        self._body.append(element)

    def line(self, line: Line, size: float, x: float, y: float, fill: str) -> None:
        """A line of text, from x on, its letters standing on y."""
        used = []
        for left, cluster in line.placed():
            if cluster.missing:
                self._frame(cluster, x + left * size, y, size)
            for glyph in cluster.glyphs:
                if outline(glyph.font, glyph.number):
                    name = self._names.setdefault((glyph.font, glyph.number), f"g{len(self._names)}")
                    at = f'x="{(left + glyph.x) * UNITS:.0f}" y="{-glyph.y * UNITS:.0f}"'
                    used.append(f'<use href="#{name}" {at}/>')
        place = f'transform="translate({x:.1f} {y:.1f}) scale({size / UNITS:g})"'
        self._body.append(f'<g fill="{fill}" {place}>{"".join(used)}</g>')

    def _frame(self, cluster: Cluster, x: float, y: float, size: float) -> None:
        self.lacks = True
        width, height = (cluster.advance - 0.16) * size, 0.7 * size
        self.rectangle(x + 0.08 * size, y - height, width, height, "none", f' stroke="{SOFT}" stroke-width="1.5"')

    def said(
        self,
        text: str,
        size: float,
        x: float,
        y: float,
        fill: str,
        room: float = ROOM,
        fonts: Sequence[str] = PLAIN,
        tint: str = "",
    ) -> float:
        """A text in one line that begins at x, or ends there where x is on the right; its width."""
        setting = set_text(" ".join(cleaned(text[:SHORT]).split()), fonts)
        line = setting.line(room / size)
        width = line.width * size
        left = x - width if x > WIDTH / 2 else x
        if tint:
            _tint(self, tint, left, left + width, y, size)
        self.line(line, size, left, y, fill)
        return width

    def document(self, title: str, told: str) -> str:
        outlines = "".join(f'<path id="{name}" d="{outline(*glyph)}"/>' for glyph, name in self._names.items())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
            f' role="img"><title>{escape(cleaned(title))}</title><desc>{escape(cleaned(told))}</desc>'
            f"<defs>{outlines}</defs>{''.join(self._body)}</svg>\n"
        )


def _head(sheet: _Sheet, card: Card) -> None:
    sheet.drawn(
        f'<g transform="translate({MARGIN} {TOP - 25})"><rect width="32" height="32" rx="7" fill="#2a4b8d"/>'
        '<path d="M9 9l14 14M23 9L9 23" stroke="#fff" stroke-width="4" stroke-linecap="round"/>'
        '<circle cx="16" cy="16" r="3" fill="#f2a33a"/></g>'
    )
    sheet.said("Xent Arena", 26, MARGIN + 44, TOP, SOFT)
    sheet.said(card.name, 28, WIDTH - MARGIN, TOP, INK, room=ROOM / 2, fonts=STRONG)
    colour = UNDERLINES["gain" if card.bits > 0 else "loss"] if card.bits else INK
    taken = sheet.said(card.score, 54, WIDTH - MARGIN, BASE, colour, fonts=STRONG)
    sheet.said(card.title, 48, MARGIN, BASE, INK, room=ROOM - taken - 40, fonts=STRONG)


def _words(sheet: _Sheet, card: Card) -> float:
    """The player's own words, beside a bar; where they end."""
    setting = set_text(cleaned(card.words[:LONGEST]) or card.nothing)
    size = 34 if len(setting.lines((ROOM - 24) / 34, 3)) < 3 else 28
    lines = setting.lines((ROOM - 24) / size, 2)
    top, leading = BASE + 30, size * 1.3
    sheet.rectangle(_start(setting, 4, MARGIN, ROOM), top, 4, leading * len(lines), ACCENT)
    for number, line in enumerate(lines):
        x = _start(setting, line.width * size, MARGIN + (0 if setting.base else 24), ROOM - 24)
        sheet.line(line, size, x, top + number * leading + size * 0.98, INK if card.words else SOFT)
    return top + leading * len(lines)


def _start(setting: Setting, width: float, left: float, room: float) -> float:
    """Where a line begins: on the right side, where its text runs from there."""
    return left + room - width if setting.base else left


@dataclass(frozen=True, slots=True)
class _Text:
    """A block that is set. owners: for each character of the setting its token."""

    block: Block
    setting: Setting
    owners: Sequence[Token]


def _texts(sheet: _Sheet, card: Card, above: float) -> None:
    texts = [_text(block, card.hidden) for block in card.blocks]
    headed = len(texts) if len(texts) > 1 else 0
    room = BOTTOM - above - GAP - LABEL * (headed + bool(card.more))
    size, counts = _fitted(texts, room)
    y = above + GAP + (room - sum(counts) * size * LEADING) / 3  # what is left over stands mostly below
    for text, count in zip(texts, counts, strict=True):
        if text.block.heading:
            y += LABEL
            sheet.said(text.block.heading, HEADING, MARGIN, y - 4, SOFT)
        for line in text.setting.lines(ROOM / size, count):
            y += size * LEADING
            x = _start(text.setting, line.width * size, MARGIN, ROOM)
            _shade(sheet, line, text.owners, size, x, y - size * 0.45)
            sheet.line(line, size, x, y - size * 0.45, INK if text.block.tokens else SOFT)
    sheet.said(card.more, HEADING, MARGIN, y + HEADING * 1.3, SOFT)


def _text(block: Block, hidden: str) -> _Text:
    tokens = block.tokens or [Token(hidden)]
    whole = "".join(token.text for token in tokens)
    owner_of = [token for token in tokens for _ in token.text]
    kept = list(drawable(whole[:LONGEST]))
    text = "".join(each for _, each in kept).rstrip("\n")
    owners = [owner_of[place] for place, each in kept for _ in each][: len(text)]
    if len(whole) > LONGEST:
        text, owners = text + ELLIPSIS, [*owners, Token(ELLIPSIS)]
    return _Text(block, set_text(text, CODE if block.code else PLAIN), owners)


def _fitted(texts: Sequence[_Text], height: float) -> tuple[float, list[int]]:
    """The size of the letters, and how many lines each text gets."""
    for size in SIZES:
        wanted = [len(text.setting.lines(ROOM / size, LONGEST)) for text in texts]
        room = int(height / (size * LEADING))
        if sum(wanted) <= room:
            return size, wanted
    given = [0] * len(texts)
    while sum(given) < room:  # one to each in turn, as long as it wants one
        neediest = min((i for i in range(len(texts)) if given[i] < wanted[i]), key=lambda i: given[i])
        given[neediest] += 1
    return size, given


def _shade(sheet: _Sheet, line: Line, owners: Sequence[Token], size: float, x: float, y: float) -> None:
    """The tokens of a line as the page's map shows them, each with what it gave."""
    for token, left, right in _spans(line, owners):
        if token.bits:
            sheet.drawn(f"<g><title>{escape(token.bits)}</title>")
            _tint(sheet, token.tint, x + left * size, x + right * size, y, size)
            sheet.drawn("</g>")


def _spans(line: Line, owners: Sequence[Token]) -> Iterator[tuple[Token, float, float]]:
    """From left to right, where each token begins and ends. Characters that are one cluster share its width."""
    places = [(owner, left, right) for x, each in line.placed() for owner, left, right in _shares(x, each, owners)]
    for _, group in groupby(places, key=lambda place: id(place[0])):
        same = list(group)
        yield same[0][0], same[0][1], same[-1][2]


def _shares(x: float, cluster: Cluster, owners: Sequence[Token]) -> Iterator[tuple[Token, float, float]]:
    if cluster.start < 0:
        return
    share = cluster.advance / len(cluster.text)
    mine = owners[cluster.start : cluster.start + len(cluster.text)]
    for place, owner in enumerate(reversed(mine) if cluster.level % 2 else mine):
        yield owner, x + place * share, x + (place + 1) * share


def _tint(sheet: _Sheet, tint: str, left: float, right: float, y: float, size: float) -> None:
    side, _, step = tint.partition("-")
    colour, opacity = (TINTS[side], OPACITY[int(step) - 1]) if step else (PAPER, 0)
    sheet.rectangle(left, y - 0.9 * size, right - left, 1.22 * size, colour, f' fill-opacity="{opacity}"')
    if step:
        thick = THICKNESS[int(step) - 1] * size / PAGE_TEXT
        below = y + 0.3 * size + thick / 2
        dots = f' stroke-linecap="round" stroke-dasharray="0 {2 * thick:.1f}"' if side == "loss" else ""
        inset = thick / 2 if side == "loss" else 0
        sheet.drawn(
            f'<path d="M{left + inset:.1f} {below:.1f}H{right - inset:.1f}" stroke="{UNDERLINES[side]}"'
            f' stroke-width="{thick:.1f}"{dots}/>'
        )


def _foot(sheet: _Sheet, card: Card) -> None:
    sheet.rectangle(MARGIN, BOTTOM + 12, ROOM, 1.5, RULE)
    size, right = 24, float(WIDTH - MARGIN)
    shaded = any(block.tokens for block in card.blocks)
    for tint, text in (("loss-3", card.takes), ("gain-3", card.adds)) if shaded else ():
        right -= sheet.said(text, size, right, FOOT, INK, tint=tint) + 28
    sheet.said(card.judge, size, MARGIN, FOOT, SOFT, room=right - MARGIN)
    if sheet.lacks:
        sheet.said(card.lacking, 17, MARGIN, FOOT + 22, SOFT)
