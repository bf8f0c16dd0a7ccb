"""Texts from outside: what is let in, and ids that are given out."""

import secrets
import unicodedata

from games.errors import TextError
from games.limits import MOVE_BYTES
from games.sentences import Sentence, say
from games.values.text import accept
from server.errors import invalid

THE_TEXT = say("The text")


def clean(text: str, pointer: str, *, what: Sentence = THE_TEXT, empty: bool = False, most: int = MOVE_BYTES) -> str:
    """`text` as it is stored (see `games.values.text.accept`).

    Raises `RequestError` for an empty text, one of more than `most` bytes of UTF-8, lone surrogates, and control
    characters but newline and tab.
    """
    try:
        text = accept(text, what, most)
    except TextError as error:
        raise invalid(pointer, say("{problem}.", problem=error.args[0])) from None
    if not empty and not text.strip():
        raise invalid(pointer, say("{what} is empty.", what=what))
    return text


def clean_name(name: str, pointer: str = "/name") -> str:
    """A name for people and competitions: one line of at most 64 characters, white space tidied, NFC."""
    name = " ".join(unicodedata.normalize("NFC", clean(name, pointer, what=say("The name"))).split())
    if len(name) > 64:
        raise invalid(pointer, say("The name is {count} characters long; at most 64 are taken.", count=len(name)))
    if any(unicodedata.category(character) in {"Cf", "Co", "Cn"} and character != "\u200d" for character in name):
        raise invalid(pointer, "The name has invisible characters.")
    return name


def clean_line(text: str, pointer: str, most: int) -> str:
    """A text of one line, of at most `most` characters; white space tidied, NFC."""
    line = " ".join(unicodedata.normalize("NFC", clean(text, pointer)).split())
    if len(line) > most:
        told = say("The text is {count} characters long; at most {most} are taken.", count=len(line), most=most)
        raise invalid(pointer, told)
    return line


def new_id(kind: str) -> str:
    """A public id that tells nothing but its kind."""
    return f"{kind}_{secrets.token_hex(8)}"
