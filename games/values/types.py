"""What an expression can be, as known before play. A type is a set: a parameter may take a text or a list."""

from enum import Flag, auto


class Type(Flag):
    """``Type(0)``, of an expression that is already in error, fits everywhere: one mistake, one message."""

    TEXT = auto()
    LIST = auto()
    INTEGER = auto()
    FLOAT = auto()
    BITS = auto()
    CONDITION = auto()
    SEAT = auto()
    FLAG = auto()
    NUMBER = INTEGER | FLOAT
    VALUE = TEXT | LIST | NUMBER | BITS | CONDITION


BROKEN = Type(0)

_NAMES = {
    Type.TEXT: "a text",
    Type.LIST: "a list",
    Type.INTEGER: "a whole number",
    Type.FLOAT: "a number",
    Type.BITS: "bits",
    Type.CONDITION: "a condition",
    Type.SEAT: "a player",
    Type.FLAG: "a flag",
}


def name(type: Type) -> str:
    """In words, for messages: "a text or a list"."""
    parts = [_NAMES[part] for part in type if not (part is Type.INTEGER and Type.FLOAT in type)]
    return " or ".join(parts)
