"""Texts that are fixed when a round is made: passages, and what a judge writes for ``generate…``."""

import ast
from collections.abc import Mapping, Sequence

from games import limits
from games.checker import Checker, Expression, Generation, broken
from games.kinds import Kind
from games.operators import expression
from games.play import Play
from games.signatures import Function, Parameter, argument_fits, count_fits
from games.texts import Text, Texts

_PROMPT = Parameter("prompt", Kind.TEXT)
_TOKENS = Parameter("n", Kind.INTEGER, 1, limits.GENERATED_TOKENS)
_ITEMS = Parameter("n", Kind.INTEGER, 1, limits.GENERATED_ITEMS)
_SPANS = Parameter("k", Kind.INTEGER, 1, limits.GENERATED_ITEMS)


def _story(
    checker: Checker, node: ast.Call, name: str, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    if not count_fits(checker, node, "story()", len(arguments) + len(keywords), 0, 0):
        return broken(node)
    number = checker.stories
    checker.stories += 1

    def run(play: Play) -> Text:
        return play.text(play.setup.passages[number])

    return Expression(Kind.TEXT, run, node)


def _generate(
    checker: Checker, node: ast.Call, name: str, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    function = FUNCTIONS[name]
    usage = function.usage(name)
    for keyword, value in keywords.items():
        checker.complain(value.node, f"the keyword {keyword}=", f"arguments by position: {usage}")
    count = len(function.parameters)
    if not count_fits(checker, node, usage, len(arguments), count, count) or keywords:
        return broken(node)
    fine = [
        argument_fits(checker, given, parameter, usage) and _is_fixed(checker, given, usage)
        for given, parameter in zip(arguments, function.parameters, strict=True)
    ]
    if not all(fine):
        return broken(node)
    place = len(checker.generations)
    prompt, number = _prompt(checker, node, arguments), arguments[-1].literal
    checker.generations.append(Generation(name, prompt, int(number or 0)))

    def run(play: Play) -> Text | Texts:
        value = play.generated[place]
        return value if isinstance(value, Text) else play.texts(value)

    return expression(checker, function.result, run, node, ())


def _is_story(given: Expression) -> bool:
    node = given.node
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "story"


def _is_fixed(checker: Checker, given: Expression, usage: str) -> bool:
    if given.literal is not None or _is_story(given):
        return True
    expected = f"a literal or story(): {usage} is made with the round"
    checker.complain(given.node, checker.described(given), expected)
    return False


def _prompt(checker: Checker, node: ast.Call, arguments: Sequence[Expression]) -> str | int:
    if len(arguments) == 1:
        return ""
    # The prompt was the last story() compiled, if it is one.
    return checker.stories - 1 if _is_story(arguments[0]) else str(arguments[0].literal)


FUNCTIONS = {
    "story": Function((), Kind.TEXT, compile=_story),
    "generate": Function((_PROMPT, _TOKENS), Kind.TEXT, compile=_generate),
    "generate_list": Function((_PROMPT, _ITEMS), Kind.LIST, compile=_generate),
    "generate_masked": Function((_SPANS,), Kind.LIST, compile=_generate),
    "generate_list_next_token": Function((_TOKENS,), Kind.LIST, compile=_generate),
}
