"""Parts that could not be foreseen: borders by hand, spans against trying every one."""

from __future__ import annotations

import itertools
import json
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from judge.reading import Reading, ReadToken
from judge.unforeseen import Rule, borders, fitted, maximal, parts, spans


def reading(text: str, bits: list[float], entropies: list[float] | None = None) -> Reading:
    """Of a text of one letter a token."""
    return Reading(tuple(ReadToken(c, b, 1, h, ()) for c, b, h in zip(text, bits, entropies or bits, strict=True)))


def test_borders_stand_where_entropy_spikes() -> None:
    entropies = [5.0, 1.0, 4.0, 4.5, 1.0, 6.0]
    assert borders(entropies, "above", 3.9) == [2, 3, 5]
    assert borders(entropies, "above", 4.0) == [3, 5], "more than so many bits, not as many"
    assert borders(entropies, "rise", 2.0) == [2, 5], "where it stays high there is no spike"
    assert borders(entropies, "rise", -5.0) == [1, 2, 3, 4, 5]
    rules: tuple[Rule, ...] = ("above", "rise")
    for rule in rules:
        assert borders([], rule, 0.0) == borders([9.0], rule, 0.0) == []
        assert fitted([], rule) == fitted([9.0], rule) == 0.0


def test_a_threshold_that_nobody_names_makes_pieces_of_four_tokens() -> None:
    entropies = [random.Random(i).random() for i in range(40)]
    assert len(borders(entropies, "above", fitted(entropies, "above"))) == 9
    assert len(borders(entropies, "rise", fitted(entropies, "rise"))) == 9
    assert borders([1.0, 2.0, 3.0], "above", fitted([1.0, 2.0, 3.0], "above")) == []


def test_a_backward_judges_pieces_begin_at_their_ends() -> None:
    """It reads e d c b a; unsure at d and at b, it has cut before each: e|d c|b a, in the text's order a b|c d|e."""
    found = parts(reading("abcde", [1.0] * 5, [1.0, 9.0, 1.0, 9.0, 1.0]), direction="backward", threshold=5.0)
    assert found.borders == (2, 4)
    assert parts(reading("abcde", [1.0] * 5, [1.0, 9.0, 1.0, 9.0, 1.0]), threshold=5.0).borders == (1, 3)


def by_trying_all(scores: list[int], first: int = 0) -> list[tuple[int, int]]:
    """The definition: the best of all, the shortest of equals and of those the first, then left and right of it."""
    runs = [(a, b) for a in range(len(scores)) for b in range(a + 1, len(scores) + 1)]
    best = max(runs, key=lambda run: (sum(scores[slice(*run)]), run[0] - run[1], -run[0]), default=(0, 0))
    if sum(scores[slice(*best)]) <= 0:
        return []
    a, b = best
    return [*by_trying_all(scores[:a], first), (first + a, first + b), *by_trying_all(scores[b:], first + b)]


@given(st.lists(st.integers(-1000, 1000), max_size=12))
def test_spans_are_what_trying_every_one_finds(scores: list[int]) -> None:
    found, expected = maximal(scores), by_trying_all(scores)
    assert sorted(sum(scores[slice(*run)]) for run in found) == sorted(sum(scores[slice(*run)]) for run in expected)
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(found)), "none overlaps another"


def test_the_most_surprising_spans_come_first() -> None:
    found = parts(reading("abcdefgh", [1, 9, 9, 1, 1, 6, 1, 1])).surprising
    assert [(span.text, span.bits) for span in found] == [("bc", 18), ("f", 6)]
    assert spans("abc", [2.0, 2.0, 2.0], 5) == spans("", [], 5) == [], "nothing stands out"
    assert [span.text for span in spans("abcdefghijklm", [0.0, 5.0] * 6 + [0.0], 3)] == ["b", "d", "f"]


def test_an_explanation_makes_spans_predictable() -> None:
    alone = reading("abcdef", [4, 8, 8, 4, 4, 4])
    found = parts(reading("abcdef", [4, 1, 2, 5, 4, 3]), alone)
    assert found.explained
    assert [(span.text, span.start, span.end, span.bits) for span in found.explained] == [("bc", 1, 3, 13)]
    worse = parts(reading("ab", [5, 9]), reading("ab", [4, 8]))
    assert worse.explained == (), "where it costs bits it explains nothing"
    assert parts(alone).explained is None
    assert json.loads(json.dumps(found.as_json()))["explained"][0]["text"] == "bc"
    assert math.isfinite(found.threshold)
