"""What a built-in function takes and gives. The static check and the play read the same table."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from games.checker import Checker, Expression, broken
from games.kinds import Kind
from games.operators import fallible_expression
from games.play import Play, run_time_error

TEXT_OR_LIST = Kind.TEXT | Kind.LIST


@dataclass(frozen=True, slots=True)
class Parameter:
    """low, high: the least and greatest number, checked before play where it is written out, else in play."""

    name: str
    kind: Kind
    low: int | None = None
    high: int | None = None

    def refusal(self, number: Any) -> str | None:
        """What was expected of the number, or None where it is in range."""
        if (self.low is None or number >= self.low) and (self.high is None or number <= self.high):
            return None
        if self.high is None:
            return f"{self.name} ≥ {self.low}"
        return f"{self.low} ≤ {self.name} ≤ {self.high}"


Compile = Callable[[Checker, ast.Call, str, Sequence[Expression], Mapping[str, Expression]], Expression]


@dataclass(frozen=True, slots=True)
class Function:
    """A built-in. call(play, *values) gives its value; ``required`` of its parameters must be given (default: all).
    A function that this scheme does not fit has its own ``compile`` and no ``call``."""

    parameters: tuple[Parameter, ...]
    result: Kind
    call: Callable[..., Any] | None = None
    required: int | None = None
    measures: bool = False
    compile: Compile | None = None

    def usage(self, name: str) -> str:
        return f"{name.removeprefix('.')}({', '.join(parameter.name for parameter in self.parameters)})"


def count_fits(checker: Checker, node: ast.Call, usage: str, given: int, least: int, most: int) -> bool:
    """Is the number of arguments right? Complains where not."""
    if least <= given <= most:
        return True
    wanted = str(most) if least == most else f"{least} to {most}"
    checker.complain(node, f"{given} arguments", f"{wanted}: {usage}")
    return False


def argument_fits(checker: Checker, given: Expression, parameter: Parameter, usage: str) -> bool:
    """Has the argument the right kind and, where it is a literal number, the right size? Complains where not."""
    if not checker.fits(given, parameter.kind, f"{parameter.name} of {usage}"):
        return False
    if parameter.kind in Kind.NUMBER and isinstance(given.literal, int | float):
        refusal = parameter.refusal(given.literal)
        if refusal:
            checker.complain(given.node, str(given.literal), f"{refusal} in {usage}")
            return False
    return bool(given.kind)


def compile_plain(
    checker: Checker,
    node: ast.Call,
    name: str,
    function: Function,
    arguments: Sequence[Expression],
    keywords: Mapping[str, Expression],
) -> Expression:
    """A call whose arguments all stand by position."""
    usage = function.usage(name)
    for keyword, value in keywords.items():
        checker.complain(value.node, f"the keyword {keyword}=", f"arguments by position: {usage}")
    most = len(function.parameters)
    least = most if function.required is None else function.required
    if not count_fits(checker, node, usage, len(arguments), least, most) or keywords:
        return broken(node)
    pairs = list(zip(arguments, function.parameters, strict=False))
    fine = [argument_fits(checker, given, parameter, usage) for given, parameter in pairs]
    if not all(fine):
        return broken(node)
    runs = [_checked(given, parameter) for given, parameter in pairs]
    call = function.call
    assert call is not None

    def run(play: Play) -> Any:
        return call(play, *[each(play) for each in runs])

    return fallible_expression(checker, function.result, run, node, arguments, function.measures)


def _checked(given: Expression, parameter: Parameter) -> Callable[[Play], Any]:
    if given.literal is not None or (parameter.low is None and parameter.high is None):
        return given.run

    def run(play: Play) -> Any:
        number = given.run(play)
        refusal = parameter.refusal(number)
        if refusal:
            raise run_time_error(f"found {number}, expected {refusal}")
        return number

    return run
