"""How arguments are checked, of instructions and of functions alike."""

import ast
from collections.abc import Mapping

from games.builtins.signature import Literal, Parameter
from games.compiler.checker import Checker
from games.compiler.expression import Expression
from games.sentences import counted
from games.syntax.names import DEFAULT_SEAT, REGISTERS, SEATS, is_register, is_static
from games.values.text import unwanted_character
from games.values.types import Type


def refuse_keywords(checker: Checker, node: ast.Call, usage: str) -> None:
    for keyword in node.keywords:
        checker.report(keyword.value, f"the keyword {keyword.arg}=", usage)


def literal_keyword(checker: Checker, node: ast.Call, name: str, limit: int, usage: str) -> str | None:
    """What the author tells players by that keyword, if anything. Reports other keywords, and what is no such text."""
    found: str | None = None
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg != name or found is not None:
            checker.report(keyword.value, f"the keyword {keyword.arg}=", usage)
        elif not isinstance(value, str) or not value.strip():
            checker.report(keyword.value, checker.source(keyword.value), f"a text in quotes as {name} of {usage}")
        elif len(value) > limit or "\n" in value or unwanted_character(value):
            checker.report(keyword.value, f"{name} of {len(value):,} characters", f"one line of at most {limit}")
        else:
            found = value
    return found


def by_position_only(checker: Checker, keywords: Mapping[str, Expression], usage: str) -> bool:
    """Are there no keywords? Reports each where there are."""
    for keyword, value in keywords.items():
        checker.report(value.node, f"the keyword {keyword}=", f"arguments by position: {usage}")
    return not keywords


def seat_and_rest(nodes: list[ast.expr]) -> tuple[str, list[ast.expr]]:
    """The player that the arguments begin with, black where they begin otherwise, and the other arguments."""
    first = nodes[0] if nodes else None
    if isinstance(first, ast.Name) and first.id in SEATS:
        return first.id, nodes[1:]
    return DEFAULT_SEAT, nodes


def is_writable(checker: Checker, node: ast.AST, name: str) -> bool:
    """Is it a register that may be written? Reports where not; notes its use."""
    if not is_register(name):
        checker.unknown_name(node, name, REGISTERS, "a register to write to")
        return False
    if is_static(name):
        checker.report(node, f"the static register {name}", "a register that may be written (not a*, b* or c*)")
        return False
    checker.registers[name] = None
    return True


def count_fits(checker: Checker, node: ast.Call, usage: str, given: int, least: int, most: int) -> bool:
    """Is the number of arguments right? Reports where not."""
    if least <= given <= most:
        return True
    wanted = str(most) if least == most else f"{least} to {most}"
    checker.report(node, counted(given, "argument"), f"{wanted}: {usage}")
    return False


def argument_fits(checker: Checker, given: Expression, parameter: Parameter, usage: str) -> bool:
    """Has the argument the right type and, where it is a literal number, the right size? Reports where not."""
    if parameter.literal is not None:
        return _literal_fits(checker, given, parameter, usage)
    if not checker.fits(given, parameter.type, f"{parameter.role or parameter.name} of {usage}"):
        return False
    if parameter.type in Type.NUMBER and isinstance(given.literal, int | float):
        range_error = parameter.range_error(given.literal)
        if range_error:
            checker.report(given.node, str(given.literal), f"{range_error} in {usage}")
            return False
    return bool(given.type)


def _literal_fits(checker: Checker, given: Expression, parameter: Parameter, usage: str) -> bool:
    if parameter.literal is Literal.TRUTH:
        fine = isinstance(given.literal, bool)
        expected = f"True or False as {parameter.name} of {usage}"
    else:
        fine = given.type is Type.TEXT and isinstance(given.literal, str) and given.literal.isidentifier()
        expected = f'a name in quotes as {parameter.name} of {usage}, like "other"'
    if not fine:
        checker.report(given.node, checker.described(given), expected)
    return fine
