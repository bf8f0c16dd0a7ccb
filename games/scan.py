"""A look at one line before Python's parser sees it: only what is safe to parse goes there.

It counts nesting, finds letters that only look like names, and refuses what Python would warn about (an unknown
escape, a number glued to a word) or that no expression here may hold (f-strings, bytes).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from games.limits import LEVELS

_STRING_START = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
_NUMBER = re.compile(r"(?:0[xXoObB][0-9a-fA-F_]+|(?:[0-9][0-9_]*)?\.?[0-9][0-9_]*\.?(?:[eE][+-]?[0-9_]+)?)")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPE = re.compile(
    r"\\(?:[\n\\'\"abfnrtv]|[0-3][0-7]{2}|[0-7]{1,2}(?![0-7])|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\})"
)
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Problem:
    """start: 0-based, in characters of the line."""

    start: int
    found: str
    expected: str


def problems(line: str) -> Iterator[Problem]:
    """What keeps the line from being parsed, from left to right."""
    position, brackets, prefixes = 0, 0, 0
    while position < len(line):
        character = line[position]
        if character == "#":
            return
        if string := _STRING_START.match(line, position):
            end, found = _string(line, string)
            yield from found
            position, prefixes = end, 0
            continue
        if word := _WORD.match(line, position):
            prefixes = prefixes + 1 if word[0] in ("not", "await", "lambda") else 0
            position = word.end()
        elif (number := _NUMBER.match(line, position)) and number.end() > position:
            position, prefixes = number.end(), 0
            if position < len(line) and (line[position].isalpha() or line[position] == "_"):
                yield Problem(position, f"{line[position]!r} right after a number", "a space or an operator there")
                return
        else:
            brackets += (character in _OPENING) - (character in _CLOSING)
            prefixes = prefixes + (character in "-+~") if not character.isspace() else prefixes
            prefixes = 0 if character in _CLOSING + "," else prefixes
            position += 1
            if not character.isascii():
                code = f"U+{ord(character):04X}"
                yield Problem(position - 1, f"{character!r} ({code})", "names, numbers and signs in plain ASCII")
        if brackets + prefixes > LEVELS:
            yield Problem(position - 1, f"more than {LEVELS} levels of nesting", f"at most {LEVELS}")
            return


def _string(line: str, opening: re.Match[str]) -> tuple[int, list[Problem]]:
    """Where the string literal ends (0-based, after its quote), and what is wrong with it."""
    prefix, quote = opening[1], opening[2]
    body = opening.end()
    if quote in ("'", '"') and line.startswith(quote * 3, opening.start(2)):
        quote *= 3
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
