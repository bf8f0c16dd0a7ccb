"""What counts as the same word.

``remove_common_words`` and its relatives keep the public benchmark's rule, known gaps included ("dra-gon", curly
quotes, plurals), so that a game earns the same there. The hardened rule is in ``games.builtins.banned``.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence

_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_PUNCTUATION = re.compile("[" + re.escape(string.punctuation) + "]+")
_SEPARATOR = "[" + re.escape(string.punctuation) + r"\s]"
_SEGMENTS = re.compile(f"({_SEPARATOR}+)")
_HAS_SEPARATOR = re.compile(_SEPARATOR)
_RUNS = re.compile(r"\S+")
_SPACES = re.compile(r"\s{2,}")

#: Letters that lower case alone does not make the same as those that Python's regular expressions take for the same.
_OTHER = "İıſµ\u0345\u1fbe\u1fd3ϐϵϑϰϖϱςΣϕ\u1fe3\u1c80\u1c81\u1c82\u1c83\u1c84\u1c85\u1c86\u1c87\u1c88ẛﬆ"
_SAME = "iisμιι\u0390βεθκπρσσφ\u03b0вдостт\u044aѣꙋṡﬅ"
_HAS_OTHER = re.compile(f"[{_OTHER}]")


def folded(text: str) -> str:
    """The text with all letters alike that differ by case alone, as Python's regular expressions see it: not only "S"
    and "s", but "ſ" too, and "Σ", "σ", "ς". It is as long as it was."""
    if _HAS_OTHER.search(text):
        for other, letter in zip(_OTHER, _SAME, strict=True):
            text = text.replace(other, letter)
    return text.lower()


def has_separator(word: str) -> bool:
    """Is it more than one word, or none?"""
    return _HAS_SEPARATOR.search(word) is not None


def _unpunctuated(text: str) -> str:
    # The table is quick on ASCII and slow on all else, since it raises an error for every other character.
    return text.translate(_ASCII_PUNCTUATION) if text.isascii() else _PUNCTUATION.sub("", text)


def words(text: str) -> list[str]:
    """Drop every ASCII punctuation character, lower-case, split at white space: "Don't!" is ["dont"]."""
    return _unpunctuated(text).lower().split()


def _runs(text: str) -> list[re.Match[str]]:
    """Where the words stand, with the punctuation at them: as many as ``words`` finds."""
    return [run for run in _RUNS.finditer(text) if _unpunctuated(run[0])]


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


def remove_words(text: str, unwanted: Iterable[str], found: Callable[[], None] = lambda: None) -> str:
    """The text without each of the words, which are taken as they are, wherever one stands between start, end,
    white space or ASCII punctuation, letter case ignored. Those separators stay; two or more white-space characters
    then become one space, and the ends are trimmed. ``found`` is called wherever one of several that are looked for
    one by one is found.
    """
    listed = [folded(word) for word in unwanted if word]
    if any(map(has_separator, listed)):
        text = _one_after_the_other(text, listed, found)
    elif listed:
        text = _all_at_once(text, frozenset(listed))
    return _SPACES.sub(" ", text).strip()


def _all_at_once(text: str, unwanted: frozenset[str]) -> str:
    # Words without separators can only match whole segments, so that their order does not matter.
    segments = zip(_SEGMENTS.split(text), _SEGMENTS.split(folded(text)), strict=True)
    return "".join(["" if lower in unwanted else segment for segment, lower in segments])


def _one_after_the_other(text: str, unwanted: Iterable[str], found: Callable[[], None]) -> str:
    lower = folded(text)
    for word in unwanted:
        places = list(_places(lower, word, found))
        if places:
            text, lower = _without(text, places, len(word)), _without(lower, places, len(word))
    return text


def _places(text: str, word: str, found: Callable[[], None]) -> Iterator[int]:
    """Where the word stands between start, end or separators; none begins with the separator that the one before it
    ends with, nor overlaps it."""
    after, place = -1, text.find(word)
    while place >= 0:
        found()
        end = place + len(word)
        begins = place == 0 or (place > after and has_separator(text[place - 1]))
        if begins and (end == len(text) or has_separator(text[end])):
            yield place
            after = end
        place = text.find(word, end if after == end else place + 1)


def _without(text: str, places: Sequence[int], length: int) -> str:
    starts = [0, *(place + length for place in places)]
    return "".join([text[start:end] for start, end in zip(starts, [*places, len(text)], strict=True)])


def only_uses_words(allowed: str | Sequence[str], text: str) -> bool:
    """Is every word of the text allowed? A text is split at single spaces, so that a double space makes an empty
    word; letter case matters; the items of a list are taken as they are."""
    listed = set(allowed.split(" ") if isinstance(allowed, str) else allowed)
    return all(word in listed for word in text.split(" "))


def only_uses_chars(allowed: str, text: str) -> bool:
    """Is every code point of the text one of the allowed?"""
    return set(text) <= set(allowed)
