"""The names a program may use that are not functions: registers, players, flags."""

from collections.abc import Iterable

LETTERS = "abclstxyp"
#: The 36 registers: each letter bare or followed by 1, 2 or 3.
REGISTERS = tuple(letter + digit for letter in LETTERS for digit in ("", "1", "2", "3"))
#: Alice, Bob and Carol see public registers and what was revealed to them; the others see everything.
SEATS = ("black", "white", "alice", "bob", "carol", "env")
OMNISCIENT = frozenset({"black", "white", "env"})
OPPONENT = {"black": "white", "white": "black"}
#: Who plays where a program names nobody.
DEFAULT_SEAT = "black"
FLAGS = ("flag_1", "flag_2")

_REGISTERS = frozenset(REGISTERS)


def is_register(name: str) -> bool:
    return name in _REGISTERS


def is_list(register: str) -> bool:
    return register[0] == "l"


def is_static(register: str) -> bool:
    """Static registers are never written, by assign or by elicit."""
    return register[0] in "abc"


def is_public(register: str) -> bool:
    return register[0] in "abp"


def visible(seat: str, registers: Iterable[str], revealed: Iterable[str]) -> list[str]:
    """Those of ``registers`` that the seat may see, given what was revealed to it."""
    if seat in OMNISCIENT:
        return list(registers)
    shown = set(revealed)
    return [name for name in registers if is_public(name) or name in shown]
