"""A look at one line before Python's parser sees it: only what is safe to parse goes there.

It counts nesting, finds letters that only look like names, and refuses what Python would warn about (an unknown
escape, a number glued to a word) or that no expression here may hold (f-strings, bytes).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from games.limits import LEVELS

_PIECE = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>([A-Za-z]*)(\"\"\"|\'\'\'|\"|\'))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>0[xXoObB][0-9a-fA-F_]+|(?:[0-9][0-9_]*)?\.?[0-9][0-9_]*\.?(?:[eE][+-]?[0-9_]+)?)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:[\n\\'\"abfnrtv]|[0-3][0-7]{2}|[0-7]{1,2}(?![0-7])|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}"
    r"|N\{[^}]*\})"
)
#: Words that can pile up in front of an operand like signs: each makes the tree deeper.
_PREFIXES = frozenset(("not", "await", "lambda", "-", "+", "~"))
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Problem:
    """start: 0-based, in characters of the line."""

    start: int
    found: str
    expected: str


def scan(line: str) -> tuple[int, list[Problem]]:
    """How many pieces the line has (words, numbers, texts, signs), and what keeps it from being parsed."""
    position = pieces = brackets = prefixes = 0
    problems: list[Problem] = []
    while position < len(line):
        piece = _PIECE.match(line, position)
        if piece is None or piece[0] == "#":
            break
        start, position, kind, text = position, piece.end(), piece.lastgroup, piece[0]
        if kind == "space":
            continue
        pieces += 1
        prefixes = prefixes + 1 if text in _PREFIXES else 0 if kind != "sign" or text in _CLOSING else prefixes
        if kind == "string":
            position, found = _string(line, piece)
            problems += found
        elif kind == "number" and _goes_on(line, position):
            problems.append(Problem(position, f"{line[position]!r} right after a number", "a space or an operator"))
            break
        elif kind == "sign":
            brackets += (text in _OPENING) - (text in _CLOSING)
            if not text.isascii():
                found_sign = f"{text!r} (U+{ord(text):04X})"
                problems.append(Problem(start, found_sign, "names, numbers and signs in plain ASCII"))
        if brackets + prefixes > LEVELS:
            problems.append(Problem(start, f"more than {LEVELS} levels of nesting", f"at most {LEVELS}"))
            break
    return pieces, problems


def _goes_on(line: str, position: int) -> bool:
    return position < len(line) and (line[position].isalnum() or line[position] == "_")


def _string(line: str, opening: re.Match[str]) -> tuple[int, list[Problem]]:
    """Where the string literal ends (0-based, after its quote), and what is wrong with it."""
    prefix, quote, body = opening[3], opening[4], opening.end()
    if prefix.lower() not in ("", "r", "u"):
        return len(line), [Problem(opening.start(), f"{prefix}{quote}", "a plain string literal")]
    end = _closing(line, body, quote)
    if end is None:
        return len(line), [Problem(opening.start(), "a string without its closing quote", f"{quote} at its end")]
    return end + len(quote), [] if prefix.lower() == "r" else list(_bad_escapes(line, body, end))


def _closing(line: str, start: int, quote: str) -> int | None:
    position = start
    while (position := line.find(quote[0], position)) >= 0:
        backslashes = len(line[start:position]) - len(line[start:position].rstrip("\\"))
        if backslashes % 2 == 0 and line.startswith(quote, position):
            return position
        position += 1
    return None


def _bad_escapes(line: str, start: int, end: int) -> Iterator[Problem]:
    position = start
    while (position := line.find("\\", position, end)) >= 0:
        escape = _ESCAPE.match(line, position, end)
        if escape is None:
            found = line[position : position + 2]
            yield Problem(position, f"{found}, which is no escape", f"\\\\ for a backslash (\\{found})")
            return
        position = escape.end()
