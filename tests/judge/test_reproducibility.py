"""The same pair always gets the same bits: not close, the same."""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.judge import Judge, Pair
from tests.judge import tiny

WORDS = ["dragon", "castle", "sea", "mountain", "old", "the", "and", "flew", "日本", "😀", "naïve", "—", ",", "."]


def _pairs(count: int, seed: int = 0) -> list[Pair]:
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 20))) for _ in range(10)]
    return [Pair(" ".join(draw.choices(WORDS, k=draw.randint(0, 14))), draw.choice(texts)) for _ in range(count)]


PAIRS = _pairs(40)


@functools.cache
def _judge(dtype: str, lanes: int | None = None) -> tuple[Judge, list[list[float]]]:
    """A judge whose output layer has many parts, and what it measures of each pair alone."""
    with tempfile.TemporaryDirectory() as folder, patch("judge.engine.lean.HEAD_TOKENS", 50):
        judge = Judge.load(tiny.write_gpt2(Path(folder)), device="cpu", dtype=dtype, threads=lanes)
    return judge, [judge.measure([pair])[0] for pair in PAIRS]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@settings(max_examples=25)
@given(batch=st.lists(st.integers(0, len(PAIRS) - 1), max_size=12))
def test_in_any_batch_and_order_as_alone(dtype: str, batch: list[int]) -> None:
    judge, alone = _judge(dtype)
    assert judge.measure([PAIRS[i] for i in batch]) == [alone[i] for i in batch]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_with_other_jobs_in_flight_as_alone(dtype: str) -> None:
    judge, alone = _judge(dtype)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(judge.measure, [PAIRS, PAIRS[::-1], PAIRS, PAIRS[::-1]]):
            assert found in (alone, alone[::-1])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_whether_idle_lanes_help_or_there_is_one_alone(dtype: str) -> None:
    _, one = _judge(dtype, 1)
    many, helped = _judge(dtype, 4)
    assert helped == one
    assert many.measure(PAIRS) == one


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_whatever_number_of_threads_others_ask_for(dtype: str) -> None:
    judge, alone = _judge(dtype)
    before = torch.get_num_threads()
    try:
        for threads in (1, 5):
            torch.set_num_threads(threads)
            assert judge.measure(PAIRS) == alone
    finally:
        torch.set_num_threads(before)


MEASURE_ELSEWHERE = """
import json, sys
from judge.judge import Judge, Pair
judge = Judge.load("pocket", device="cpu", dtype=sys.argv[1], threads=int(sys.argv[2]))
print(json.dumps(judge.measure([Pair(*pair) for pair in json.load(sys.stdin)])))
"""


def _measure_elsewhere(dtype: str, openmp: int, lanes: int, pairs: list[Pair]) -> list[list[float]]:
    """By a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE_ELSEWHERE, dtype, str(lanes)],
        input=json.dumps([[pair.prefix, pair.text] for pair in pairs]).encode(),
        env={**os.environ, "OMP_NUM_THREADS": str(openmp), "MKL_NUM_THREADS": str(openmp)},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: list[list[float]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_after_a_restart_with_other_thread_settings(dtype: str) -> None:
    pairs = _pairs(6, seed=1)
    expected = Judge.load("pocket", device="cpu", dtype=dtype).measure(pairs)
    assert _measure_elsewhere(dtype, openmp=7, lanes=3, pairs=pairs) == expected


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.exhaustive)])
def test_two_hundred_pairs_in_every_grouping_and_by_two_workers(dtype: str) -> None:
    pairs = _pairs(200, seed=2)
    judge = Judge.load("pocket", device="cpu", dtype=dtype)
    alone = judge.measure(pairs)
    for i in range(0, len(pairs), 5):  # all of them, one by one, would be most of this test's time
        assert judge.measure([pairs[i]])[0] == alone[i]
    order = list(range(len(pairs)))
    for size in (7, 64, 200):
        random.Random(size).shuffle(order)
        for start in range(0, len(order), size):
            group = order[start : start + size]
            assert judge.measure([pairs[i] for i in group]) == [alone[i] for i in group]
    shares = [order[:100], order[100:]]
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda share: _measure_elsewhere(dtype, 2, 1, [pairs[i] for i in share]), shares)
        for share, found in zip(shares, halves, strict=True):
            assert found == [alone[i] for i in share]
