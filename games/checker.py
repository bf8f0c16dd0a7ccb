"""What the static check of a program carries from line to line, and the one way it complains."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from games import kinds
from games.errors import ProgramError
from games.kinds import BROKEN, Kind
from games.play import Ends, Play
from games.source import Line
from games.values import MAIN

Run = Callable[[Play], Any]

#: Errors after so many come without a guess at the name that was meant.
_HINTS = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition with two sides, for players to be told of. sides: both values, None where not known yet.
    holds: does it hold of them? secret: are they texts, which not everyone may see?"""

    sides: Callable[[Play], tuple[Any, Any]]
    holds: Callable[[Any, Any], bool]
    secret: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression, ready to run.

    kind: what it will be. run: its value in a play. measures: does it ask a judge? literal: its value where it is
    written out, else None. register: its name where it is a bare register. reads: the registers it reads.
    comparison: its two sides where it is a simple comparison.
    """

    kind: Kind
    run: Run
    node: ast.expr
    measures: bool = False
    literal: str | int | float | bool | None = None
    register: str | None = None
    reads: frozenset[str] = frozenset()
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """A ``generate…`` of the program. prompt: a literal, or the number of a passage."""

    function: str
    prompt: str | int
    number: int


def _never(play: Play) -> Any:
    raise AssertionError("a program with errors never runs")


@dataclass(slots=True)
class Checker:
    """Collects errors and what the program uses. One for a program; ``line`` moves on."""

    line: Line = field(default_factory=lambda: Line(1, "", 0))
    errors: list[ProgramError] = field(default_factory=list)
    pieces: int = 0
    stories: int = 0
    generations: list[Generation] = field(default_factory=list)
    slots: dict[str, None] = field(default_factory=lambda: {MAIN: None})
    registers: dict[str, None] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    seats: dict[str, None] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Line and column of a node, 1-based, in characters (the parser counts bytes)."""
        offset = getattr(node, "col_offset", 0)
        if not self.line.text.isascii():
            offset = len(self.line.text.encode()[:offset].decode(errors="replace"))
        return self.line.number, self.line.indent + offset + 1

    def source(self, node: ast.AST) -> str:
        """The node as the author wrote it."""
        return ast.get_source_segment(self.line.text, node) or ""

    def error(self, column: int, found: str, expected: str, hint: str = "") -> None:
        message = f"found {found}, expected {expected}" + (f" ({hint})" if hint else "")
        self.errors.append(ProgramError(self.line.number, column, message, found, expected))

    def complain(self, node: ast.AST, found: str, expected: str, hint: str = "") -> Expression:
        """Notes the error and gives an expression that fits everywhere, so that it is reported once."""
        self.error(self.place(node)[1], found, expected, hint)
        return broken(node)

    def unknown_name(self, node: ast.AST, name: str, known: Iterable[str], expected: str) -> Expression:
        # Looking for a name that is meant takes time; whoever has that many errors has other worries.
        close = get_close_matches(name, list(known), n=1) if len(self.errors) < _HINTS else []
        hint = f"did you mean {close[0]}?" if close else ""
        return self.complain(node, f"the name {name}", expected, hint)

    def fits(self, given: Expression, wanted: Kind, role: str) -> bool:
        """Is it of the wanted kind? Complains where not."""
        if given.kind in wanted:
            return True
        self.complain(given.node, self.described(given), f"{kinds.name(wanted)} as {role}")
        return False

    def described(self, given: Expression) -> str:
        """An expression in words: its kind and how it is written, shortened."""
        written = self.source(given.node)
        if len(written) > 40:
            written = written[:37] + "…"
        return f"{kinds.name(given.kind)}, {written}" if given.kind else written


def broken(node: ast.AST) -> Expression:
    return Expression(BROKEN, _never, node if isinstance(node, ast.expr) else ast.Constant(value=None))


def fallible(run: Run, place: tuple[int, int]) -> Run:
    """The same, but an end of the play that it causes carries its place."""

    def placed(play: Play) -> Any:
        try:
            return run(play)
        except Ends as end:
            raise end.at(*place) from None

    return placed
