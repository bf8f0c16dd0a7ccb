"""Porter2, the English stemmer: "sailors", "sailor" and "sailor's" share the stem "sailor".

From its published definition (https://snowballstem.org/algorithms/english/stemmer.html, version 3). Suffixes go in
five steps. R1 is what stands after the first non-vowel that follows a vowel, R2 the same again within R1; most
suffixes go only where they stand inside one of the two.
"""

from collections.abc import Iterable
from functools import lru_cache

#: Letters of the longest word that is stemmed.
LONGEST = 64

_VOWELS = frozenset("aeiouy")
_DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_REGION_PREFIXES = ("arsen", "commun", "emerg", "gener", "inter", "later", "organ", "past", "univers")
_WHOLE = {
    "skis": "ski",
    "skies": "sky",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    **{word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")},
}
_KEEP_ING = frozenset({"even", "cann", "inn", "earr", "herr", "out"})
_KEEP_EED = frozenset({"succ", "proc", "exc"})

_STEP_2 = {
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "entli": "ent",
    "izer": "ize",
    "ization": "ize",
    "ational": "ate",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "aliti": "al",
    "alli": "al",
    "fulness": "ful",
    "fulli": "ful",
    "ousli": "ous",
    "ousness": "ous",
    "iveness": "ive",
    "iviti": "ive",
    "biliti": "ble",
    "bli": "ble",
    "ogist": "og",
    "ogi": "og",
    "lessli": "less",
    "li": "",
}
_STEP_3 = {
    "tional": "tion",
    "ational": "ate",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
    "ative": "",
}
_STEP_4 = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti", "ous"),
    *("ive", "ize", "ion"),
)


def _longest_first(suffixes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(suffixes, key=len, reverse=True))


_SUFFIXES_2 = _longest_first(_STEP_2)
_SUFFIXES_3 = _longest_first(_STEP_3)
_SUFFIXES_4 = _longest_first(_STEP_4)


def stem(word: str) -> str:
    """The stem of a word in lower case, apostrophes as ``'``. What is longer than any word is its own stem."""
    return _stem(word) if len(word) <= LONGEST else word


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    if word in _WHOLE:
        return _WHOLE[word]
    if len(word) <= 2:
        return word
    word = _marked(word.removeprefix("'"))
    r1, r2 = _regions(word)
    word = _step_1a(word)
    word = _step_1b(word, r1)
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in _VOWELS:
        word = word[:-1] + "i"
    word = _step_2(word, r1)
    word = _step_3(word, r1, r2)
    word = _step_4(word, r2)
    return _step_5(word, r1, r2).lower()


def _marked(word: str) -> str:
    """Y for each y that is a consonant: at the start, and after a vowel."""
    letters = list(word)
    for i, letter in enumerate(letters):
        if letter == "y" and (i == 0 or letters[i - 1] in _VOWELS):
            letters[i] = "Y"
    return "".join(letters)


def _regions(word: str) -> tuple[int, int]:
    """Where R1 and R2 begin."""
    prefix = next((each for each in _REGION_PREFIXES if word.startswith(each)), None)
    r1 = len(prefix) if prefix else _after_vowel_and_consonant(word, 0)
    return r1, _after_vowel_and_consonant(word, r1)


def _after_vowel_and_consonant(word: str, start: int) -> int:
    for i in range(start + 1, len(word)):
        if word[i] not in _VOWELS and word[i - 1] in _VOWELS:
            return i + 1
    return len(word)


def _has_vowel(part: str) -> bool:
    return not _VOWELS.isdisjoint(part)


def _ends_short(word: str) -> bool:
    """Does it end in a short syllable?"""
    if word.endswith("past"):
        return True
    if len(word) == 2:
        return word[0] in _VOWELS and word[1] not in _VOWELS
    if len(word) < 3 or word[-3] in _VOWELS or word[-2] not in _VOWELS:
        return False
    return word[-1] not in _VOWELS and word[-1] not in "wxY"


def _step_1a(word: str) -> str:
    for ending in ("'s'", "'s", "'"):
        if word.endswith(ending):
            word = word[: -len(ending)]
            break
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _has_vowel(word[:-2]):
        return word[:-1]
    return word


def _step_1b(word: str, r1: int) -> str:
    for ending in ("eedly", "eed"):
        if word.endswith(ending):
            rest = word[: -len(ending)]
            return rest + "ee" if len(rest) >= r1 and rest not in _KEEP_EED else word
    ending = next((each for each in ("ingly", "edly", "ing", "ed") if word.endswith(each)), "")
    rest = word[: len(word) - len(ending)]
    if ending == "ing":
        if len(rest) == 2 and rest[1] == "y" and rest[0] not in _VOWELS:
            return rest[0] + "ie"
        if rest in _KEEP_ING:
            return word
    return _restored(rest, r1) if ending and _has_vowel(rest) else word


def _restored(rest: str, r1: int) -> str:
    """What -ed or -ing left, with the "e" or without the doubled letter that came with the ending."""
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest.endswith(_DOUBLES):
        return rest if len(rest) == 3 and rest[0] in "aeo" else rest[:-1]
    return rest + "e" if len(rest) == r1 and _ends_short(rest) else rest


def _step_2(word: str, r1: int) -> str:
    ending = next((each for each in _SUFFIXES_2 if word.endswith(each)), None)
    if ending is None or len(word) - len(ending) < r1:
        return word
    rest = word[: -len(ending)]
    if (ending == "ogi" and not rest.endswith("l")) or (ending == "li" and rest[-1:] not in list("cdeghkmnrt")):
        return word
    return rest + _STEP_2[ending]


def _step_3(word: str, r1: int, r2: int) -> str:
    ending = next((each for each in _SUFFIXES_3 if word.endswith(each)), None)
    if ending is None or len(word) - len(ending) < (r2 if ending == "ative" else r1):
        return word
    return word[: -len(ending)] + _STEP_3[ending]


def _step_4(word: str, r2: int) -> str:
    ending = next((each for each in _SUFFIXES_4 if word.endswith(each)), None)
    if ending is None or len(word) - len(ending) < r2:
        return word
    rest = word[: -len(ending)]
    return word if ending == "ion" and not rest.endswith(("s", "t")) else rest


def _step_5(word: str, r1: int, r2: int) -> str:
    rest = word[:-1]
    if word.endswith("e"):
        return rest if len(rest) >= r2 or (len(rest) >= r1 and not _ends_short(rest)) else word
    return rest if word.endswith("ll") and len(rest) >= r2 else word
