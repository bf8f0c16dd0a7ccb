"""The operators: which kinds each takes, and what it does in a play."""

import ast
import operator
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from games import bits, limits
from games.checker import Checker, Expression, Run, broken, fallible
from games.kinds import Kind
from games.play import Play, run_time_error
from games.texts import Text, Texts

_NOTHING_READ: frozenset[str] = frozenset()


def expression(
    checker: Checker, kind: Kind, run: Run, node: ast.expr, parts: Iterable[Expression], measures: bool = False
) -> Expression:
    """An expression made of parts. Where it ends a play, the place is its instruction's."""
    reads, asks = _NOTHING_READ, measures
    for part in parts:
        reads = reads | part.reads if reads else part.reads
        asks = asks or part.measures
    return Expression(kind, run, node, asks, reads=reads)


def fallible_expression(
    checker: Checker, kind: Kind, run: Run, node: ast.expr, parts: Iterable[Expression], measures: bool = False
) -> Expression:
    """The same for one that can be in error in a play, and then names its own place."""
    return expression(checker, kind, fallible(run, checker.place(node)), node, parts, measures)


def touched(play: Play, text: Text, reads: frozenset[str]) -> Text:
    """The text, marked as moved where a number that chose it was made from a move."""
    if text.moved or not reads or not any(_moved(play.registers[name]) for name in reads):
        return text
    return Text(text.text, text.prefix, True, text.prefix_moved)


def _moved(value: Text | Texts) -> bool:
    if isinstance(value, Text):
        return value.moved
    return any(item.moved for item in value)


# Two operands

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.BitOr: "|",
    ast.BitAnd: "&",
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_TAKES = {
    "+": "two texts, two lists, two numbers or bits and bits",
    "-": "two numbers or bits and bits",
    "*": "two numbers or bits and a number",
    "//": "two texts (the part before) or two numbers",
    "%": "two texts (the part after) or two numbers",
    "|": "two texts (text | prefix) or two conditions",
    "&": "two conditions",
}
_OTHER_SIGNS = {
    "Div": "/",
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
        return checker.complain(node, found, "one of + - * // % | &")
    if not left.kind or not right.kind:
        return broken(node)
    if sign in _ARITHMETIC and left.kind in Kind.NUMBER and right.kind in Kind.NUMBER:
        return _numbers(checker, node, sign, left, right)
    found_kind = _JOINING.get((sign, left.kind, right.kind))
    if found_kind is None:
        found = f"{checker.described(left)} {sign} {checker.described(right)}"
        return checker.complain(node, found, f"for {sign}: {_TAKES[sign]}")
    kind, act = found_kind
    one, other = left.run, right.run

    def run(play: Play) -> Any:
        return act(play, one(play), other(play))

    return expression(checker, kind, run, node, (left, right))


def _numbers(checker: Checker, node: ast.BinOp, sign: str, left: Expression, right: Expression) -> Expression:
    if sign in ("//", "%") and right.literal == 0:
        return checker.complain(right.node, "zero", f"another number after {sign}")
    whole = left.kind is Kind.INTEGER and right.kind is Kind.INTEGER
    act = _ARITHMETIC[sign]

    def run(play: Play) -> float:
        play.work += 20
        one, other = left.run(play), right.run(play)
        if not other and sign in ("//", "%"):
            raise run_time_error(f"found {one} {sign} {other}: a division by zero")
        number: float = act(one, other)
        if not abs(number) <= limits.NUMBER:
            raise run_time_error(f"found a number beyond {limits.NUMBER:,}")
        return number

    return fallible_expression(checker, Kind.INTEGER if whole else Kind.FLOAT, run, node, (left, right))


def _join_texts(play: Play, left: Text, right: Text) -> Text:
    play.work += 30 + (len(left.text) + len(right.text) >> 3)
    return play.text(left.text + right.text, left.moved or right.moved)


def _before(play: Play, left: Text, right: Text) -> Text:
    play.spend(30 + len(left.text))
    text = left.text.split(right.text, 1)[0] if right.text else left.text
    return Text(text, "", left.moved or right.moved)


def _after(play: Play, left: Text, right: Text) -> Text:
    play.spend(30 + len(left.text))
    text = left.text.partition(right.text)[2] if right.text else ""
    return Text(text, "", left.moved or right.moved)


def _after_prefix(play: Play, left: Text, right: Text) -> Text:
    play.work += 30
    return Text(left.text, right.text, left.moved, right.moved)


def _join_lists(play: Play, left: Texts, right: Texts) -> Texts:
    play.spend(30 + 10 * (len(left) + len(right)))
    return play.texts(left + right)


def _both(play: Play, left: bool | None, right: bool | None) -> bool | None:
    play.work += 20
    return None if left is None or right is None else left and right


def _either(play: Play, left: bool | None, right: bool | None) -> bool | None:
    play.work += 20
    return None if left is None or right is None else left or right


def _combine(act: Callable[[bits.Bits, bits.Bits], bits.Bits]) -> Callable[..., bits.Measured]:
    def run(play: Play, left: bits.Measured, right: bits.Measured) -> bits.Measured:
        if left is None or right is None:
            return None
        play.spend(50 + 10 * (left.count() + right.count()))
        return act(left, right)

    return run


def scale(play: Play, measured: bits.Measured, factor: float) -> bits.Measured:
    """Bits times a number. Ends the play where they are no longer finite."""
    if measured is None:
        return None
    play.spend(50 + 10 * measured.count())
    result = bits.scaled(measured, factor)
    if not isfinite(result.total()):
        raise run_time_error("found bits that are no longer finite")
    return result


_Act = Callable[[Play, Any, Any], Any]
_JOINING: dict[tuple[str, Kind, Kind], tuple[Kind, _Act]] = {
    ("+", Kind.TEXT, Kind.TEXT): (Kind.TEXT, _join_texts),
    ("+", Kind.LIST, Kind.LIST): (Kind.LIST, _join_lists),
    ("+", Kind.BITS, Kind.BITS): (Kind.BITS, _combine(bits.added)),
    ("-", Kind.BITS, Kind.BITS): (Kind.BITS, _combine(bits.subtracted)),
    ("//", Kind.TEXT, Kind.TEXT): (Kind.TEXT, _before),
    ("%", Kind.TEXT, Kind.TEXT): (Kind.TEXT, _after),
    ("|", Kind.TEXT, Kind.TEXT): (Kind.TEXT, _after_prefix),
    ("|", Kind.CONDITION, Kind.CONDITION): (Kind.CONDITION, _either),
    ("&", Kind.CONDITION, Kind.CONDITION): (Kind.CONDITION, _both),
}
for _number in (Kind.INTEGER, Kind.FLOAT):
    _JOINING["*", Kind.BITS, _number] = (Kind.BITS, scale)
    _JOINING["*", _number, Kind.BITS] = (Kind.BITS, lambda play, factor, measured: scale(play, measured, factor))


# One operand


def unary(checker: Checker, node: ast.UnaryOp, operand: Expression) -> Expression:
    if not operand.kind:
        return broken(node)
    if isinstance(node.op, ast.Not | ast.Invert):
        if not checker.fits(operand, Kind.CONDITION, f"what {'not' if isinstance(node.op, ast.Not) else '~'} turns"):
            return broken(node)
        return expression(checker, Kind.CONDITION, _negated(operand.run), node, (operand,))
    if not checker.fits(operand, Kind.NUMBER | Kind.BITS, "what a sign stands before"):
        return broken(node)
    sign = -1 if isinstance(node.op, ast.USub) else 1
    if operand.kind is Kind.BITS:

        def scaled(play: Play) -> bits.Measured:
            return scale(play, operand.run(play), sign)

        return expression(checker, Kind.BITS, scaled, node, (operand,))
    literal = operand.literal
    value = sign * literal if isinstance(literal, int | float) else None
    return Expression(
        operand.kind, lambda play: sign * operand.run(play), node, operand.measures, value, reads=operand.reads
    )


def _negated(operand: Run) -> Run:
    def run(play: Play) -> bool | None:
        play.work += 20
        value = operand(play)
        return None if value is None else not value

    return run
