"""A grade export of Canvas or Moodle, in which cells can be changed and nothing else.

Encoding, byte order mark, line ends, quotation marks and order stay as they are: the file is never written anew, only
the text of a cell is put in place of what stood there.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from games.sentences import say
from server.errors import Detail, RequestError

DELIMITERS = ",;\t"
TABLES_OF_OTHERS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how files of Excel and of LibreOffice begin


@dataclass(frozen=True, slots=True)
class Cell:
    """start, end: where it stands in the text, quotation marks included."""

    start: int
    end: int
    value: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Line:
    """number: of the line of the file on which it begins, from 1."""

    number: int
    cells: Sequence[Cell]

    @property
    def values(self) -> Sequence[str]:
        return [" ".join(cell.value.split()) for cell in self.cells]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file of lines with equally many cells. The first has the headings."""

    mark: bytes
    encoding: str
    text: str
    lines: Sequence[Line]

    def filled(self, column: int, texts: Mapping[int, str]) -> bytes:
        """The file with these texts in a column, by the number of their line. They are never to be quoted."""
        pieces: list[str] = []
        done = 0
        for line in self.lines:
            if (text := texts.get(line.number)) is not None:
                cell = line.cells[column]
                pieces += [self.text[done : cell.start], f'"{text}"' if cell.quoted else text]
                done = cell.end
        return self.mark + "".join([*pieces, self.text[done:]]).encode(self.encoding)


def read(data: bytes) -> Sheet:
    """Raises `RequestError` (422) for what is no table of text, or not whole."""
    if data.startswith(TABLES_OF_OTHERS):
        raise wrong(say("This is a spreadsheet's own file. Send the CSV file that Canvas or Moodle exports."))
    mark, encoding = _encoding(data)
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        raise wrong(say("The file is cut, or is no text. Export it again.")) from None
    if "\0" in text or not text.strip():
        raise wrong(say("The file is empty, or is no text. Send the CSV file that Canvas or Moodle exports."))
    # That which makes the most of the first line: headings may have the other ones in them.
    delimiter = max(DELIMITERS, key=lambda each: _width(text, each))
    lines = [line for line in _lines(text, delimiter) if any(cell.value.strip() for cell in line.cells)]
    for line in lines:
        if len(line.cells) != len(lines[0].cells):
            told = say(
                "Line {line} has {count} cell, and the headings are {headings}. Export the file again.",
                "Line {line} has {count} cells, and the headings are {headings}. Export the file again.",
                line=line.number, count=len(line.cells), headings=len(lines[0].cells),
            )  # fmt: skip
            raise wrong(told, line.number)
    return Sheet(mark, encoding, text, lines)


def wrong(told: str, line: int | None = None) -> RequestError:
    """The file is at fault."""
    return RequestError("invalid-gradebook", 422, "Invalid gradebook", told, (Detail("", told, line),))


def _encoding(data: bytes) -> tuple[bytes, str]:
    """The byte order mark and the encoding, by which the text becomes the same bytes again."""
    marks = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    for mark, encoding in marks.items():
        if data.startswith(mark):
            return mark, encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return b"", encoding
    return b"", "latin-1"


def _width(text: str, delimiter: str) -> int:
    """How many cells the first line would have."""
    try:
        line, _ = _line(text, 0, 1, _cells(delimiter))
    except RequestError:
        return 0
    return len(line.cells)


def _lines(text: str, delimiter: str) -> Sequence[Line]:
    found: list[Line] = []
    cells, place, number = _cells(delimiter), 0, 1
    while place < len(text):
        line, end = _line(text, place, number, cells)
        found.append(line)
        number += len(_LINE_END.findall(text, place, end))
        place = end
    return found


_LINE_END = re.compile(r"\r\n|\r|\n")


def _cells(delimiter: str) -> re.Pattern[str]:
    """A cell and what ends it. Nothing is tried twice: quotes end at the next mark that stands alone."""
    return re.compile(rf'(?:"((?:[^"]++|"")*+)"|((?!")[^{delimiter}\r\n]*+))({delimiter}|\r\n|\r|\n|\Z)')


def _line(text: str, place: int, number: int, pattern: re.Pattern[str]) -> tuple[Line, int]:
    """The line that begins at a place, and where the next one does."""
    cells: list[Cell] = []
    while True:
        match = pattern.match(text, place)
        if match is None:
            told = say("Line {line}: the quotation marks do not fit. Export the file again.", line=number)
            raise wrong(told, number)
        quoted, plain, ending = match.groups()
        value = plain if quoted is None else quoted.replace('""', '"')
        cells.append(Cell(match.start(), match.start(3), value, quoted is not None))
        place = match.end()
        if len(ending) != 1 or ending in "\r\n":
            return Line(number, cells), place
