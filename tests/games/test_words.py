"""What counts as the same word: the stemmer, the parity rule, and the hardened rule with its table of tricks."""

import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from games.builtins import words
from games.builtins.confusables import LETTERS
from games.builtins.stemmer import stem
from tests.games.playing import normalised, without_banned_words
from tests.games.programs import texts

_PORTER2 = json.loads((Path(__file__).parent / "data" / "porter2.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("word", _PORTER2)
def test_a_word_of_the_published_sample_has_its_published_stem(word: str) -> None:
    assert stem(word) == _PORTER2[word]


@given(st.text(st.sampled_from(string.ascii_lowercase + "'"), max_size=20))
def test_a_stem_is_no_longer_than_its_word_and_one_letter(word: str) -> None:
    assert len(stem(word)) <= len(word) + 1


def _peer_remove_words(text: str, unwanted: list[str]) -> str:
    """The public benchmark's own rule, word by word, to compare with."""
    separator = re.escape(string.punctuation) + r"\s"
    for word in unwanted:
        pattern = rf"(^|[{separator}]){re.escape(word)}(?=$|[{separator}])"
        text = re.sub(pattern, r"\1", text, flags=re.IGNORECASE)
    return re.sub(r"\s{2,}", " ", text).strip()


_tokens = st.sampled_from([*"aBéÉſSςΣİiı_, \n-", "ab", "don't", "  "])
_lines = st.lists(_tokens, max_size=14).map("".join)


@given(_lines, _lines)
@example("a a a", "a")
@example("İ i ı", "i")
def test_common_words_are_removed_as_the_public_benchmark_does(text: str, other: str) -> None:
    common = words.common_word_set(text, other)
    assert words.remove_common_words(text, other) == _peer_remove_words(text, common)


@given(_lines, st.lists(_lines, max_size=3))
def test_listed_words_are_removed_as_the_public_benchmark_does(text: str, listed: list[str]) -> None:
    assert words.remove_words(text, listed) == _peer_remove_words(text, listed)


def test_letter_case_is_ignored_for_every_letter_that_regular_expressions_ignore_it_for() -> None:
    letters = [chr(code) for code in range(0x3000) if chr(code).lower() != chr(code).upper()]
    everything = " ".join(letters)
    for letter in letters[::4]:
        same = set(re.findall(re.escape(letter), everything, re.IGNORECASE))
        assert set(letters) - set(words.remove_words(everything, [letter])) == same


def test_word_counts_and_sets_drop_punctuation() -> None:
    assert words.words("Don't stop, - the-sea!") == ["dont", "stop", "thesea"]
    assert words.word_set("b a, A") == ["a", "b"]


#: The table of docs/writing-games.md: what a player writes to say "dragon" where it is banned, and what is left.
TRICKS = {
    "dragon": "",
    "DRAGON": "",
    "dra-gon": "",
    "d-r-a-g-o-n": "",
    "dra\u200bgon": "",
    "dra\u00adgon": "",
    "\u202edragon\u202c": "",
    "dragon’s": "",
    "dragons": "",
    "dragon'": "'",
    "drágon": "",
    "dra\u0336gon": "",
    "drаgоn": "",
    "dгаgоп": "",
    "ｄｒａｇｏｎ": "",
    "𝐝𝐫𝐚𝐠𝐨𝐧": "",
    "ⓓⓡⓐⓖⓞⓝ": "",
    "🅳🆁🅰🅶🅾🅽": "",
    "drag": "",
    "dra": "dra",
    "fire-dragon": "fire-",
    "firedragon": "firedragon",
    "dragonfly": "dragonfly",
    "dr4gon": "dr4gon",
    "d r a g o n": "d r a g o n",
    "dra.gon": "dra.gon",
    "dra_gon": "dra_gon",
    "nogard": "nogard",
    "drache": "drache",
}


@pytest.mark.parametrize(("trick", "left"), TRICKS.items())
def test_each_trick_ends_as_the_table_says(trick: str, left: str) -> None:
    assert without_banned_words(trick, "The dragon slept.") == left


def test_what_is_banned_is_hardened_too() -> None:
    assert without_banned_words("dragon well", "The drа-gons were well-known.") == ""


def test_a_short_part_of_a_compound_bans_nothing_by_itself() -> None:
    assert without_banned_words("it's a re-run", "dog's re-entry") == "it's a re-run"


def test_text_in_another_script_stays_as_it_is() -> None:
    for text in ("привет мир", "γεια σας", "こんにちは がぎ", "안녕 세계", "你好"):
        assert without_banned_words(text, "The dragon slept.") == text


def test_a_word_all_in_look_alikes_is_read_as_what_it_looks_like() -> None:
    assert without_banned_words("ѕеа ѕеаѕ сор", "the sea") == "сор"
    assert without_banned_words("sea", "ѕеа") == ""


def test_every_letter_of_the_table_stands_for_one_plain_letter() -> None:
    assert all(letter in string.ascii_letters for letter in LETTERS.values())
    assert not any(chr(code).isascii() for code in LETTERS)


@given(st.one_of(texts, st.text(st.sampled_from("dragonаоѕ-'’\u0301\u200b 4Жéｄ🅰\u3099か"), max_size=20)))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once


@given(st.text(st.sampled_from("dragonwve-' ,аｄ"), max_size=30), st.sampled_from(["dragon", "a wave, a dragon"]))
def test_what_is_left_has_no_banned_word(text: str, unwanted: str) -> None:
    left = without_banned_words(text, unwanted)
    assert without_banned_words(left, unwanted) == left


@given(texts, st.integers(0, 12))
def test_cuts_at_words_hold_as_many_words_as_was_asked_for_and_cut_none(text: str, n: int) -> None:
    first, last = words.first_n_words(text, n), words.last_n_words(text, n)
    count = len(words.words(text))
    assert text.startswith(first)
    assert text.endswith(last)
    assert words.words(first) == words.words(text)[: min(n, count)]
    assert words.words(last) == words.words(text)[max(0, count - n) :]


@given(texts, texts)
def test_glue_adds_a_space_where_there_is_none_and_nowhere_else(text: str, other: str) -> None:
    apart = not text or not other or text[-1].isspace() or other[0].isspace()
    assert words.glue(text, other) == (text + other if apart else f"{text} {other}")
