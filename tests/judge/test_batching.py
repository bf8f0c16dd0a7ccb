"""Packing keeps every job once, in order, within the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.batching import longest_first, pack

costs = st.lists(st.integers(0, 50), max_size=40)


@given(costs=costs, budget=st.integers(1, 100))
def test_packs_hold_everything_once_in_order_within_the_budget(costs: list[int], budget: int) -> None:
    packs = pack(costs, budget)
    assert [index for batch in packs for index in batch] == list(range(len(costs)))
    for batch in packs:
        assert len(batch) == 1 or sum(costs[index] for index in batch) <= budget


def test_a_job_over_the_budget_goes_alone() -> None:
    assert pack([3, 9, 3, 3], 6) == [[0], [1], [2, 3]]


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        pack([1], 0)


@given(costs=costs)
def test_longest_first_is_a_stable_order(costs: list[int]) -> None:
    order = longest_first(costs)
    assert sorted(order) == list(range(len(costs)))
    assert [costs[index] for index in order] == sorted(costs, reverse=True)
    assert order == sorted(order, key=lambda index: (-costs[index], index))
