"""Text set in the fonts that lie here: shaped, broken into lines, each character's place known.

Nothing depends on the fonts of a machine or of whoever looks: a glyph is an outline. All lengths are in em, the size
of the letters, so that a text is shaped once and may be tried in several sizes.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path

import uharfbuzz as hb

from server.web.picture import bidi

FONTS = Path(__file__).parent / "fonts"
_OTHERS = ("NotoSerifHebrew-Regular", "NotoNaskhArabic-Regular", "DejaVuSans")
#: Each character is of the first that has it.
PLAIN = ("SourceSerif4-Regular", *_OTHERS)
STRONG = ("SourceSerif4-SemiBold", "SourceSerif4-Regular", *_OTHERS)
CODE = ("DejaVuSansMono", "SourceSerif4-Regular", *_OTHERS)
MISSING = ""  # the font of characters that no font here has
ELLIPSIS = "…"

MARKS = 3  # on one letter; more would run over the lines around it
TAB = "    "
UNITS = 1000  # of an outline, in one em
_JOINERS = "\u200c\u200d"  # which say in Arabic script how a letter is written
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Glyph:
    """An outline of a font, and where it stands in its cluster."""

    font: str
    number: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Characters that are drawn as one. start: the place of the first in the text, below 0 where they are not of it."""

    start: int
    text: str
    advance: float
    level: int
    glyphs: Sequence[Glyph]

    @property
    def space(self) -> bool:
        return self.text.isspace()

    @property
    def missing(self) -> bool:
        return not self.glyphs and not self.space


@dataclass(frozen=True, slots=True)
class Line:
    """Clusters as they are read, which is not always from left to right. base: the direction of their text."""

    clusters: Sequence[Cluster]
    base: int

    @property
    def width(self) -> float:
        return sum(each.advance for each in self.clusters)

    def placed(self) -> Iterator[tuple[float, Cluster]]:
        """Each cluster with its left edge, from left to right."""
        x = 0.0
        for place in bidi.visual([each.level for each in self.clusters]):
            yield x, self.clusters[place]
            x += self.clusters[place].advance


def cleaned(text: str) -> str:
    """Without what has no place in a picture: controls, halves of characters, whatever turns the direction, more marks
    on a letter than there is room for."""
    return "".join(each for _, each in drawable(text))


def drawable(text: str) -> Iterator[tuple[int, str]]:
    """The same character by character, each with its place in the text."""
    marks = 0
    for place, each in enumerate(text):
        kind = unicodedata.category(each)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if each in _LINE_ENDS and text[place : place + 2] != "\r\n":
            yield place, "\n"
        elif each == "\t":
            yield place, TAB
        elif marks <= MARKS and (each in _JOINERS or not _unseen(each, kind)):
            yield place, each


def _unseen(each: str, kind: str) -> bool:
    variant = "\ufe00" <= each <= "\ufe0f" or "\U000e0100" <= each <= "\U000e01ef"
    return kind in ("Cc", "Cf", "Cs", "Zl", "Zp") or variant or ord(each) & 0xFFFE == 0xFFFE


@dataclass(frozen=True, slots=True)
class Setting:
    """A text that is shaped and may be broken into lines of any width."""

    paragraphs: Sequence[Sequence[Cluster]]
    base: int
    fonts: Sequence[str]

    def lines(self, width: float, most: int) -> list[Line]:
        """As many lines of this width as are allowed, without empty ones; the last ends with an ellipsis where that is
        not all."""
        found: list[Line] = []
        for paragraph in self.paragraphs:
            for each in filter(None, _broken(paragraph, width)):
                if len(found) == most:
                    return [*found[:-1], self._cut(found[-1], width)]
                found.append(Line(each, self.base))
        return found

    def line(self, width: float) -> Line:
        """All of it in one line, or as much as there is room for."""
        whole = Line(_trimmed([each for paragraph in self.paragraphs for each in paragraph]), self.base)
        return whole if whole.width <= width else self._cut(whole, width)

    def _cut(self, line: Line, width: float) -> Line:
        """With an ellipsis behind the last whole word; within a word that is longer than half a line."""
        (ending,) = _shaped(ELLIPSIS, -1, self.fonts, self.base)
        used, kept, word = ending.advance, 0, 0
        for place, each in enumerate(line.clusters):
            used += each.advance
            if used > width:
                break
            kept, word = place + 1, place if each.space else word
        else:
            word = kept
        return Line([*_trimmed(line.clusters[: word if word > kept / 2 else kept]), ending], self.base)


def set_text(text: str, fonts: Sequence[str] = PLAIN) -> Setting:
    """Shape a text that was cleaned."""
    base = bidi.direction(text)
    paragraphs, start = [], 0
    for paragraph in text.split("\n"):
        paragraphs.append(_shaped(paragraph, start, fonts, base))
        start += len(paragraph) + 1
    return Setting(paragraphs, base, fonts)


def _broken(paragraph: Sequence[Cluster], width: float) -> Iterator[Sequence[Cluster]]:
    """Lines, broken behind spaces and hyphens, and within a word only where it is longer than a line. Spaces at the
    end of a line take no room."""
    begin, behind, used = 0, 0, 0.0
    for place, each in enumerate(paragraph):
        if not each.space and used + each.advance > width and place > begin:
            end = behind if behind > begin else place
            yield _trimmed(paragraph[begin:end])
            begin, used = end, sum(each.advance for each in paragraph[end:place])
        used += each.advance
        if each.space or each.missing or each.text in "-‐–—":
            behind = place + 1
    yield _trimmed(paragraph[begin:])


def _trimmed(clusters: Sequence[Cluster]) -> Sequence[Cluster]:
    end = len(clusters)
    while end and clusters[end - 1].space:
        end -= 1
    return clusters[:end]


def _shaped(text: str, start: int, fonts: Sequence[str], base: int) -> list[Cluster]:
    """The clusters of a paragraph, in reading order."""
    runs = zip(text, bidi.levels(text, base), _fonts_of(text, fonts), strict=True)
    clusters: list[Cluster] = []
    for (level, font), run in groupby(runs, key=lambda each: each[1:]):
        part = "".join(each[0] for each in run)
        made = _run(part, font, level) if font else _missing(part, level)
        clusters += [replace(each, start=start + each.start) for each in made]
        start += len(part)
    return clusters


def _fonts_of(text: str, fonts: Sequence[str]) -> Iterator[str]:
    """Marks, joiners and spaces are of the font of what stands before them, if it has them."""
    font = fonts[0]
    for each in text:
        follows = each in _JOINERS or each.isspace() or unicodedata.category(each) in ("Mn", "Me")
        if not (follows and (ord(each) in _characters(font) or each in _JOINERS)):
            font = next((name for name in fonts if ord(each) in _characters(name)), MISSING)
        yield font


def _run(text: str, font: str, level: int) -> list[Cluster]:
    """The clusters of characters of one font that run in one direction."""
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(each) for each in text])
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if level % 2 else "ltr"
    buffer.set_language_from_ot_tag("dflt")  # never that of the machine
    hb.shape(_font(font), buffer)
    glyphs = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    found = {start: list(each) for start, each in groupby(glyphs, key=lambda each: each[0].cluster)}
    starts = sorted(found)
    em = _font(font).face.upem
    return [
        _cluster(start, text[start:end], font, level, em, found[start])
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True)
    ]


def _cluster(
    start: int, text: str, font: str, level: int, em: int, found: Sequence[tuple[hb.GlyphInfo, hb.GlyphPosition]]
) -> Cluster:
    glyphs, pen = [], 0
    for info, position in found:
        glyphs.append(Glyph(font, info.codepoint, (pen + position.x_offset) / em, position.y_offset / em))
        pen += position.x_advance
    return Cluster(start, text, pen / em, level, glyphs)


def _missing(text: str, level: int) -> list[Cluster]:
    """Characters that are drawn as frames."""
    found = [(place, each) for place, each in enumerate(text) if each not in _JOINERS]
    return [Cluster(place, each, 1.0 if _wide(each) else 0.6, level, ()) for place, each in found]


def _wide(each: str) -> bool:
    return unicodedata.east_asian_width(each) in ("W", "F")


@cache
def _font(name: str) -> hb.Font:
    return hb.Font(hb.Face(hb.Blob((FONTS / f"{name}.ttf").read_bytes())))


@cache
def _characters(name: str) -> frozenset[int]:
    return frozenset(_font(name).face.unicodes) if name else frozenset()


@cache
def outline(font: str, number: int) -> str:
    """A glyph as the data of an SVG path, in thousandths of an em, downwards; empty where nothing is drawn."""
    pen = _Pen(UNITS / _font(font).face.upem)
    _font(font).draw_glyph_with_pen(number, pen)
    return "".join(pen.steps)


class _Pen:
    """Takes down the strokes of an outline."""

    def __init__(self, scale: float) -> None:
        self.steps: list[str] = []
        self._scale = scale

    def _step(self, command: str, *points: tuple[float, float]) -> None:
        numbers = (f"{round(x * self._scale)} {round(-y * self._scale)}" for x, y in points)
        self.steps.append(command + " ".join(numbers))

    def moveTo(self, point: tuple[float, float]) -> None:
        self._step("M", point)

    def lineTo(self, point: tuple[float, float]) -> None:
        self._step("L", point)

    def qCurveTo(self, *points: tuple[float, float]) -> None:
        self._step("Q", *points)

    def curveTo(self, *points: tuple[float, float]) -> None:
        self._step("C", *points)

    def closePath(self) -> None:
        self.steps.append("Z")
