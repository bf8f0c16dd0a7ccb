"""What an expression can be, as known before play. A kind is a set: a parameter may take a text or a list."""

from enum import Flag, auto


class Kind(Flag):
    """``Kind(0)``, of an expression that is already in error, fits everywhere: one mistake, one message."""

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


BROKEN = Kind(0)

_NAMES = {
    Kind.TEXT: "a text",
    Kind.LIST: "a list",
    Kind.INTEGER: "a whole number",
    Kind.FLOAT: "a number",
    Kind.BITS: "bits",
    Kind.CONDITION: "a condition",
    Kind.SEAT: "a player",
    Kind.FLAG: "a flag",
}


def name(kind: Kind) -> str:
    """In words, for messages: "a text or a list"."""
    parts = [_NAMES[part] for part in kind if not (part is Kind.INTEGER and Kind.FLOAT in kind)]
    return " or ".join(parts)
