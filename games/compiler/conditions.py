"""Conditions: ``and or not & | ~``, comparisons and ``in``. Three-valued: None is "not known before measuring"."""

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from games.compiler.checker import Checker
from games.compiler.expression import Comparison, Expression, Run, broken, composed
from games.runtime.costs import copied, searched
from games.runtime.state import Play
from games.values import bits, types
from games.values.text import Text
from games.values.types import Type


def boolean(checker: Checker, node: ast.BoolOp, operands: Sequence[Expression]) -> Expression:
    """``and`` and ``or``. All measuring operands are evaluated, so that what is asked for does not hang on the
    answers; an operand without measurements that decides the matter ends the evaluation, as in Python."""
    deciding = isinstance(node.op, ast.Or)
    word = "or" if deciding else "and"
    fine = [checker.fits(each, Type.CONDITION, f"what {word} combines") for each in operands]
    if not all(fine):
        return broken(node)
    steps = [(each.run, each.uses_judge) for each in operands]

    def run(play: Play) -> bool | None:
        result: bool | None = not deciding
        for step, measures in steps:
            value = step(play)
            if value is None or result is None:
                result = None
            elif value is deciding:
                result = deciding
            if value is deciding and not measures:
                break
        return result

    return composed(Type.CONDITION, run, node, operands)


_Act = Callable[[Play, Any, Any], bool]


def _of_values(act: Callable[[Any, Any], bool]) -> _Act:
    return lambda play, left, right: act(left, right)


def _in(play: Play, one: str, other: str | list[str]) -> bool:
    if isinstance(other, str):
        play.spend(searched(other, one))
    return one in other


_COMPARISONS: dict[type[ast.cmpop], tuple[str, _Act]] = {
    ast.Eq: ("==", _of_values(operator.eq)),
    ast.NotEq: ("!=", _of_values(operator.ne)),
    ast.Lt: ("<", _of_values(operator.lt)),
    ast.LtE: ("<=", _of_values(operator.le)),
    ast.Gt: (">", _of_values(operator.gt)),
    ast.GtE: (">=", _of_values(operator.ge)),
    ast.In: ("in", _in),
    ast.NotIn: ("not in", lambda play, left, right: not _in(play, left, right)),
}
_PLAIN: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: lambda value: value.text,
    Type.LIST: lambda value: [item.text for item in value],
}


def comparison(checker: Checker, node: ast.Compare, operands: Sequence[Expression]) -> Expression:
    pairs = list(zip(node.ops, operands, operands[1:], strict=False))
    fine = [_comparable(checker, op, left, right) for op, left, right in pairs]
    if not all(fine):
        return broken(node)
    runs = [plain(each) for each in operands]
    acts = [_COMPARISONS[type(op)][1] for op in node.ops]
    if len(acts) == 1:
        return _simple(checker, node, operands, runs, acts[0])

    def run(play: Play) -> bool | None:
        values = [each(play) for each in runs]
        if None in values:
            return None
        return all(act(play, left, right) for act, left, right in zip(acts, values, values[1:], strict=False))

    return composed(Type.CONDITION, run, node, operands)


def _simple(
    checker: Checker, node: ast.Compare, operands: Sequence[Expression], runs: Sequence[Run], act: _Act
) -> Expression:
    """A comparison of two values, which can tell both."""
    one, other = runs

    def sides(play: Play) -> tuple[Any, Any]:
        return one(play), other(play)

    def run(play: Play) -> bool | None:
        left, right = sides(play)
        return None if left is None or right is None else act(play, left, right)

    secret = any(each.type not in Type.NUMBER | Type.BITS for each in operands)
    found = composed(Type.CONDITION, run, node, operands)
    return replace(found, comparison=Comparison(sides, act, secret))


def plain(operand: Expression) -> Run:
    """What is compared and shown of a value: the string of a text, the total of bits; None for unknown bits."""
    inner = operand.run
    if operand.type is Type.BITS:

        def total(play: Play) -> float | None:
            measured: bits.Measured = inner(play)
            if measured is None:
                return None
            play.spend(measured.work())
            return measured.total()

        return total
    if operand.type not in _PLAIN:
        return inner
    simple = _PLAIN[operand.type]

    def run(play: Play) -> Any:
        value = inner(play)
        play.spend(copied(value.text) if isinstance(value, Text) else 20 * len(value))
        return simple(value)

    return run


def _comparable(checker: Checker, op: ast.cmpop, left: Expression, right: Expression) -> bool:
    known = _COMPARISONS.get(type(op))
    if known is None:
        checker.report(left.node, "is or is not", "== or !=")
        return False
    if not left.type or not right.type:
        return False
    sign = known[0]
    if sign in ("in", "not in"):
        fine = left.type is Type.TEXT and right.type in Type.TEXT | Type.LIST
        expected = "a text in a text or in a list"
    elif left.type in Type.NUMBER | Type.BITS:
        fine = right.type in Type.NUMBER | Type.BITS
        expected = "numbers or bits on both sides"
    else:
        fine = sign in ("==", "!=") and left.type is right.type and left.type in Type.VALUE
        expected = "two texts, two lists or two conditions with == or !=, or numbers and bits"
    if not fine:
        found = f"{types.name(left.type)} {sign} {types.name(right.type)}"
        checker.report(left.node, found, expected)
    return fine
