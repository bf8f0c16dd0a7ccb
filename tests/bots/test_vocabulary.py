"""The words that packaged strategies draw from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.vocabulary import Vocabulary, fields, nearest, stem, words

SEA = "The tide came in over the flats before the boats were home; the captain watched the waves from the harbour."
MUSIC = "She sat at the piano and sang an old song while the violins of the orchestra tuned."


@pytest.mark.parametrize(("passage", "field"), [(SEA, "sea"), (MUSIC, "music")])
def test_the_field_is_the_passages(passage: str, field: str) -> None:
    assert nearest({stem(word) for word in words(passage)})[0] == field
    near = Vocabulary.of([passage], "1").near
    assert sum(word in fields()[field] for word in near) > len(near) / 3


@given(st.text(max_size=200), st.integers())
def test_whatever_the_passage_there_are_words_and_none_of_its_own(passage: str, seed: int) -> None:
    vocabulary = Vocabulary.of([passage], str(seed))
    assert {stem(word) for word in vocabulary.everything}.isdisjoint(stem(word) for word in words(passage))
    assert set(vocabulary.near) <= set(vocabulary.everything)
    some = vocabulary.some(vocabulary.near)
    assert 3 <= len(set(some)) == len(some) <= 6
    assert set(vocabulary.others(some, 5)).isdisjoint(some)


def test_a_passage_that_uses_every_word_still_gets_some() -> None:
    everything = " ".join(word for field in fields().values() for word in field)
    assert Vocabulary.of([everything], "1").near


def test_every_field_has_its_words_once() -> None:
    assert len(fields()) >= 12
    for field in fields().values():
        assert len(set(field)) == len(field) >= 35
