"""What counts as the same word.

``remove_common_words`` and its relatives keep the public benchmark's rule, known gaps included ("dra-gon", curly
quotes, plurals), so that a game earns the same there. The hardened rule is in ``games.builtins.banned``.
"""

import re
import string
from collections.abc import Iterable, Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SEPARATOR = "[" + re.escape(string.punctuation) + r"\s]"
_SEGMENTS = re.compile(f"({_SEPARATOR}+)")
_HAS_SEPARATOR = re.compile(_SEPARATOR)
_RUNS = re.compile(r"\S+")
_SPACES = re.compile(r"\s{2,}")


class _SameLetter(dict[int, str]):
    """Code point → what stands for all letters that differ by case alone, as Python's regular expressions see it:
    not only "S" and "s", but "ſ" too, and "Σ", "σ", "ς"."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if letter.lower() == letter.upper():
            return letter  # Not kept: there are a million of them.
        upper = letter.lower()[0].upper()
        key = self[code] = upper.lower() if len(upper) == 1 else upper
        return key


_SAME_LETTER = _SameLetter()


def has_separator(word: str) -> bool:
    """Is it more than one word, or none?"""
    return _HAS_SEPARATOR.search(word) is not None


def words(text: str) -> list[str]:
    """Drop every ASCII punctuation character, lower-case, split at white space: "Don't!" is ["dont"]."""
    return text.translate(_PUNCTUATION).lower().split()


def _runs(text: str) -> list[re.Match[str]]:
    """Where the words stand, with the punctuation at them: as many as ``words`` finds."""
    return [run for run in _RUNS.finditer(text) if run[0].translate(_PUNCTUATION)]


def first_n_words(text: str, n: int) -> str:
    """The text up to the end of its nth word; all of it where it has no more than ``n``."""
    runs = _runs(text)
    if len(runs) <= n:
        return text
    return text[: runs[n - 1].end()] if n else ""


def last_n_words(text: str, n: int) -> str:
    """The text from the beginning of its nth word from the end on; all of it where it has no more than ``n``."""
    runs = _runs(text)
    if len(runs) <= n:
        return text
    return text[runs[-n].start() :] if n else ""


def glue(text: str, other: str) -> str:
    """Both texts, with a space between where neither is empty nor has white space there."""
    apart = not text or not other or text[-1].isspace() or other[0].isspace()
    return text + other if apart else f"{text} {other}"


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
    if any(map(has_separator, listed)):
        text = _one_after_the_other(text, listed)
    elif listed:
        text = _all_at_once(text, listed)
    return _SPACES.sub(" ", text).strip()


def _all_at_once(text: str, unwanted: Sequence[str]) -> str:
    # Words without separators can only match whole segments, so that their order does not matter.
    listed = {word.translate(_SAME_LETTER) for word in unwanted}
    segments = _SEGMENTS.split(text)
    return "".join(["" if segment.translate(_SAME_LETTER) in listed else segment for segment in segments])


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
