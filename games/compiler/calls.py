"""Calls of functions: bound and checked by the table of built-ins, or handed to a special form."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from games.builtins.signature import REQUIRED, Literal, Parameter, Signature, usage
from games.builtins.table import FUNCTIONS
from games.compiler.arguments import argument_fits, by_position_only, count_fits
from games.compiler.checker import Checker
from games.compiler.expression import Expression, Run, broken, composed, fallible
from games.compiler.round_texts import FORMS
from games.runtime.state import Play, run_time_error
from games.values.types import Type

#: Whatever is called by name.
NAMES = (*FORMS, *(name for name in FUNCTIONS if not name.startswith(".")))


def compile_call(
    checker: Checker, node: ast.Call, name: str, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    """A checked call of the function of that name."""
    checker.functions.add(name)
    if name in FORMS:
        return FORMS[name](checker, node, arguments, keywords)
    function = FUNCTIONS[name]
    parameters = function.parameters
    shown = usage(name, parameters)
    given = _bound(checker, node, shown, parameters, arguments, keywords)
    if given is None:
        return broken(node)
    pairs = [(given[each.name], each) for each in parameters if each.name in given]
    fine = [argument_fits(checker, argument, parameter, shown) for argument, parameter in pairs]
    if not all(fine):
        return broken(node)
    for argument, parameter in pairs:
        if parameter.literal is Literal.JUDGE:
            checker.slots[str(argument.literal)] = None
    signature = next(each for each in function.signatures if _takes(each, given))
    if checker.rewarding and name in ("min", "max") and signature.result is Type.BITS:
        for argument in (each for each in given.values() if each.type in Type.NUMBER):
            return checker.report(argument.node, "a number among bits that are given", f"bits on both sides of {name}")
    run = _runner(signature, given)
    # Bits are all of an instruction or most of it: where measuring ends a play, the location is the instruction's.
    if signature.result is not Type.BITS:
        run = fallible(run, checker.location(node))
    values = [argument for argument, parameter in pairs if parameter.literal is None]
    return composed(signature.result, run, node, values, function.uses_judge)


def _bound(
    checker: Checker,
    node: ast.Call,
    shown: str,
    parameters: Sequence[Parameter],
    arguments: Sequence[Expression],
    keywords: Mapping[str, Expression],
) -> dict[str, Expression] | None:
    """Parameter → argument; None, after a report, where they cannot be matched."""
    by_keyword = {each.name for each in parameters if each.keyword}
    fine = bool(by_keyword) or by_position_only(checker, keywords, shown)
    by_position = [each for each in parameters if each.literal is not Literal.JUDGE]
    least = sum(each.default is REQUIRED for each in parameters)
    if not count_fits(checker, node, shown, len(arguments), least, len(by_position)) or not fine:
        return None
    given = {parameter.name: argument for parameter, argument in zip(by_position, arguments, strict=False)}
    for keyword, value in keywords.items():
        if keyword not in by_keyword or keyword in given:
            twice = " a second time" if keyword in given else ""
            checker.report(value.node, f"the keyword {keyword}={twice}", shown)
            return None
        given[keyword] = value
    return given


def _takes(signature: Signature, given: Mapping[str, Expression]) -> bool:
    return all(given[each.name].type in each.type for each in signature.parameters if each.name in given)


def _runner(signature: Signature, given: Mapping[str, Expression]) -> Run:
    call = signature.call
    runs = [_value(given.get(each.name), each) for each in signature.parameters]
    if len(runs) == 1:
        only = runs[0]
        return lambda play: call(play, only(play))

    def run(play: Play) -> Any:
        return call(play, *[each(play) for each in runs])

    return run


def _value(given: Expression | None, parameter: Parameter) -> Callable[[Play], Any]:
    if given is None:
        default = parameter.default
        return lambda play: default
    if given.literal is not None and parameter.literal is not None:
        literal = given.literal
        return lambda play: literal
    if given.literal is not None or (parameter.low is None and parameter.high is None):
        return given.run

    def run(play: Play) -> Any:
        number = given.run(play)
        range_error = parameter.range_error(number)
        if range_error:
            raise run_time_error(f"found {number}, expected {range_error}")
        return number

    return run
