"""Packing keeps every job once, in order, within the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.engine.batching import fill, longest_first, pack, shape_for

costs = st.lists(st.integers(0, 50), max_size=40)


@given(costs=costs, budget=st.integers(1, 100), most=st.integers(1, 10))
def test_packs_hold_everything_once_in_order_within_the_budget(costs: list[int], budget: int, most: int) -> None:
    packs = pack(costs, budget, most=most)
    assert [index for batch in packs for index in batch] == list(range(len(costs)))
    for batch in packs:
        assert len(batch) == 1 or sum(costs[index] for index in batch) <= budget
        assert 1 <= len(batch) <= most


def test_a_job_over_the_budget_goes_alone() -> None:
    assert pack([3, 9, 3, 3], 6, most=8) == [[0], [1], [2, 3]]


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        pack([1], 0, most=1)
    with pytest.raises(ValueError, match="must be positive"):
        pack([1], 1, most=0)


@given(lengths=st.lists(st.integers(1, 300), max_size=40), tokens=st.integers(1, 2000))
def test_a_sequence_has_the_same_shape_whatever_waits_beside_it(lengths: list[int], tokens: int) -> None:
    batches = fill(lengths, context=256, tokens=tokens)
    assert sorted(index for _, batch in batches for index in batch) == list(range(len(lengths)))
    for shape, batch in batches:
        assert 1 <= len(batch) <= shape.rows
        assert shape.rows == 1 or shape.rows * shape.columns <= tokens
        for index in batch:
            assert shape == shape_for(lengths[index], context=256, tokens=tokens)
            length = min(lengths[index], 256)
            assert 0 <= shape.columns - length < max(32, length / 4), "little of a row is filling"


@given(costs=costs)
def test_longest_first_is_a_stable_order(costs: list[int]) -> None:
    order = longest_first(costs)
    assert sorted(order) == list(range(len(costs)))
    assert [costs[index] for index in order] == sorted(costs, reverse=True)
    assert order == sorted(order, key=lambda index: (-costs[index], index))
