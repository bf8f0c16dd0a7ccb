"""What several instructions check alike: the player in front, the register behind, no keywords."""

import ast
from collections.abc import Callable

from games.checker import Checker
from games.play import Play
from games.registers import DEFAULT_SEAT, REGISTERS, SEATS, is_register, is_static

#: One instruction of a program, ready to run: where to go on, or None for the next one.
Step = Callable[[Play], int | None]


def refuse_keywords(checker: Checker, node: ast.Call, usage: str) -> None:
    for keyword in node.keywords:
        checker.complain(keyword.value, f"the keyword {keyword.arg}=", usage)


def seat_and_rest(nodes: list[ast.expr]) -> tuple[str, list[ast.expr]]:
    """The player that the arguments begin with, black where they begin otherwise, and the other arguments."""
    first = nodes[0] if nodes else None
    if isinstance(first, ast.Name) and first.id in SEATS:
        return first.id, nodes[1:]
    return DEFAULT_SEAT, nodes


def is_writable(checker: Checker, node: ast.AST, name: str) -> bool:
    """Is it a register that may be written? Complains where not; notes its use."""
    if not is_register(name):
        checker.unknown_name(node, name, REGISTERS, "a register to write to")
        return False
    if is_static(name):
        checker.complain(node, f"the static register {name}", "a register that may be written (not a*, b* or c*)")
        return False
    checker.registers[name] = None
    return True
