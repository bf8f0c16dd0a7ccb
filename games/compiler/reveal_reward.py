"""``reveal`` and ``reward``: what players are shown and given."""

import ast
from collections.abc import Sequence
from math import isfinite
from typing import Any

from games import limits
from games.compiler.arguments import literal_keyword, refuse_keywords, seat_and_rest
from games.compiler.checker import Checker
from games.compiler.expression import Expression, Step, broken
from games.compiler.expressions import compile_all
from games.compiler.operators import scale
from games.protocol import Reveal, Reward, Shown, ShownBits, Term
from games.runtime.costs import shown_size
from games.runtime.state import Play
from games.sentences import counted
from games.syntax.names import OPPONENT
from games.values.bits import Bits, Call, Measured, TokenBits
from games.values.types import Type

#: Units of work of a value that is shown, and of a reward that is given, beside their texts and tokens.
_SHOWN_WORK = 500

_REVEAL = "reveal([player,] value, …)"
_REWARD = 'reward([player,] bits[, label="…"])'


def compile_reveal(checker: Checker, node: ast.Call, index: int) -> Step:
    refuse_keywords(checker, node, _REVEAL)
    seat, rest = seat_and_rest(node.args)
    values = compile_all(checker, rest)
    if not values:
        checker.report(node, "no value to show", _REVEAL)
    for value in values:
        checker.fits(value, Type.VALUE, f"a value of {_REVEAL}")
    line = checker.line.number
    names = frozenset(value.register for value in values if value.register)

    def run(play: Play) -> None:
        shown = [(value.register, _shown(play, value)) for value in values]
        if any(each is None for _, each in shown):
            raise play.need_bits()
        play.events.append(Reveal(seat, line, tuple([Shown(register, each) for register, each in shown])))
        play.revealed[seat] = play.revealed.get(seat, frozenset()) | names

    return run


def _shown(play: Play, value: Expression) -> Any:
    """As events hold it; None for bits, or a condition made of bits, that are not known yet."""
    result = value.run(play)
    play.spend(_SHOWN_WORK)
    if value.type is Type.TEXT:
        play.show(result.text)
        return result.text
    if value.type is Type.LIST:
        play.spend(20 * len(result))
        play.show(*[item.text for item in result])
        return tuple([item.text for item in result])
    if value.type is Type.BITS and result is not None:
        play.show(*[tokens.text for tokens, _ in result.parts], tokens=result.count())
        return ShownBits(result.total(), _tokens(play, result))
    play.show("")
    return result


def _tokens(play: Play, measured: Bits) -> tuple[TokenBits, ...]:
    play.spend(measured.work() + 40 * measured.count())
    return measured.tokens()


def compile_reward(checker: Checker, node: ast.Call, index: int) -> Step:
    label = literal_keyword(checker, node, "label", limits.LABEL, _REWARD)
    seat, rest = seat_and_rest(node.args)
    if seat == "env":
        checker.report(node.args[0], "a reward to env", "black, white, alice, bob or carol: env is not scored")
    checker.rewarding = True
    values = compile_all(checker, rest)
    checker.rewarding = False
    if len(values) != 1:
        checker.report(node, counted(len(values), "value"), f"one: {_REWARD}")
        values = [broken(node)]
    checker.fits(values[0], Type.BITS, f"the value of {_REWARD}")
    line, value = checker.line.number, values[0].run

    def run(play: Play) -> None:
        measured: Measured = value(play)
        _give(play, seat, measured, line, label)
        opponent = OPPONENT.get(seat)
        if opponent in play.rewards:
            _give(play, opponent, scale(play, measured, -1), line, label)

    return run


def _give(play: Play, seat: str, measured: Measured, line: int, label: str | None) -> None:
    if measured is None:
        # Filled in when the play is replayed with the bits; until then no event from here on is shown.
        if play.complete_events is None:
            play.complete_events = len(play.events)
        return
    play.spend(_SHOWN_WORK + measured.work())
    bits = measured.total()
    tokens, terms = _told(play, measured)
    play.events.append(Reward(seat, bits, tokens, line, terms, label))
    if seat in play.rewards:
        play.rewards[seat] += bits


def _told(play: Play, measured: Bits) -> tuple[tuple[TokenBits, ...], tuple[Term, ...]]:
    """What a reward's bits are made of, as far as there is room for it in the play's events: the score needs none."""
    if not _fits(play, [tokens.text for tokens, _ in measured.parts], measured.count()):
        return (), ()
    return _tokens(play, measured), _terms(play, measured)


def _fits(play: Play, texts: Sequence[str], tokens: int) -> bool:
    size = shown_size(texts, tokens)
    if play.rewarded + size > limits.REWARD_CHARACTERS:
        return False
    play.rewarded += size
    return True


def _terms(play: Play, measured: Bits) -> tuple[Term, ...]:
    """The calls that the bits were made from, each once; none where they are too many, or a factor too large."""
    play.spend(40 * len(measured.terms))
    factors: dict[tuple[str, int, int], float] = {}
    calls: dict[tuple[str, int, int], Call] = {}
    for call, factor in measured.terms:
        # The play keeps what was measured: the same bits are the same object.
        key = (call.function, id(call.before), id(call.after))
        factors[key] = factors.get(key, 0.0) + factor
        calls.setdefault(key, call)
    texts = [text for call in calls.values() for text in (call.text, call.prefix_before or "", call.prefix_after)]
    tokens = sum([call.after.count() for call in calls.values()])
    if not all(map(isfinite, factors.values())) or not _fits(play, texts, tokens):
        return ()
    return tuple([_term(play, key, calls[key], factor) for key, factor in factors.items()])


def _term(play: Play, key: tuple[str, int, int], call: Call, factor: float) -> Term:
    tokens = play.term_tokens.get(key)
    if tokens is None:
        play.spend(60 * call.after.count())
        tokens = play.term_tokens[key] = call.tokens()
    return Term(call.function, factor, call.judge, call.text, call.prefix_before, call.prefix_after, tokens)
