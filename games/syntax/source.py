"""A program's source before it is parsed: normalised, counted, cut into lines; and its front page."""

from dataclasses import dataclass

from games import limits
from games.errors import ProgramError
from games.values.text import unwanted_character


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is an instruction. number: 1-based. text: without the white space around it. indent: how many
    characters stand before it."""

    number: int
    text: str
    indent: int


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The leading comment block. title: its first line. description: the rest, Markdown."""

    title: str
    description: str


def normalised(source: str) -> str:
    """The source as it is kept and digested: no byte order mark, newlines ``\\n``, no white space at line ends,
    one newline at the end."""
    text = source.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = [line.rstrip(" \t") for line in text.split("\n")]
    return "\n".join(lines).rstrip("\n") + "\n" if any(lines) else ""


def size_error(source: str) -> ProgramError | None:
    """Why the source is too large to be looked at in detail; None where it is not."""
    # A character is at least a byte, so that a huge text is refused before anything is copied.
    size = len(source) if len(source) > limits.SOURCE_BYTES else len(source.encode(errors="surrogatepass"))
    if size <= limits.SOURCE_BYTES:
        return None
    found, expected = f"a program of {size:,} bytes or more", f"at most {limits.SOURCE_BYTES:,}"
    return ProgramError(1, 1, f"found {found}, expected {expected}", found, expected)


def lines_of(source: str) -> tuple[list[Line], list[ProgramError]]:
    """The instruction lines of a source that is not too large, and what is wrong with lines as such."""
    lines: list[Line] = []
    errors: list[ProgramError] = []
    for number, raw in enumerate(source.replace("\r\n", "\n").removeprefix("\ufeff").split("\n"), start=1):
        problem = _problem(number, raw)
        text = raw.strip()
        if problem:
            errors.append(problem)
        elif text and not text.startswith("#"):
            lines.append(Line(number, text, len(raw) - len(raw.lstrip())))
            if len(lines) == limits.INSTRUCTIONS + 1:
                errors.append(_error(number, 1, "instruction number 65", f"at most {limits.INSTRUCTIONS}"))
    return lines[: limits.INSTRUCTIONS], errors


def _problem(number: int, raw: str) -> ProgramError | None:
    if len(raw) > limits.LINE_CHARACTERS:
        found = f"a line of {len(raw):,} characters"
        return _error(number, limits.LINE_CHARACTERS + 1, found, f"at most {limits.LINE_CHARACTERS:,}")
    unwanted = unwanted_character(raw)
    if unwanted:
        return _error(number, unwanted[0] + 1, unwanted[1], "text without control characters")
    return None


def _error(line: int, column: int, found: str, expected: str) -> ProgramError:
    return ProgramError(line, column, f"found {found}, expected {expected}", found, expected)


def front_page(source: str, name: str) -> FrontPage:
    """Title and description from the comment lines that the source begins with; without any, the name."""
    comments: list[str] = []
    for raw in source.lstrip().split("\n"):
        line = raw.strip()
        if not line.startswith("#"):
            break
        comments.append(line[1:].removeprefix(" "))
    if not comments or not comments[0].strip():
        return FrontPage(name, "\n".join(comments).strip())
    return FrontPage(comments[0].strip(), "\n".join(comments[1:]).strip())
