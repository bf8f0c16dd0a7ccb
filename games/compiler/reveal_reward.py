"""``reveal`` and ``reward``: what players are shown and given."""

import ast
from typing import Any

from games.compiler.arguments import refuse_keywords, seat_and_rest
from games.compiler.checker import Checker
from games.compiler.expression import Expression, Step, broken
from games.compiler.expressions import compile_all
from games.compiler.operators import scale
from games.protocol import Event
from games.runtime.state import Play
from games.syntax.names import OPPONENT
from games.values import bits
from games.values.types import Type

_REVEAL = "reveal([player,] value, …)"
_REWARD = "reward([player,] bits)"


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
        shown = [{"register": value.register, "value": _shown(play, value)} for value in values]
        if any(each["value"] is None for each in shown):
            raise play.need_bits()
        play.events.append({"type": "reveal", "seat": seat, "line": line, "values": shown})
        play.revealed[seat] = play.revealed.get(seat, frozenset()) | names

    return run


def _shown(play: Play, value: Expression) -> Any:
    """As JSON; None for bits, or a condition made of bits, that are not known yet."""
    result = value.run(play)
    if value.type is Type.TEXT:
        return result.text
    if value.type is Type.LIST:
        play.spend(10 * len(result))
        return [item.text for item in result]
    if value.type is Type.BITS and result is not None:
        return _told(play, result)
    return result


def _told(play: Play, measured: bits.Bits) -> Event:
    """Bits as events show them: {"bits", "tokens"}."""
    play.spend(40 * measured.count())
    return {"bits": measured.total(), "tokens": measured.tokens()}


def compile_reward(checker: Checker, node: ast.Call, index: int) -> Step:
    refuse_keywords(checker, node, _REWARD)
    seat, rest = seat_and_rest(node.args)
    if seat == "env":
        checker.report(node.args[0], "a reward to env", "black, white, alice, bob or carol: env is not scored")
    values = compile_all(checker, rest)
    if len(values) != 1:
        checker.report(node, f"{len(values)} values", f"one: {_REWARD}")
        values = [broken(node)]
    checker.fits(values[0], Type.BITS, f"the value of {_REWARD}")
    line, value = checker.line.number, values[0].run

    def run(play: Play) -> None:
        measured: bits.Measured = value(play)
        _give(play, seat, measured, line)
        opponent = OPPONENT.get(seat)
        if opponent in play.rewards:
            _give(play, opponent, scale(play, measured, -1), line)

    return run


def _give(play: Play, seat: str, measured: bits.Measured, line: int) -> None:
    if measured is None:
        # Filled in when the play is replayed with the bits; until then no event from here on is shown.
        if play.complete_events is None:
            play.complete_events = len(play.events)
        return
    event = {"type": "reward", "seat": seat, **_told(play, measured), "line": line}
    play.events.append(event)
    if seat in play.rewards:
        play.rewards[seat] += event["bits"]
