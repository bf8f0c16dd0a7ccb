"""What a name looks like: whoever looks like somebody else, or like the house itself, needs another name."""

import re
import unicodedata

from games.builtins.confusables import LETTERS, MARKS, SYMBOLS
from games.sentences import say
from server.arena.validation import clean_name
from server.errors import invalid

_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile("[A-Za-z]")
_BLANKS = str.maketrans("", "", "ᅟᅠㅤﾠ⠀")  # Hangul fillers and the empty Braille cell
#: What is written for a letter, an apostrophe or a hyphen.
_SIGNS = {**MARKS, ord("0"): "o", ord("1"): "l", ord("|"): "l"}


def _small_letters() -> dict[int, str]:
    """Look-alikes in small letters: в for B, since В is. Where a small letter looks like another one, that counts."""
    small = {
        ord(chr(code).casefold()): letter.casefold()
        for code, letter in LETTERS.items()
        if len(chr(code).casefold()) == 1
    }
    return small | {code: letter for code, letter in LETTERS.items() if letter.islower()}


_SMALL = _small_letters()
#: Words that stand before a name and make it no other one.
_ARTICLES = frozenset({"the", "der", "die", "das", "le", "la", "les", "l"})
#: In English, German and French, without accents and with the words of one name run together.
_RESERVED = frozenset(
    """xent xentarena arena system server host cohost admin administrator judge referee moderator teacher
    gastgeber gastgeberin spielleiter spielleiterin spielleitung administratorin richter richterin
    schiedsrichter schiedsrichterin moderatorin lehrer lehrerin lehrkraft
    hote hotesse administrateur administratrice juge arbitre moderateur moderatrice animateur animatrice
    enseignant enseignante professeur serveur systeme""".split()  # noqa: SIM905
)


def chosen(name: str, pointer: str = "/name") -> str:
    """A name for a player, tidied. Raises `RequestError` for one that nobody may have."""
    name = clean_name(name, pointer)
    if not skeleton(name):
        raise invalid(pointer, "The name has nothing in it that could be seen.")
    if is_reserved(name):
        told = say("The name {name} could be taken for somebody who runs this; choose another name.", name=repr(name))
        raise invalid(pointer, told)
    return name


def skeleton(name: str) -> str:
    """The same for names that are taken for each other: whatever their case, in whichever letters.

    Accents count: Zoë is not Zoe. So does what everybody sees, as in rn for m, or a full stop.
    """
    text = unicodedata.normalize("NFKC", name.translate(_BLANKS)).translate(SYMBOLS)
    text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    text = _WORD.sub(_latin, text)
    text = unicodedata.normalize("NFKC", text.casefold().translate(_SMALL | _SIGNS))
    return " ".join(text.split())


def is_reserved(name: str) -> bool:
    """Could it be taken for whoever runs the competition, for the judge or for the software? "Anna Richter" could not,
    "The H0st!" and "Admin 2" could."""
    return any(_bare(each) in _RESERVED for each in (name, name.rstrip("0123456789 "), name.replace("1", "i")))


def _bare(name: str) -> str:
    """The letters of a name without their accents, and without an article."""
    plain = "".join(each for each in unicodedata.normalize("NFD", skeleton(name)) if not unicodedata.combining(each))
    words = _WORD.findall(plain)
    return "".join(words[1:] if words and words[0] in _ARTICLES else words)


def _latin(word: re.Match[str]) -> str:
    """A word with letters of other scripts among Latin ones is read as Latin, and a capital I after a small letter or
    before one as an l: AIan."""
    text = word[0].translate(LETTERS) if _LATIN.search(word[0]) else word[0]
    return text if text.isupper() else text[:1] + text[1:].replace("I", "l")
