"""Why a condition of ``ensure`` does not hold, as far as it can be told in a sentence and the player may know it."""

import ast
from collections.abc import Callable, Iterable
from typing import Any

from games.compiler.expression import Expression
from games.protocol import Why
from games.runtime.state import Play
from games.syntax.names import OMNISCIENT
from games.values.text import Text, Texts
from games.values.types import Type

#: Given both sides of a comparison, where there are any and the player may be told.
Explain = Callable[[Play, Any, Any], Why | None]

_UNITS = {"xent": "cost", "xed": "saving", "num_words": "words", "num_tokens": "tokens"}
_SIGNS: dict[type[ast.cmpop], tuple[str, str]] = {  # and what they are with the sides changed
    ast.Eq: ("==", "=="),
    ast.NotEq: ("!=", "!="),
    ast.Lt: ("<", ">"),
    ast.LtE: ("<=", ">="),
    ast.Gt: (">", "<"),
    ast.GtE: (">=", "<="),
}
_OUTSIDE: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "only_uses_words": ("words", lambda text: text.split(" ")),
    "only_uses_chars": ("characters", list),
}
_TOLD, _TOLD_CHARACTERS = 5, 40


def explained(condition: Expression) -> Explain:
    node, parts = condition.node, condition.parts
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and len(parts) == 2:
        return _compared(node.ops[0], *parts)
    name = _called(node)
    if name in _OUTSIDE and len(parts) == 2:
        return _outside(name, *parts)
    return _unsaid


def _unsaid(play: Play, left: Any, right: Any) -> None:
    return None


def _called(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _compared(op: ast.cmpop, left: Expression, right: Expression) -> Explain:
    if isinstance(op, ast.In | ast.NotIn):
        sign = "in" if isinstance(op, ast.In) else "not in"
        told = Why("text", sign, wanted=left.literal) if isinstance(left.literal, str) else None
        return lambda play, one, other: told
    if left.type not in Type.NUMBER | Type.BITS:
        return _unsaid
    mirrored = left.literal is not None and right.literal is None
    subject, sign = (right if mirrored else left), _SIGNS[type(op)][mirrored]
    unit = _unit(subject)

    def told_of(play: Play, one: Any, other: Any) -> Why | None:
        if one is None or other is None:
            return None
        found, wanted = (other, one) if mirrored else (one, other)
        return Why(unit, sign, found=found, wanted=wanted)

    return told_of


def _unit(subject: Expression) -> str:
    name = _called(subject.node)
    if name == "len":
        return "characters" if subject.parts and subject.parts[0].type is Type.TEXT else "items"
    return _UNITS.get(name) or ("bits" if subject.type is Type.BITS else "number")


def _outside(name: str, allowed: Expression, text: Expression) -> Explain:
    """What a text has that it may not have. Only of values that are there: a second ``sample`` would draw again."""
    if text.register is None or (allowed.register is None and allowed.literal is None):
        return _unsaid
    unit, split = _OUTSIDE[name]

    def told_of(play: Play, one: Any, other: Any) -> Why | None:
        value = text.run(play)
        if not _may_know(play, value):
            return None
        listed = allowed.run(play)
        play.spend(_cost(value) + _cost(listed))
        known = set(split(listed.text)) if isinstance(listed, Text) else {item.text for item in listed}
        found = dict.fromkeys(each for each in split(value.text) if each not in known)
        return Why(unit, "outside", outside=tuple(_short(found)))

    return told_of


def _cost(value: Text | Texts) -> int:
    return sum([20 + 20 * len(each.text) for each in ((value,) if isinstance(value, Text) else value)])


def _short(found: Iterable[str]) -> list[str]:
    return [each[:_TOLD_CHARACTERS] for each in found][:_TOLD]


def _may_know(play: Play, value: Text) -> bool:
    """Does the player who is asked again see everything, or have said this?"""
    return play.return_seat in OMNISCIENT or (play.return_seat, value.text) in play.said
