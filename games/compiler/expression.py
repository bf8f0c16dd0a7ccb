"""A checked expression of a program: what it will be, and how it runs."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from games.runtime.state import Play, PlayEnded
from games.values.text import PLAYER, Text, from_moves
from games.values.types import BROKEN, Type

Run = Callable[[Play], Any]
#: One instruction of a program, ready to run: where to go on, or None for the next one.
Step = Callable[[Play], int | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition with two sides, for players to be told of. sides: both values, None where not known yet.
    holds: does it hold of them? secret: are they texts, which not everyone may see?"""

    sides: Callable[[Play], tuple[Any, Any]]
    holds: Callable[[Play, Any, Any], bool]
    secret: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression, ready to run.

    type: what it will be. run: its value in a play. uses_judge: does it ask a judge? literal: its value where it is
    written out, else None. register: its name where it is a bare register. reads: the registers it reads.
    comparison: its two sides where it is a simple comparison. parts: what a call or an operator is made of.
    """

    type: Type
    run: Run
    node: ast.expr
    uses_judge: bool = False
    literal: str | int | float | bool | None = None
    register: str | None = None
    reads: frozenset[str] = frozenset()
    comparison: Comparison | None = None
    parts: tuple["Expression", ...] = ()


def _never(play: Play) -> Any:
    raise AssertionError("a program with errors never runs")


def broken(node: ast.AST) -> Expression:
    return Expression(BROKEN, _never, node if isinstance(node, ast.expr) else ast.Constant(value=None))


def fallible(run: Run, location: tuple[int, int]) -> Run:
    """The same, but an end of the play that it causes carries its location."""

    def located(play: Play) -> Any:
        try:
            return run(play)
        except PlayEnded as end:
            raise end.at(*location) from None

    return located


_NOTHING_READ: frozenset[str] = frozenset()


def composed(type: Type, run: Run, node: ast.expr, parts: Iterable[Expression], uses_judge: bool = False) -> Expression:
    """An expression made of parts. Where it ends a play, the location is its instruction's, unless ``run`` is
    ``fallible``."""
    reads, asks, parts = _NOTHING_READ, uses_judge, tuple(parts)
    for part in parts:
        reads = reads | part.reads if reads else part.reads
        asks = asks or part.uses_judge
    return Expression(type, run, node, asks, reads=reads, parts=parts)


def moved(play: Play, reads: frozenset[str]) -> int:
    """Whose moves have flowed into these registers? Not looked further than to the first of a player's."""
    found = 0
    for name in reads:
        value = play.registers[name]
        play.spend(10 if isinstance(value, Text) else 10 * len(value))
        found |= from_moves(value)
        if found & PLAYER:
            break
    return found


def tainted(text: Text, by: int) -> Text:
    """The text, marked as of these moves: a number that chose it was made from them."""
    return Text(text.text, text.prefix, text.from_move | by, text.prefix_from_move)
