"""Texts from outside: what is let in, and ids that are given out."""

import secrets
import unicodedata

from server.errors import invalid

MAX_BYTES = 8_192


def clean(text: str, pointer: str, *, what: str = "The text", empty: bool = False, most: int = MAX_BYTES) -> str:
    """`text` with its line ends made newlines.

    Raises `Refused` for an empty text, one of more than `most` bytes of UTF-8, lone surrogates, and control
    characters but newline and tab.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise invalid(pointer, f"{what} has half a character (a lone surrogate) at position {error.start}.") from None
    if size > most:
        raise invalid(pointer, f"{what} is {size:,} bytes long as UTF-8; at most {most:,} are taken.")
    for position, character in enumerate(text):
        if unicodedata.category(character) == "Cc" and character not in "\n\t":
            raise invalid(pointer, f"{what} has the control character U+{ord(character):04X} at position {position}.")
    if not empty and not text.strip():
        raise invalid(pointer, f"{what} is empty.")
    return text


def clean_name(name: str, pointer: str = "/name") -> str:
    """A name for people and competitions: one line of at most 64 characters, white space tidied, NFC."""
    name = " ".join(unicodedata.normalize("NFC", clean(name, pointer, what="The name")).split())
    if len(name) > 64:
        raise invalid(pointer, f"The name is {len(name)} characters long; at most 64 are taken.")
    if any(unicodedata.category(character) in {"Cf", "Co", "Cn"} and character != "\u200d" for character in name):
        raise invalid(pointer, "The name has invisible characters.")
    return name


def new_id(kind: str) -> str:
    """A public id that tells nothing but its kind."""
    return f"{kind}_{secrets.token_hex(8)}"
