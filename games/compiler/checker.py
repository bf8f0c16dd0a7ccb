"""What the static check of a program carries from line to line, and the one way it reports an error."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from games.compiler.expression import Expression, broken
from games.errors import ProgramError
from games.protocol import MAIN
from games.runtime.generation import Generation
from games.syntax.source import Line
from games.values import types
from games.values.types import Type

#: Errors after so many come without a guess at the name that was meant.
_HINTS = 20


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
    rewarding: bool = False  # is the value of a reward being checked?

    def location(self, node: ast.AST) -> tuple[int, int]:
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

    def report(self, node: ast.AST, found: str, expected: str, hint: str = "") -> Expression:
        """Notes the error and gives an expression that fits everywhere, so that it is reported once."""
        self.error(self.location(node)[1], found, expected, hint)
        return broken(node)

    def unknown_name(self, node: ast.AST, name: str, known: Iterable[str], expected: str) -> Expression:
        # Looking for a name that is meant takes time; whoever has that many errors has other worries.
        close = get_close_matches(name, list(known), n=1) if len(self.errors) < _HINTS else []
        hint = f"did you mean {close[0]}?" if close else ""
        return self.report(node, f"the name {name}", expected, hint)

    def fits(self, given: Expression, wanted: Type, role: str) -> bool:
        """Is it of the wanted type? Reports where not."""
        if given.type in wanted:
            return True
        self.report(given.node, self.described(given), f"{types.name(wanted)} as {role}")
        return False

    def described(self, given: Expression) -> str:
        """An expression in words: its type and how it is written, shortened."""
        written = self.source(given.node)
        if len(written) > 40:
            written = written[:37] + "…"
        return f"{types.name(given.type)}, {written}" if given.type else written
