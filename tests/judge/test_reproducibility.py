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

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.measure import Judge, Pair
from tests.judge import tiny

WORDS = ["dragon", "castle", "sea", "mountain", "old", "the", "and", "flew", "日本", "😀", "naïve", "—", ",", "."]


def _pairs(count: int, seed: int = 0) -> list[Pair]:
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 20))) for _ in range(10)]
    return [Pair(" ".join(draw.choices(WORDS, k=draw.randint(0, 14))), draw.choice(texts)) for _ in range(count)]


PAIRS = _pairs(40)


@functools.cache
def _judge(dtype: str) -> tuple[Judge, list[list[float]]]:
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge.load(tiny.write_gpt2(Path(folder)), device="cpu", dtype=dtype)
    return judge, [judge.measure([pair])[0] for pair in PAIRS]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@settings(max_examples=25, deadline=None)
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


MEASURE_ELSEWHERE = """
import json, sys
from judge.measure import Judge, Pair
judge = Judge.load("pocket", device="cpu", dtype=sys.argv[1], threads=int(sys.argv[2]))
print(json.dumps(judge.measure([Pair(*pair) for pair in json.loads(sys.argv[3])])))
"""


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_after_a_restart_with_other_thread_settings(dtype: str) -> None:
    pairs = _pairs(6, seed=1)
    texts = json.dumps([[pair.prefix, pair.text] for pair in pairs])
    expected = Judge.load("pocket", device="cpu", dtype=dtype).measure(pairs)
    for openmp, lanes in (("1", "3"), ("7", "1")):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE_ELSEWHERE, dtype, lanes, texts],
            env={**os.environ, "OMP_NUM_THREADS": openmp, "MKL_NUM_THREADS": openmp},
            capture_output=True,
            check=True,
        )
        assert json.loads(done.stdout) == expected


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_five_hundred_pairs_in_every_grouping(dtype: str) -> None:
    pairs = _pairs(500, seed=2)
    judge = Judge.load("pocket", device="cpu", dtype=dtype)
    alone = [judge.measure([pair])[0] for pair in pairs]
    order = list(range(len(pairs)))
    for size in (1, 7, 64, 500):
        random.Random(size).shuffle(order)
        for start in range(0, len(order), size):
            group = order[start : start + size]
            assert judge.measure([pairs[i] for i in group]) == [alone[i] for i in group]
