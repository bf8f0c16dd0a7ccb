"""What else a judge does, on every device that this machine has: experts, readings, samples, gradients, compression,
and how far two builds are from one another."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import judge as package
from games.library import load
from judge.compression import Compressor
from judge.judge import Judge, Pair
from tests.judge import families, reference

pytestmark = pytest.mark.slow

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]
POCKET = Path(package.__file__).parent / "pocket"
TEXT = "The dragon flew over the mountain and the old castle by the sea."
#: Some experts answer for each token, a state goes along, or a mask is made as it goes.
KINDS = ("mixtral", "qwen3_moe", "gpt_oss", "jamba", "mamba", "gemma3_text", "cohere2")

on_every_device = pytest.mark.parametrize("device", DEVICES)


@on_every_device
@pytest.mark.parametrize("kind", KINDS)
def test_company_changes_no_bit_of_less_usual_models(kind: str, device: str, tmp_path: Path) -> None:
    judge = Judge.load(families.write(kind, tmp_path), device=device)
    pairs = [Pair(prefix, text) for prefix in ("", "sea", "old castle") for text in ("a", "The dragon", "mountain sea")]
    alone = [judge.measure([pair])[0] for pair in pairs]
    assert judge.measure(pairs) == alone
    assert judge.measure(pairs[::-1]) == alone[::-1]
    on_a_cpu = Judge.load(tmp_path, device="cpu")
    for found, expected in zip(alone, on_a_cpu.measure(pairs), strict=True):
        assert found == pytest.approx(expected, abs=0.001)


@on_every_device
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_reading_is_what_is_measured(device: str, dtype: str) -> None:
    judge = Judge.load("pocket", device=device, dtype=dtype)
    found = judge.read(TEXT, "Topic: dragons\n", top=5)
    again = judge.read(TEXT, "Topic: dragons\n", top=5)
    assert found == again
    measured = judge.measure([Pair("Topic: dragons\n", TEXT)])[0]
    assert [token.bits for token in found.tokens] == pytest.approx(measured, abs=0.001 if dtype == "float32" else 0.5)


@on_every_device
def test_a_reading_expects_what_transformers_does_in_float64(device: str) -> None:
    found = Judge.load("pocket", device=device).read(TEXT, top=3)
    model, tokenizer = reference.load(POCKET)
    ids = [0, *tokenizer(TEXT, add_special_tokens=False).input_ids]
    with torch.no_grad():
        likely = torch.softmax(model(torch.tensor([ids[:-1]])).logits[0].double(), dim=1)
    for token, row in zip(found.tokens, likely, strict=True):
        assert [each.probability for each in token.top] == pytest.approx(row.topk(3).values.tolist(), abs=1e-4)
        assert token.entropy == pytest.approx(-(row * row.log2()).sum().item(), abs=0.001)


@on_every_device
@pytest.mark.parametrize("method", ["greedy", "top-p=0.9", "beam=3"])
def test_a_sample_is_the_same_again(device: str, method: str) -> None:
    judge = Judge.load("pocket", device=device)
    first = judge.sample("The dragon", method, tokens=8, seed=3)
    judge.measure([Pair("", TEXT)])
    assert judge.sample("The dragon", method, tokens=8, seed=3) == first
    assert Judge.load("pocket", device=device).sample("The dragon", method, tokens=8, seed=3) == first


@on_every_device
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_was_compressed_comes_back(device: str, dtype: str) -> None:
    compressor = Compressor(Judge.load("pocket", device=device, dtype=dtype))
    for content in (TEXT.encode(), b"\xff\x00 and more", "日本 naïve".encode()):
        found = compressor.compress(content)
        assert compressor.decompress(found.file) == content
        assert found.coded - math.ceil(found.whole_bits / 8) in range(-4, 2)


@on_every_device
def test_gradients_are_those_of_a_cpu_in_float64(device: str) -> None:
    judge = Judge.load("pocket", device=device)
    exact = Judge.load("pocket", device="cpu").differentiable()
    exact.model.double()
    slopes = []
    for model in (judge.differentiable(), exact):
        prefix = model.embeddings("old sea").detach().requires_grad_()
        (slope,) = torch.autograd.grad(model.cross_entropy(prefix, TEXT), prefix)
        slopes.append(slope.double().cpu())
    torch.testing.assert_close(*slopes, rtol=1e-3, atol=1e-3)


@on_every_device
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_builds_differ_by_less_than_a_forger_is_told_by(device: str, dtype: str) -> None:
    """A worker is stopped where its bits are further from another's than this: docs/decisions/0033."""
    most = {"float32": 0.01, "bfloat16": 4.0}[dtype]
    here, other = (Judge.load("pocket", device=each, dtype=dtype) for each in (device, "cpu"))
    pairs = [Pair(prefix, passage.text) for passage in load()[:12] for prefix in ("", "Topic: the sea\n---\n")]
    for one, two in zip(here.measure(pairs), other.measure(pairs), strict=True):
        assert max(abs(a - b) for a, b in zip(one, two, strict=True)) <= most
        assert abs(sum(one) - sum(two)) <= most
