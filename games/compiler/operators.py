"""The operators: which types each takes, and what it does in a play."""

import ast
import operator
from collections.abc import Callable
from math import isfinite
from typing import Any

from games import limits
from games.compiler.checker import Checker
from games.compiler.expression import Expression, Run, broken, composed, fallible, moved
from games.runtime.costs import copied, searched
from games.runtime.state import Play, PlayEnded, no_value, run_time_error
from games.values import bits
from games.values.text import Text, Texts
from games.values.types import Type

# Two operands

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Div: "/",
    ast.Mod: "%",
    ast.BitOr: "|",
    ast.BitAnd: "&",
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "/": operator.truediv,
    "%": operator.mod,
}
_DIVIDING = ("/", "//", "%")
_TAKES = {
    "+": "two texts, two lists, two numbers or bits and bits",
    "-": "two numbers or bits and bits",
    "*": "two numbers, or bits and a number or a condition",
    "/": "two numbers or bits and a number",
    "//": "two texts (the part before) or two numbers",
    "%": "two texts (the part after) or two numbers",
    "|": "two texts (text | prefix) or two conditions",
    "&": "two conditions",
}
_OTHER_SIGNS = {
    "Pow": "**",
    "MatMult": "@",
    "LShift": "<<",
    "RShift": ">>",
    "BitXor": "^",
}


def binary(checker: Checker, node: ast.BinOp, left: Expression, right: Expression) -> Expression:
    sign = _SIGNS.get(type(node.op))
    if sign is None:
        found = f"the operator {_OTHER_SIGNS[type(node.op).__name__]}"
        return checker.report(node, found, "one of + - * / // % | &")
    if not left.type or not right.type:
        return broken(node)
    if sign in _DIVIDING and right.type in Type.NUMBER and right.literal == 0:
        return checker.report(right.node, "zero", f"another number after {sign}")
    if sign == "/" and left.type is Type.BITS and right.type in Type.NUMBER:
        return _divided_bits(checker, node, left, right)
    if sign in _ARITHMETIC and left.type in Type.NUMBER and right.type in Type.NUMBER:
        return _numbers(checker, node, sign, left, right)
    joining = _JOINING.get((sign, left.type, right.type))
    if joining is None:
        found = f"{checker.described(left)} {sign} {checker.described(right)}"
        return checker.report(node, found, f"for {sign}: {_TAKES[sign]}")
    result, act = joining
    one, other = left.run, right.run

    def run(play: Play) -> Any:
        return act(play, one(play), other(play))

    return composed(result, run, node, (left, right))


def _numbers(checker: Checker, node: ast.BinOp, sign: str, left: Expression, right: Expression) -> Expression:
    whole = left.type is Type.INTEGER and right.type is Type.INTEGER and sign != "/"
    act = _ARITHMETIC[sign]

    def run(play: Play) -> float:
        one, other = left.run(play), right.run(play)
        if not other and sign in _DIVIDING:
            raise _by_zero(play, right, f"{one} {sign} {other}")
        number: float = act(one, other)
        if not abs(number) <= limits.NUMBER:
            raise run_time_error(f"found a number beyond {limits.NUMBER:,}")
        return number

    return composed(Type.INTEGER if whole else Type.FLOAT, fallible(run, checker.location(node)), node, (left, right))


def _divided_bits(checker: Checker, node: ast.BinOp, left: Expression, right: Expression) -> Expression:
    def run(play: Play) -> bits.Measured:
        measured: bits.Measured = left.run(play)
        divisor: float = right.run(play)
        if not divisor:
            raise _by_zero(play, right, f"bits / {divisor}")
        if measured is None:
            return None
        play.spend(measured.work())
        return _finite(bits.divided(measured, divisor))

    return composed(Type.BITS, fallible(run, checker.location(node)), node, (left, right))


def _by_zero(play: Play, divisor: Expression, what: str) -> PlayEnded:
    return no_value(f"found {what}: a division by zero", from_move=moved(play, divisor.reads))


def _join_texts(play: Play, left: Text, right: Text) -> Text:
    play.spend(copied(left.text, right.text))
    return play.text(left.text + right.text, left.from_move | right.from_move)


def _before(play: Play, left: Text, right: Text) -> Text:
    play.spend(searched(left.text, right.text))
    text = left.text.split(right.text, 1)[0] if right.text else left.text
    return Text(text, "", left.from_move | right.from_move)


def _after(play: Play, left: Text, right: Text) -> Text:
    play.spend(searched(left.text, right.text))
    text = left.text.partition(right.text)[2] if right.text else ""
    return Text(text, "", left.from_move | right.from_move)


def _after_prefix(play: Play, left: Text, right: Text) -> Text:
    return Text(left.text, right.text, left.from_move, right.from_move)


def _join_lists(play: Play, left: Texts, right: Texts) -> Texts:
    play.spend(20 * (len(left) + len(right)))
    return play.texts(left + right)


def _both(play: Play, left: bool | None, right: bool | None) -> bool | None:
    return None if left is None or right is None else left and right


def _either(play: Play, left: bool | None, right: bool | None) -> bool | None:
    return None if left is None or right is None else left or right


def _combine(act: Callable[[bits.Bits, bits.Bits], bits.Bits]) -> Callable[..., bits.Measured]:
    def run(play: Play, left: bits.Measured, right: bits.Measured) -> bits.Measured:
        if left is None or right is None:
            return None
        play.spend(left.work() + right.work())
        return act(left, right)

    return run


def scale(play: Play, measured: bits.Measured, factor: float) -> bits.Measured:
    """Bits times a number. Ends the play where they are no longer finite."""
    if measured is None:
        return None
    play.spend(measured.work())
    return _finite(bits.scaled(measured, factor))


def _finite(measured: bits.Bits) -> bits.Bits:
    if not isfinite(measured.total()):
        raise run_time_error("found bits that are no longer finite")
    return measured


def _where(play: Play, measured: bits.Measured, holds: bool | None) -> bits.Measured:
    """Bits times a condition: those bits, or that many zeros."""
    return None if holds is None else scale(play, measured, int(holds))


_Act = Callable[[Play, Any, Any], Any]
_JOINING: dict[tuple[str, Type, Type], tuple[Type, _Act]] = {
    ("+", Type.TEXT, Type.TEXT): (Type.TEXT, _join_texts),
    ("+", Type.LIST, Type.LIST): (Type.LIST, _join_lists),
    ("+", Type.BITS, Type.BITS): (Type.BITS, _combine(bits.added)),
    ("-", Type.BITS, Type.BITS): (Type.BITS, _combine(bits.subtracted)),
    ("//", Type.TEXT, Type.TEXT): (Type.TEXT, _before),
    ("%", Type.TEXT, Type.TEXT): (Type.TEXT, _after),
    ("|", Type.TEXT, Type.TEXT): (Type.TEXT, _after_prefix),
    ("|", Type.CONDITION, Type.CONDITION): (Type.CONDITION, _either),
    ("&", Type.CONDITION, Type.CONDITION): (Type.CONDITION, _both),
}
_JOINING["*", Type.BITS, Type.CONDITION] = (Type.BITS, _where)
_JOINING["*", Type.CONDITION, Type.BITS] = (Type.BITS, lambda play, holds, measured: _where(play, measured, holds))
for _number in (Type.INTEGER, Type.FLOAT):
    _JOINING["*", Type.BITS, _number] = (Type.BITS, scale)
    _JOINING["*", _number, Type.BITS] = (Type.BITS, lambda play, factor, measured: scale(play, measured, factor))


# One operand


def unary(checker: Checker, node: ast.UnaryOp, operand: Expression) -> Expression:
    if not operand.type:
        return broken(node)
    if isinstance(node.op, ast.Not | ast.Invert):
        if not checker.fits(operand, Type.CONDITION, f"what {'not' if isinstance(node.op, ast.Not) else '~'} turns"):
            return broken(node)
        return composed(Type.CONDITION, _negated(operand.run), node, (operand,))
    if not checker.fits(operand, Type.NUMBER | Type.BITS, "what a sign stands before"):
        return broken(node)
    sign = -1 if isinstance(node.op, ast.USub) else 1
    if operand.type is Type.BITS:

        def scaled(play: Play) -> bits.Measured:
            return scale(play, operand.run(play), sign)

        return composed(Type.BITS, scaled, node, (operand,))
    literal = operand.literal
    value = sign * literal if isinstance(literal, int | float) else None
    return Expression(
        operand.type, lambda play: sign * operand.run(play), node, operand.uses_judge, value, reads=operand.reads
    )


def _negated(operand: Run) -> Run:
    def run(play: Play) -> bool | None:
        value = operand(play)
        return None if value is None else not value

    return run
