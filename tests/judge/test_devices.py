"""What holds on every device that this machine has: the CPU, and a CUDA device where there is one."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import judge as package
from judge.judge import Judge, Pair
from judge.methods import Sampling
from judge.sampling import generate
from tests.judge import reference, tiny

pytestmark = pytest.mark.slow  # on a CPU much of it is what other tests of this folder say in little

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]
DTYPES = ["float32", "bfloat16"]
POCKET = Path(package.__file__).parent / "pocket"
WORDS = ["dragon", "castle", "sea", "mountain", "old", "the", "and", "flew", "日本", "😀", "naïve", "—", ",", "."]

on_every_device = pytest.mark.parametrize("device", DEVICES)
in_both_dtypes = pytest.mark.parametrize("dtype", DTYPES)


def _pairs(count: int, seed: int = 0, most: int = 20) -> list[Pair]:
    """Prefixes of none to 14 words, texts of one to `most`: many lengths, the longest many times the shortest."""
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, most))) for _ in range(10)]
    return [Pair(" ".join(draw.choices(WORDS, k=draw.randint(0, 14))), draw.choice(texts)) for _ in range(count)]


PAIRS = _pairs(40)


@functools.cache
def _loaded(shape: str, device: str, dtype: str) -> tuple[Judge, list[list[float]]]:
    """A judge of random weights, and what it measures of each pair alone."""
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge.load(tiny.SHAPES[shape](Path(folder)), device=device, dtype=dtype)
    return judge, [judge.measure([pair])[0] for pair in PAIRS]


@on_every_device
@pytest.mark.parametrize("shape", tiny.SHAPES)
def test_float32_is_what_plain_transformers_computes_in_float64(
    shape: str, device: str, folders: dict[str, Path]
) -> None:
    measured = Judge.load(folders[shape], device=device)
    model, tokenizer = reference.load(folders[shape])
    assert measured.bos is not None
    for pair, found in zip(PAIRS, measured.measure(PAIRS), strict=True):
        assert found == pytest.approx(reference.bits(model, tokenizer, measured.bos, pair.prefix, pair.text), abs=0.001)


@on_every_device
@pytest.mark.parametrize("shape", tiny.SHAPES)
def test_bfloat16_is_near_float32(shape: str, device: str) -> None:
    _, exact = _loaded(shape, device, "float32")
    _, rough = _loaded(shape, device, "bfloat16")
    for one, other in zip(exact, rough, strict=True):
        assert one == pytest.approx(other, abs=0.5)


@on_every_device
def test_pocket_measures_on_each_what_it_measures_in_float64(device: str) -> None:
    measured, (model, tokenizer) = Judge.load("pocket", device=device), reference.load(POCKET)
    pairs = _pairs(20, seed=3, most=60)
    for pair, found in zip(pairs, measured.measure(pairs), strict=True):
        assert sum(found) == pytest.approx(sum(reference.bits(model, tokenizer, 0, pair.prefix, pair.text)), abs=0.002)


@in_both_dtypes
@on_every_device
@pytest.mark.parametrize("shape", tiny.SHAPES)
def test_company_changes_no_bit(shape: str, device: str, dtype: str) -> None:
    judge, alone = _loaded(shape, device, dtype)
    draw = random.Random(5)
    for size in (2, 3, 7, 40):
        chosen = [draw.randrange(len(PAIRS)) for _ in range(size)]
        assert judge.measure([PAIRS[i] for i in chosen]) == [alone[i] for i in chosen]


@in_both_dtypes
@on_every_device
def test_four_at_once_get_what_each_gets_alone(device: str, dtype: str) -> None:
    judge, alone = _loaded("gpt2", device, dtype)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(judge.measure, [PAIRS, PAIRS[::-1], PAIRS, PAIRS[::-1]]):
            assert found in (alone, alone[::-1])


MEASURE_ELSEWHERE = """
import json, sys
from judge.judge import Judge, Pair
judge = Judge.load("pocket", device=sys.argv[1], dtype=sys.argv[2])
print(json.dumps(judge.measure([Pair(*pair) for pair in json.load(sys.stdin)])))
"""


@in_both_dtypes
@on_every_device
def test_another_process_measures_the_same(device: str, dtype: str) -> None:
    pairs = _pairs(60, seed=2)
    expected = Judge.load("pocket", device=device, dtype=dtype).measure(pairs)
    asked = json.dumps([[pair.prefix, pair.text] for pair in pairs[::-1]]).encode()
    elsewhere = [sys.executable, "-c", MEASURE_ELSEWHERE, device, dtype]
    done = subprocess.run(elsewhere, input=asked, stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == expected[::-1]


@on_every_device
def test_a_text_fills_the_context(device: str, tmp_path: Path) -> None:
    judge = Judge.load(tiny.write_gpt2(tmp_path, context=64), device=device)
    text = " ".join(["sea"] * 200)
    longest = text[: judge.tokens.ends(text)[62]]
    (found,) = judge.measure([Pair("", longest)])
    model, tokenizer = reference.load(tmp_path)
    assert len(found) == 63
    assert found == pytest.approx(reference.bits(model, tokenizer, 0, "", longest), abs=0.001)


@in_both_dtypes
@on_every_device
def test_the_same_seed_writes_the_same_text(device: str, dtype: str) -> None:
    judge, _ = _loaded("gpt2", device, dtype)
    some, hot = PAIRS[:10], Sampling(temperature=0.8)
    first = generate(judge, "The dragon", 12, sampling=hot, seed=1)
    judge.measure(some)  # what else it does leaves no trace
    assert generate(judge, "The dragon", 12, sampling=hot, seed=1) == first
    assert generate(judge, "The dragon", 12, sampling=hot, seed=2) != first
