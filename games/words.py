"""What counts as the same word.

``remove_common_words`` and its relatives keep the public benchmark's rule, known gaps included ("dra-gon", curly
quotes, plurals), so that a game earns the same there. The hardened rule is in ``games.banned``.
"""

import re
import string
from collections.abc import Iterable, Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SEPARATOR = "[" + re.escape(string.punctuation) + r"\s]"
_SEGMENTS = re.compile(f"({_SEPARATOR}+)")
_HAS_SEPARATOR = re.compile(_SEPARATOR)
_SPACES = re.compile(r"\s{2,}")


def words(text: str) -> list[str]:
    """Drop every ASCII punctuation character, lower-case, split at white space: "Don't!" is ["dont"]."""
    return text.translate(_PUNCTUATION).lower().split()


def word_set(text: str) -> list[str]:
    return sorted(set(words(text)))


def common_word_set(text: str, other: str) -> list[str]:
    return sorted(set(words(text)) & set(words(other)))


def remove_common_words(text: str, other: str) -> str:
    """The text without the words that it has in common with the other."""
    return remove_words(text, set(words(text)) & set(words(other)))


def remove_words(text: str, unwanted: Iterable[str]) -> str:
    """The text without each of the words, which are taken as they are, wherever one stands between start, end,
    white space or ASCII punctuation, letter case ignored. Those separators stay; two or more white-space characters
    then become one space, and the ends are trimmed.
    """
    listed = [word for word in unwanted if word]
    if any(map(_HAS_SEPARATOR.search, listed)):
        text = _one_after_the_other(text, listed)
    elif listed:
        text = _all_at_once(text, listed)
    return _SPACES.sub(" ", text).strip()


def _all_at_once(text: str, unwanted: Sequence[str]) -> str:
    # Words without separators can only match whole segments, so that their order does not matter.
    if text.isascii() and all(map(str.isascii, unwanted)):
        lower = {word.lower() for word in unwanted}
        segments = _SEGMENTS.split(text)
        return "".join(["" if segment.lower() in lower else segment for segment in segments])
    # Letter case beyond ASCII ("ſ" is an "s", "ς" a "σ") is the regular expressions' affair.
    choice = "|".join(map(re.escape, unwanted))
    separator = _SEPARATOR
    return re.sub(rf"(?:(?<={separator})|^)(?:{choice})(?={separator}|$)", "", text, flags=re.IGNORECASE)


def _one_after_the_other(text: str, unwanted: Sequence[str]) -> str:
    for word in unwanted:
        pattern = rf"(^|{_SEPARATOR}){re.escape(word)}(?=$|{_SEPARATOR})"
        text = re.sub(pattern, r"\1", text, flags=re.IGNORECASE)
    return text


def only_uses_words(allowed: str | Sequence[str], text: str) -> bool:
    """Is every word of the text allowed? A text is split at single spaces, so that a double space makes an empty
    word; letter case matters; the items of a list are taken as they are."""
    listed = set(allowed.split(" ") if isinstance(allowed, str) else allowed)
    return all(word in listed for word in text.split(" "))


def only_uses_chars(allowed: str, text: str) -> bool:
    """Is every code point of the text one of the allowed?"""
    return set(text) <= set(allowed)
