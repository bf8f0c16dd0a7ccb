"""``min`` and ``max``, of numbers and of bits; the number that a text spells; bits changed token by token."""

import re
from collections.abc import Callable

from games.builtins.signature import Function, Parameter, Signature
from games.limits import NUMBER
from games.runtime.state import Play, no_value
from games.values import bits
from games.values.bits import Bits, Measured
from games.values.text import Text
from games.values.types import Type

_Better = Callable[[float, float], bool]


def _of_numbers(better: _Better) -> Callable[..., float]:
    def call(play: Play, one: float, other: float) -> float:
        return other if better(other, one) else one

    return call


def _of_bits(better: _Better) -> Callable[..., Measured]:
    def call(play: Play, left: Measured | float, right: Measured | float) -> Measured:
        one, other = _as_bits(left), _as_bits(right)
        if one is None or other is None:
            return None
        play.spend(one.work() + other.work())
        return other if better(other.total(), one.total()) else one

    return call


def _as_bits(value: Measured | float) -> Measured:
    return value if value is None or isinstance(value, Bits) else bits.constant(value)


def extreme(better: _Better) -> Function:
    """A function of two values that gives the one which is better; the first where neither is."""

    def signature(takes: Type, result: Type, call: Callable[..., object]) -> Signature:
        return Signature(tuple(Parameter(name, takes, role="an argument") for name in "ab"), result, call)

    return Function(
        (
            signature(Type.INTEGER, Type.INTEGER, _of_numbers(better)),
            signature(Type.NUMBER, Type.FLOAT, _of_numbers(better)),
            signature(Type.NUMBER | Type.BITS, Type.BITS, _of_bits(better)),
        )
    )


_SPELLED = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def number(play: Play, text: Text) -> float:
    """The number that a text spells, white space around it apart. Errors do not repeat the text: it may be hidden."""
    play.spend(100 + len(text.text))
    spelled = text.text.strip()
    if not _SPELLED.fullmatch(spelled):
        raise no_value("found a text that spells no number such as 7, -2.5 or +.5", from_move=text.from_move)
    found = float(spelled)
    if abs(found) > NUMBER:
        raise no_value(f"found a text that spells a number beyond {NUMBER:,}", from_move=text.from_move)
    return found


def greatest(play: Play, measured: Measured) -> Measured:
    """The costliest token, the first of equals; all others are worth nothing."""
    if measured is None:
        return None
    play.spend(measured.work())
    return bits.greatest(measured)


def clip(play: Play, measured: Measured, most: float) -> Measured:
    """No token above so many bits."""
    if measured is None:
        return None
    play.spend(measured.work())
    return bits.clipped(measured, most)
