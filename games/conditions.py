"""Conditions: ``and or not & | ~``, comparisons and ``in``. Three-valued: None is "not known before measuring"."""

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from games import bits, kinds
from games.checker import Checker, Comparison, Expression, Run, broken
from games.kinds import Kind
from games.operators import expression
from games.play import Play
from games.texts import Text


def boolean(checker: Checker, node: ast.BoolOp, operands: Sequence[Expression]) -> Expression:
    """``and`` and ``or``. All measuring operands are evaluated, so that what is asked for does not hang on the
    answers; an operand without measurements that decides the matter ends the evaluation, as in Python."""
    deciding = isinstance(node.op, ast.Or)
    word = "or" if deciding else "and"
    fine = [checker.fits(each, Kind.CONDITION, f"what {word} combines") for each in operands]
    if not all(fine):
        return broken(node)
    steps = [(each.run, each.measures) for each in operands]

    def run(play: Play) -> bool | None:
        play.work += 20
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

    return expression(checker, Kind.CONDITION, run, node, operands)


_Act = Callable[[Any, Any], bool]
_COMPARISONS: dict[type[ast.cmpop], tuple[str, _Act]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda left, right: left in right),
    ast.NotIn: ("not in", lambda left, right: left not in right),
}
_PLAIN: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: lambda value: value.text,
    Kind.LIST: lambda value: [item.text for item in value],
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
        play.work += 40
        values = [each(play) for each in runs]
        if None in values:
            return None
        return all(act(left, right) for act, left, right in zip(acts, values, values[1:], strict=False))

    return expression(checker, Kind.CONDITION, run, node, operands)


def _simple(
    checker: Checker, node: ast.Compare, operands: Sequence[Expression], runs: Sequence[Run], act: _Act
) -> Expression:
    """A comparison of two values, which can tell both."""
    one, other = runs

    def sides(play: Play) -> tuple[Any, Any]:
        play.work += 40
        return one(play), other(play)

    def run(play: Play) -> bool | None:
        left, right = sides(play)
        return None if left is None or right is None else act(left, right)

    secret = any(each.kind not in Kind.NUMBER | Kind.BITS for each in operands)
    found = expression(checker, Kind.CONDITION, run, node, operands)
    return replace(found, comparison=Comparison(sides, act, secret))


def plain(operand: Expression) -> Run:
    """What is compared and shown of a value: the string of a text, the total of bits; None for unknown bits."""
    inner = operand.run
    if operand.kind is Kind.BITS:

        def total(play: Play) -> float | None:
            measured: bits.Measured = inner(play)
            if measured is None:
                return None
            play.spend(2 * measured.count())
            return measured.total()

        return total
    if operand.kind not in _PLAIN:
        return inner
    simple = _PLAIN[operand.kind]

    def run(play: Play) -> Any:
        value = inner(play)
        play.spend(len(value.text) >> 3 if isinstance(value, Text) else 20 * len(value))
        return simple(value)

    return run


def _comparable(checker: Checker, op: ast.cmpop, left: Expression, right: Expression) -> bool:
    known = _COMPARISONS.get(type(op))
    if known is None:
        checker.complain(left.node, "is or is not", "== or !=")
        return False
    if not left.kind or not right.kind:
        return False
    sign = known[0]
    if sign in ("in", "not in"):
        fine = left.kind is Kind.TEXT and right.kind in Kind.TEXT | Kind.LIST
        expected = "a text in a text or in a list"
    elif left.kind in Kind.NUMBER | Kind.BITS:
        fine = right.kind in Kind.NUMBER | Kind.BITS
        expected = "numbers or bits on both sides"
    else:
        fine = sign in ("==", "!=") and left.kind is right.kind and left.kind in Kind.VALUE
        expected = "two texts, two lists or two conditions with == or !=, or numbers and bits"
    if not fine:
        found = f"{kinds.name(left.kind)} {sign} {kinds.name(right.kind)}"
        checker.complain(left.node, found, expected)
    return fine
