"""Texts: which are accepted, and the value that a program works on."""

import re
from typing import NamedTuple

from games.errors import TextError
from games.limits import MOVE_BYTES
from games.sentences import say

#: Control characters but tab and newline (C0, DEL, C1), and halves of surrogate pairs.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

#: Whose moves have flowed into a text: bits of `Text.from_move`.
HOUSE, PLAYER = 1, 2


class Text(NamedTuple):
    """A text with the prefix that it is measured after.

    from_move, prefix_from_move: whose moves have flowed into the text, into the prefix? 0: nobody's. It decides whose
    fault it is when they are too long for a judge or have no value. (A named tuple, because a play makes many: it is
    built in half the time.)
    """

    text: str
    prefix: str = ""
    from_move: int = 0
    prefix_from_move: int = 0


#: A list of the language. Never changed in place, so that every copy is one's own.
Texts = tuple[Text, ...]

EMPTY = Text("")


def from_moves(*values: Text | Texts) -> int:
    """Whose moves have flowed into one of them?"""
    found = 0
    for value in values:
        for text in (value,) if isinstance(value, Text) else value:
            found |= text.from_move
    return found


def unwanted_character(text: str) -> tuple[int, str] | None:
    """Where the first character stands that no text may hold, and what to call it; None where there is none."""
    found = _UNWANTED.search(text)
    if found is None:
        return None
    code = f"U+{ord(found[0]):04X}"
    if found[0] >= "\ud800":
        return found.start(), say("{code}, half of a surrogate pair", code=code)
    return found.start(), say("{code}, a control character", code=code)


def accept(text: str, what: str = "the move", limit: int = MOVE_BYTES) -> str:
    """The text as it is stored: without a byte order mark before it, which editors put there and nobody sees, and with
    CRLF as newline.

    Raises TextError for more than ``limit`` bytes of UTF-8, for control characters other than newline and tab, and
    for lone surrogates.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    unwanted = unwanted_character(text)
    if unwanted:
        found = {"character": unwanted[1], "place": unwanted[0] + 1}
        raise TextError(say("{what} holds {character} at character {place}", what=what, **found))
    size = len(text.encode())
    if size > limit:
        raise TextError(
            say("{what} is {size} bytes long, {limit} are the most", what=what, size=f"{size:,}", limit=f"{limit:,}")
        )
    return text
