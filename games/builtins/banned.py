"""The hardened word rule of competitions: one spelling for every trick, and what is checked is what is measured.

A text is normalised first; then each word that shares its stem with a banned one, or is the beginning (at least four
letters) of one, is taken out. The docs list the tricks and what happens to each.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from games.builtins.confusables import LETTERS, MARKS, SYMBOLS
from games.builtins.stemmer import LONGEST, stem

#: Part of the digest of every program that uses the rule. To be raised with every change of what it does.
VERSION = 1

#: No shorter beginning of a banned word is banned: "com" is no hint of "company".
_SHORTEST_BEGINNING = 4
#: No shorter part of a compound is a banned word of its own: "dog's" does not ban "s".
_SHORTEST_PART = 3
#: The most parts of a compound that are read as one word: "d-r-a-g-o-n".
_LONGEST_RUN = 16

_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"[^\W_]+(?:[-']+[^\W_]+)*")
_JOINTS = re.compile(r"([-']+)")
_SPACES = re.compile(r"\s{2,}")
_LATIN = re.compile("[A-Za-z]")
#: Letters and signs that show nothing: Hangul fillers and the empty Braille cell.
_BLANKS = frozenset("ᅟᅠㅤﾠ⠀")
#: Marks that make another syllable of a kana, not an accent: が is not か.
_VOICING = frozenset("\u3099\u309a")


@dataclass(frozen=True, slots=True)
class Banned:
    """stems: of the banned words. beginnings: every beginning, long enough, of one."""

    stems: frozenset[str]
    beginnings: frozenset[str]

    def has(self, word: str) -> bool:
        """Is the word, in lower case, banned as it is or as what it looks like?"""
        return any(each in self.beginnings or stem(each) in self.stems for each in _readings(word))


def decomposed(text: str) -> str:
    """NFKD without zero-width characters and combining marks: half of the normalisation, ``folded`` is the other.

    In two steps, since decomposing can make eighteen characters of one: the caller may look between them. Marks go
    first: to sort a long row of them takes the square of its length in time.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", "".join(filter(_stays, text.translate(MARKS))))


def folded(text: str) -> str:
    """A decomposed text with its look-alikes folded and its characters composed again.

    A letter is folded where its word has a plain Latin letter too: so "drаgon" with a Cyrillic а is folded, and Russian
    stays Russian. Normalising twice changes nothing.
    """
    if not text.isascii():
        text = "".join(filter(_stays, text)).translate(MARKS).translate(SYMBOLS)
        text = unicodedata.normalize("NFKC", _WORD.sub(_folded, text))
    return text.replace("`", "'")


def _stays(character: str) -> bool:
    if character.isascii() or character in _VOICING:
        return True
    return unicodedata.category(character) not in ("Mn", "Me", "Cf") and character not in _BLANKS


def _folded(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(LETTERS) if _LATIN.search(word) else word


def _readings(word: str) -> tuple[str, ...]:
    """The word, and what it looks like if that is another one: a word all in Cyrillic can read as a Latin one."""
    if word.isascii():
        return (word,)
    return word, word.translate(LETTERS)


@lru_cache(maxsize=32)
def banned(text: str) -> Banned:
    """What the words of a text, already normalised, ban."""
    words: set[str] = set()
    for compound in _COMPOUND.findall(text.lower()):
        parts = _JOINTS.split(compound)[::2]
        words.add("".join(parts))
        words.update(part for part in parts if len(part) >= _SHORTEST_PART)
    words.update([reading for word in words for reading in _readings(word)])
    return Banned(
        frozenset(map(stem, words)),
        frozenset(word[:end] for word in words for end in range(_SHORTEST_BEGINNING, min(len(word), LONGEST) + 1)),
    )


def without(text: str, unwanted: Banned, looked_up: Callable[[], None] = lambda: None) -> str:
    """The text, already normalised, without its banned words. What stood around them stays; two or more white-space
    characters then become one space, and the ends are trimmed. ``looked_up`` is called for each word looked up."""
    left = _COMPOUND.sub(lambda match: _without_parts(match[0], unwanted, looked_up), text)
    return _SPACES.sub(" ", left).strip()


def _without_parts(compound: str, unwanted: Banned, looked_up: Callable[[], None]) -> str:
    """Parts joined by hyphens and apostrophes are read as one word wherever that makes a banned one."""
    pieces = _JOINTS.split(compound)
    parts, joints = [piece.lower() for piece in pieces[::2]], [*pieces[1::2], ""]
    kept: list[str] = []
    start = 0
    while start < len(parts):
        end = _end_of_banned(parts, start, unwanted, looked_up)
        if end == start:
            end = start + 1
            kept.append(pieces[2 * start])
        kept.append(joints[end - 1])
        start = end
    return "".join(kept)


def _end_of_banned(parts: list[str], start: int, unwanted: Banned, looked_up: Callable[[], None]) -> int:
    """Where the longest run of parts from ``start`` that is a banned word ends; ``start`` where none is."""
    for end in range(min(len(parts), start + _LONGEST_RUN), start, -1):
        looked_up()
        if unwanted.has("".join(parts[start:end])):
            return end
    return start
