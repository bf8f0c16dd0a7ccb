"""The built-in functions: one table of signatures and what each does in a play."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from games import banned, bits, limits, measures, roundtexts, words
from games.checker import Checker, Expression, broken
from games.draws import shuffled
from games.kinds import Kind
from games.operators import expression
from games.play import Play, out_of_budget, run_time_error
from games.signatures import TEXT_OR_LIST, Function, Parameter, compile_plain, count_fits
from games.texts import EMPTY, Text, Texts
from games.values import MAIN

_TEXT = Parameter("s", Kind.TEXT)
_OTHER = Parameter("t", Kind.TEXT)
_OTHERS = Parameter("t", TEXT_OR_LIST)


def compile_call(
    checker: Checker, node: ast.Call, name: str, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    """A checked call of the built-in of that name."""
    checker.functions.add(name)
    function = ALL[name]
    if function.compile is not None:
        return function.compile(checker, node, name, arguments, keywords)
    return compile_plain(checker, node, name, function, arguments, keywords)


# Words

_Other = Text | Texts


def _is_moved(*values: _Other) -> bool:
    return any(value.moved if isinstance(value, Text) else any(item.moved for item in value) for value in values)


def _strings(value: _Other) -> str | list[str]:
    return value.text if isinstance(value, Text) else [item.text for item in value]


def _size(value: _Other) -> int:
    return len(value.text) if isinstance(value, Text) else sum([len(item.text) for item in value])


def _remove_common_words(play: Play, text: Text, other: _Other) -> Text:
    if isinstance(other, Text):
        play.spend(100 + 10 * (len(text.text) + len(other.text)))
        left = words.remove_common_words(text.text, other.text)
    else:
        listed = [item.text for item in other]
        # Those with a separator in them are looked for one by one, and each may nearly match at every place.
        alone = sum([len(item) for item in listed if words.has_separator(item)])
        play.spend(100 + 10 * (_size(other) + len(text.text)) + alone * len(text.text) // 2)
        left = words.remove_words(text.text, listed)
    return Text(left, "", _is_moved(text, other))


def _remove_banned_words(play: Play, text: Text, other: _Other) -> Text:
    mine = _normalised(play, text.text)
    others = _normalised(play, other.text if isinstance(other, Text) else "\n".join([item.text for item in other]))
    left = banned.without(mine, banned.banned(others), lambda: play.spend(300))
    return play.text(left, _is_moved(text, other))


def _normalised(play: Play, text: str) -> str:
    play.spend(100 + 40 * len(text))
    text = banned.decomposed(text)
    # A Hangul syllable is three characters here, and one ligature eighteen.
    if len(text) > 3 * limits.TEXT_CHARACTERS:
        raise out_of_budget("characters in one text", limits.TEXT_CHARACTERS)
    play.spend(100 + 40 * len(text))
    return banned.folded(text)


def _only_uses_words(play: Play, allowed: _Other, text: Text) -> bool:
    play.spend(100 + 4 * (_size(allowed) + len(text.text)))
    return words.only_uses_words(_strings(allowed), text.text)


def _only_uses_chars(play: Play, allowed: Text, text: Text) -> bool:
    play.spend(100 + 4 * (len(allowed.text) + len(text.text)))
    return words.only_uses_chars(allowed.text, text.text)


def _sorted(play: Play, found: Sequence[str], moved: bool) -> Texts:
    play.spend(100 * len(found))
    return play.texts(tuple([Text(word, "", moved) for word in found]))


def _word_set(play: Play, text: Text) -> Texts:
    play.spend(100 + 10 * len(text.text))
    return _sorted(play, words.word_set(text.text), text.moved)


def _common_word_set(play: Play, text: Text, other: Text) -> Texts:
    play.spend(100 + 10 * (len(text.text) + len(other.text)))
    return _sorted(play, words.common_word_set(text.text, other.text), text.moved or other.moved)


def _num_words(play: Play, text: Text) -> int:
    play.spend(100 + 10 * len(text.text))
    return len(words.words(text.text))


# Cuts and joints


def _first_n_tokens(play: Play, text: Text, n: int) -> Text:
    play.work += 100
    ends = play.ends(MAIN, text.text)
    if len(ends) <= n:
        return text
    return Text(text.text[: ends[n - 1]] if n else "", "", text.moved)


def _last_n_tokens(play: Play, text: Text, n: int) -> Text:
    play.work += 100
    ends = play.ends(MAIN, text.text)
    start = ends[-n - 1] if n < len(ends) else 0
    return Text(text.text[start:] if n else "", "", text.moved)


def _split(play: Play, text: Text, separator: Text | None = None) -> Texts:
    play.spend(100 + 4 * len(text.text))
    if separator is None:
        parts = text.text.split()
    elif separator.text:
        parts = text.text.split(separator.text)
    else:
        raise run_time_error("found an empty separator for split, expected at least one character")
    return _sorted(play, parts, text.moved or (separator is not None and separator.moved))


def _join(play: Play, separator: Text, items: Texts) -> Text:
    play.spend(100 + 10 * len(items) + _size(items))
    joined = separator.text.join([item.text for item in items])
    return play.text(joined, _is_moved(separator, items))


def _len(play: Play, value: _Other) -> int:
    play.work += 20
    return len(value.text) if isinstance(value, Text) else len(value)


# Draws


def _sample(play: Play, items: Texts) -> Text:
    return items[play.drawn(len(items))] if items else EMPTY


def _shuffle(play: Play, items: Texts) -> Texts:
    def numbers() -> Iterator[int]:
        for last in range(len(items) - 1, 0, -1):
            yield play.drawn(last + 1)

    return tuple(shuffled(items, numbers()))


# The least and the greatest


def _compile_extreme(
    checker: Checker, node: ast.Call, name: str, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    usage = f"{name}(a, b)"
    for keyword, value in keywords.items():
        checker.complain(value.node, f"the keyword {keyword}=", f"arguments by position: {usage}")
    if not count_fits(checker, node, usage, len(arguments), 2, 2) or keywords:
        return broken(node)
    fine = [checker.fits(each, Kind.NUMBER | Kind.BITS, f"an argument of {usage}") for each in arguments]
    if not all(fine):
        return broken(node)
    left, right = arguments
    if not (left.kind and right.kind):
        return broken(node)
    better: Callable[[float, float], bool] = (lambda a, b: b < a) if name == "min" else (lambda a, b: b > a)
    if Kind.BITS not in (left.kind, right.kind):
        return _extreme_number(checker, node, left, right, better)
    runs = [_as_bits(left), _as_bits(right)]

    def run(play: Play) -> bits.Measured:
        one, other = runs[0](play), runs[1](play)
        if one is None or other is None:
            return None
        play.spend(50 + 2 * (one.count() + other.count()))
        return other if better(one.total(), other.total()) else one

    return expression(checker, Kind.BITS, run, node, arguments)


def _extreme_number(
    checker: Checker, node: ast.Call, left: Expression, right: Expression, better: Callable[[float, float], bool]
) -> Expression:
    def run(play: Play) -> Any:
        play.work += 20
        one, other = left.run(play), right.run(play)
        return other if better(one, other) else one

    whole = left.kind is Kind.INTEGER and right.kind is Kind.INTEGER
    return expression(checker, Kind.INTEGER if whole else Kind.FLOAT, run, node, (left, right))


def _as_bits(given: Expression) -> Callable[[Play], bits.Measured]:
    if given.kind is Kind.BITS:
        return given.run
    return lambda play: bits.constant(given.run(play))


ALL: dict[str, Function] = {
    **measures.FUNCTIONS,
    **roundtexts.FUNCTIONS,
    "remove_common_words": Function((_TEXT, _OTHERS), Kind.TEXT, _remove_common_words),
    "remove_banned_words": Function((_TEXT, _OTHERS), Kind.TEXT, _remove_banned_words),
    "only_uses_words": Function((Parameter("allowed", TEXT_OR_LIST), _TEXT), Kind.CONDITION, _only_uses_words),
    "only_uses_chars": Function((Parameter("allowed", Kind.TEXT), _TEXT), Kind.CONDITION, _only_uses_chars),
    "word_set": Function((_TEXT,), Kind.LIST, _word_set),
    "common_word_set": Function((_TEXT, _OTHER), Kind.LIST, _common_word_set),
    "num_words": Function((_TEXT,), Kind.INTEGER, _num_words),
    "first_n_tokens": Function((_TEXT, Parameter("n", Kind.INTEGER, 0)), Kind.TEXT, _first_n_tokens),
    "last_n_tokens": Function((_TEXT, Parameter("n", Kind.INTEGER, 0)), Kind.TEXT, _last_n_tokens),
    "sample": Function((Parameter("l", Kind.LIST),), Kind.TEXT, _sample),
    "shuffle": Function((Parameter("l", Kind.LIST),), Kind.LIST, _shuffle),
    "len": Function((Parameter("s or l", TEXT_OR_LIST),), Kind.INTEGER, _len),
    "min": Function((), Kind.BITS, compile=_compile_extreme),
    "max": Function((), Kind.BITS, compile=_compile_extreme),
    ".split": Function((_TEXT, _OTHER), Kind.LIST, _split, required=1),
    ".join": Function((_TEXT, Parameter("l", Kind.LIST)), Kind.TEXT, _join),
}
#: Those that are called by name; the other two are written behind a text.
FUNCTIONS = {name: function for name, function in ALL.items() if not name.startswith(".")}
