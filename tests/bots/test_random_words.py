"""The strategy `random`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.random_words import RandomWords, fields, nearest, stem, words

SEA = "The tide came in over the flats before the boats were home; the captain watched the waves from the harbour."
MUSIC = "She sat at the piano and sang an old song while the violins of the orchestra tuned."


def moves(passage: str, seed: str, count: int = 50) -> list[str]:
    strategy = RandomWords([passage], seed)
    drawn = []
    for _ in range(count):
        drawn.append(strategy.propose())
        strategy.learn(drawn[-1], None)
    return drawn


@pytest.mark.parametrize(("passage", "field"), [(SEA, "sea"), (MUSIC, "music")])
def test_the_field_is_the_passages(passage: str, field: str) -> None:
    assert nearest({stem(word) for word in words(passage)})[0] == field


def test_most_words_are_of_the_field_and_none_of_the_passage() -> None:
    drawn = [word for move in moves(SEA, "1") for word in move.split()]
    assert sum(word in fields()["sea"] for word in drawn) > len(drawn) / 2
    assert not {"boat", "tide", "captain", "wave", "harbour"} & set(drawn)


def test_the_same_seed_draws_the_same_words() -> None:
    assert moves(SEA, "1") == moves(SEA, "1")
    assert moves(SEA, "1") != moves(SEA, "2")


def test_the_best_move_so_far_is_changed_rather_than_forgotten() -> None:
    strategy = RandomWords([SEA], "1")
    strategy.learn("anchor mast sail deck", 10.0)
    strategy.learn("violin", 2.0)
    kept = [len({"anchor", "mast", "sail", "deck"} & set(strategy.propose().split())) for _ in range(50)]
    assert sum(count >= 3 for count in kept) > 20


def test_no_move_is_played_twice_and_no_word_twice_in_a_move() -> None:
    strategy = RandomWords([SEA], "1")
    drawn = []
    for _ in range(100):
        drawn.append(strategy.propose())
        strategy.learn(drawn[-1], float(len(drawn[-1]) % 7))
    assert len(set(drawn)) == len(drawn)
    assert all(len(set(move.split())) == len(move.split()) for move in drawn)


@given(st.text(max_size=200), st.integers())
def test_whatever_the_passage_there_is_a_move(passage: str, seed: int) -> None:
    strategy = RandomWords([passage], str(seed))
    for _ in range(5):
        move = strategy.propose()
        assert 1 <= len(move.split()) <= 6
        strategy.learn(move, 1.0)


def test_a_passage_that_uses_every_word_still_gets_a_move() -> None:
    everything = " ".join(word for field in fields().values() for word in field)
    assert RandomWords([everything], "1").propose()


def test_every_field_has_its_words_once() -> None:
    assert len(fields()) >= 12
    for field in fields().values():
        assert len(set(field)) == len(field) >= 35
