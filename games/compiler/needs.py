"""What a value hangs on, read off its expression: registers, and what stands in none."""

import ast
from dataclasses import dataclass

from games.builtins.table import FUNCTIONS
from games.compiler.round_texts import FORMS
from games.syntax.names import is_register

#: What only playing tells: passages and texts of the round, draws, and whatever a judge is asked.
_TOLD_BY_PLAYING = frozenset(
    {*FORMS, "sample", "shuffle", *(name for name, function in FUNCTIONS.items() if function.uses_judge)}
)


@dataclass(frozen=True, slots=True)
class Needs:
    """registers: those that are read. playing: does it hang on what stands in no register before it is played?"""

    registers: frozenset[str]
    playing: bool


def needs(node: ast.AST) -> Needs:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return Needs(frozenset(filter(is_register, names)), not names.isdisjoint(_TOLD_BY_PLAYING))
