"""``ensure``: conditions on what was said, or say it again."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from games import limits
from games.compiler.arguments import literal_keyword
from games.compiler.checker import Checker
from games.compiler.expression import Expression, Step
from games.compiler.expressions import compile_all
from games.compiler.needs import Needs, needs
from games.compiler.reasons import Explain, explained
from games.protocol import EnsureFailed, Side, Status, Why
from games.runtime.state import NoValue, Play, PlayEnded
from games.syntax.names import OMNISCIENT
from games.values.text import HOUSE, Text
from games.values.types import Type

#: Units of work of a condition, and of one that does not hold and is told of.
_RESULT_WORK, _FAILED_WORK = 100, 500

_USAGE = 'ensure(condition, …[, say="…"])'


class _Found(NamedTuple):
    """holds: None where it is not known yet. left, right: what was compared, where it may be told. why: where it is
    known without a comparison."""

    holds: bool | None
    left: Any = None
    right: Any = None
    why: Why | None = None


_NO_NUMBER = _Found(False, why=Why("number", "spelled"))


@dataclass(frozen=True, slots=True)
class Condition:
    """result: does it hold (None: not known yet), and what stands on its sides? needs: what it hangs on."""

    result: Callable[[Play], _Found]
    explain: Explain
    source: str
    needs: Needs

    def failed(self, play: Play, line: int, found: _Found, failures: int, say: str | None) -> EnsureFailed:
        """What is told of it where it does not hold."""
        play.spend(_FAILED_WORK)
        why = found.why or self.explain(play, found.left, found.right)
        sides = _side(found.left), _side(found.right)
        play.show(self.source, say or "", *[text for side in sides for text in _texts(side)])
        return EnsureFailed(play.return_seat, line, self.source, *sides, failures, say, why)


@dataclass(frozen=True, slots=True)
class Ensure:
    """The instruction, ready to run. index, line: which it is, and where it stands."""

    index: int
    line: int
    conditions: Sequence[Condition]
    say: str | None

    def __call__(self, play: Play) -> int | None:
        play.spend(_RESULT_WORK * len(self.conditions))
        results = [condition.result(play) for condition in self.conditions]
        if any(found.holds is None for found in results):
            raise play.need_bits()
        if play.passes([bool(found.holds) for found in results]):
            play.failures.pop(self.index, None)
            return None
        failures = play.failures[self.index] = play.failures.get(self.index, 0) + 1
        play.events += self.told(play, results, failures)
        if failures > limits.ENSURE_FAILURES:
            detail = (
                f"the conditions of line {self.line} failed {failures} times in a row: the play ends without a score"
            )
            raise PlayEnded(self.status(play, results), "ensure_limit", detail)
        return play.return_to

    def status(self, play: Play, results: Sequence[_Found]) -> Status:
        """How the play ends: whoever is asked cannot mend what hangs on the house's words alone."""
        failed = [each for each, found in zip(self.conditions, results, strict=True) if not found.holds]
        by_house = any(_from_moves(play, each.needs) == HOUSE for each in failed)
        return Status.VOID if by_house else Status.REJECTED

    def told(self, play: Play, results: Sequence[_Found], failures: int) -> list[EnsureFailed]:
        return [
            condition.failed(play, self.line, found, failures, self.say)
            for condition, found in zip(self.conditions, results, strict=True)
            if not found.holds
        ]


def compile_ensure(checker: Checker, node: ast.Call, index: int) -> Step:
    say = literal_keyword(checker, node, "say", limits.SAY, _USAGE)
    if not checker.seats:
        checker.report(node, "ensure before any elicit", "an elicit on an earlier line, to return to")
    if not node.args:
        checker.report(node, "no condition", _USAGE)
    values = compile_all(checker, node.args)
    for value in values:
        checker.fits(value, Type.CONDITION, f"an argument of {_USAGE}")
    conditions = [_condition(value, checker.source(value.node)) for value in values]
    return Ensure(index, checker.line.number, conditions, say)


def _condition(value: Expression, source: str) -> Condition:
    result = _with_sides(value)
    return Condition(lambda play: _result(result, play), explained(value), source, needs(value.node))


def _result(condition: Callable[[Play], _Found], play: Play) -> _Found:
    try:
        return condition(play)
    except NoValue:  # of a move, which says it again
        return _NO_NUMBER


def _from_moves(play: Play, needed: Needs) -> int:
    """Whose moves have flowed into what is read, prefixes included?"""
    found = 0
    for value in map(play.registers.__getitem__, needed.registers):
        for text in (value,) if isinstance(value, Text) else value:
            found |= text.from_move | text.prefix_from_move
    return found


def _side(value: Any) -> Side:
    return tuple(value) if isinstance(value, list) else value


def _texts(side: Side) -> Sequence[str]:
    if isinstance(side, tuple):
        return side
    return (side,) if isinstance(side, str) else ()


def _with_sides(condition: Expression) -> Callable[[Play], _Found]:
    """Does the condition hold (None: not known yet), and what stands on the sides of a simple comparison?

    Texts are told to seats that see every register, and to no other.
    """
    comparison, plain = condition.comparison, condition.run
    if comparison is None:
        return lambda play: _Found(plain(play))
    sides, holds, secret = comparison.sides, comparison.holds, comparison.secret

    def run(play: Play) -> _Found:
        left, right = sides(play)
        if left is None or right is None:
            return _Found(None)
        result = holds(play, left, right)
        if secret and play.return_seat not in OMNISCIENT:
            return _Found(result)
        return _Found(result, left, right)

    return run
