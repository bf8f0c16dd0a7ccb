"""Texts that are fixed when a round is made: passages, and what a judge writes for ``generate…``.

They are no functions of values: what stands in their brackets must be known before play.
"""

import ast
from collections.abc import Callable, Mapping, Sequence

from games import limits
from games.builtins.signature import REQUIRED, Parameter, usage
from games.compiler.arguments import argument_fits, by_position_only, count_fits
from games.compiler.checker import Checker
from games.compiler.expression import Expression, broken, composed
from games.runtime.generation import Generation, written_tokens
from games.runtime.state import Play
from games.values.text import Text, Texts
from games.values.types import Type

_PROMPT = Parameter("prompt", Type.TEXT)
_TOKENS = Parameter("n", Type.INTEGER, 1, limits.GENERATED_TOKENS)
_ITEMS = Parameter("n", Type.NUMBER, 1, limits.GENERATED_ITEMS)  # the public benchmark takes 3.0
_NEXT = Parameter("n", Type.INTEGER, 1, limits.GENERATED_TOKENS, default=1)
_SPANS = Parameter("k", Type.INTEGER, 1, limits.GENERATED_ITEMS)

Form = Callable[[Checker, ast.Call, Sequence[Expression], Mapping[str, Expression]], Expression]


def _story(
    checker: Checker, node: ast.Call, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    if not count_fits(checker, node, "story()", len(arguments) + len(keywords), 0, 0):
        return broken(node)
    number = checker.stories
    checker.stories += 1

    def run(play: Play) -> Text:
        return play.text(play.setup.passages[number])

    return Expression(Type.TEXT, run, node)


def _generate(name: str, result: Type, *parameters: Parameter) -> Form:
    shown = usage(name, parameters)

    def form(
        checker: Checker, node: ast.Call, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
    ) -> Expression:
        fine = by_position_only(checker, keywords, shown)
        least = sum(each.default is REQUIRED for each in parameters)
        if not count_fits(checker, node, shown, len(arguments), least, len(parameters)) or not fine:
            return broken(node)
        fits = [
            argument_fits(checker, given, parameter, shown)
            and _is_fixed(checker, given, shown)
            and _is_whole(checker, given)
            for given, parameter in zip(arguments, parameters, strict=False)
        ]
        if not all(fits):
            return broken(node)
        index = len(checker.generations)
        number = arguments[-1].literal if len(arguments) == len(parameters) else parameters[-1].default
        checker.generations.append(Generation(name, _prompt(checker, parameters, arguments), int(number or 0)))
        if sum(map(written_tokens, checker.generations)) > limits.WRITTEN_TOKENS:
            found = f"more than {limits.WRITTEN_TOKENS:,} tokens that a judge is to write up to here"
            return checker.report(node, found, "fewer or shorter texts")
        return composed(result, lambda play: _generated(play, index), node, ())

    return form


def _generated(play: Play, index: int) -> Text | Texts:
    value = play.generated[index]
    return value if isinstance(value, Text) else play.texts(value)


def _is_story(given: Expression) -> bool:
    node = given.node
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "story"


def _is_fixed(checker: Checker, given: Expression, shown: str) -> bool:
    if given.literal is not None or _is_story(given):
        return True
    expected = f"a literal or story(): {shown} is made with the round"
    checker.report(given.node, checker.described(given), expected)
    return False


def _is_whole(checker: Checker, given: Expression) -> bool:
    if not isinstance(given.literal, float) or given.literal.is_integer():
        return True
    checker.report(given.node, str(given.literal), "a whole number")
    return False


def _prompt(checker: Checker, parameters: Sequence[Parameter], arguments: Sequence[Expression]) -> str | int:
    if parameters[0] is not _PROMPT:
        return ""
    # The prompt was the last story() compiled, if it is one.
    return checker.stories - 1 if _is_story(arguments[0]) else str(arguments[0].literal)


FORMS: dict[str, Form] = {
    "story": _story,
    "generate": _generate("generate", Type.TEXT, _PROMPT, _TOKENS),
    "generate_list": _generate("generate_list", Type.LIST, _PROMPT, _ITEMS),
    "generate_masked": _generate("generate_masked", Type.LIST, _SPANS),
    "generate_list_next_token": _generate("generate_list_next_token", Type.LIST, _NEXT),
}
