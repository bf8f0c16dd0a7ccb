"""``ensure``: conditions on what was said, or say it again."""

import ast
from collections.abc import Callable
from typing import Any

from games import limits
from games.compiler.arguments import literal_keyword
from games.compiler.checker import Checker
from games.compiler.expression import Expression, Step
from games.compiler.expressions import compile_all
from games.compiler.reasons import explained
from games.protocol import EnsureFailed, Side, Status, Why
from games.runtime.state import NoValue, Play, PlayEnded
from games.syntax.names import OMNISCIENT
from games.values.types import Type

_USAGE = 'ensure(condition, …[, say="…"])'


_Result = tuple[bool | None, Any, Any]
_NO_NUMBER = Why("number", "spelled")


def compile_ensure(checker: Checker, node: ast.Call, index: int) -> Step:
    say = literal_keyword(checker, node, "say", limits.SAY, _USAGE)
    if not checker.seats:
        checker.report(node, "ensure before any elicit", "an elicit on an earlier line, to return to")
    if not node.args:
        checker.report(node, "no condition", _USAGE)
    values = compile_all(checker, node.args)
    for value in values:
        checker.fits(value, Type.CONDITION, f"an argument of {_USAGE}")
    line = checker.line.number
    conditions = [(_with_sides(value), explained(value), checker.source(value.node)) for value in values]

    def run(play: Play) -> int | None:
        results = [_result(condition, play) for condition, _, _ in conditions]
        if any(holds is None for holds, _, _ in results):
            raise play.need_bits()
        if play.passes([bool(holds) for holds, _, _ in results]):
            play.failures.pop(index, None)
            return None
        failures = play.failures[index] = play.failures.get(index, 0) + 1
        for (_, explain, source), (holds, left, right) in zip(conditions, results, strict=True):
            if not holds:
                told = left if isinstance(left, Why) else explain(play, left, right)
                sides = (None, None) if isinstance(left, Why) else (_side(left), _side(right))
                play.events.append(EnsureFailed(play.return_seat, line, source, *sides, failures, say, told))
        if failures > limits.ENSURE_FAILURES:
            detail = f"the conditions of line {line} failed {failures} times in a row"
            raise PlayEnded(Status.REJECTED, "ensure_limit", detail)
        return play.return_to

    return run


def _result(condition: Callable[[Play], _Result], play: Play) -> _Result:
    try:
        return condition(play)
    except NoValue:  # of a move, which says it again
        return False, _NO_NUMBER, None


def _side(value: Any) -> Side:
    return tuple(value) if isinstance(value, list) else value


def _with_sides(condition: Expression) -> Callable[[Play], _Result]:
    """Does the condition hold (None: not known yet), and what stands on the sides of a simple comparison?

    Texts are told to seats that see every register, and to no other.
    """
    comparison, plain = condition.comparison, condition.run
    if comparison is None:
        return lambda play: (plain(play), None, None)
    sides, holds, secret = comparison.sides, comparison.holds, comparison.secret

    def run(play: Play) -> _Result:
        left, right = sides(play)
        if left is None or right is None:
            return None, None, None
        result = holds(left, right)
        if secret and play.return_seat not in OMNISCIENT:
            return result, None, None
        return result, left, right

    return run
