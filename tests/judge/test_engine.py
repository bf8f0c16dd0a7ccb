"""Every way of computing the bits gives the same, and what does not is not used."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from judge.engine import packed
from judge.engine.choose import FAST_ON_A_CPU, Engine, choose
from judge.engine.cuda_buckets import Buckets
from judge.engine.lean import lean
from judge.engine.network import Job, Network, combine, nll, partial_logsumexp
from judge.engine.packed import Packed, Verified, gelu_, pack_all
from judge.judge import Judge, Pair
from judge.loading.model import has_state, load_model
from judge.loading.source import find
from tests.judge import reference, tiny
from tests.support.processor import packs

PAIR = Pair("dragon", "The dragon flew over the mountain and the old castle by the sea.")
JOBS: list[Job] = [(list(range(3, 3 + n)), k) for n, k in ((5, 4), (40, 30), (60, 1), (100, 99), (9, 2))]
ALL_SHAPES = ["gpt2", "llama", "qwen3", "gemma2"]


def _network(folder: Path, dtype: str = "float32") -> Network:
    return Network(load_model(find(folder), dtype=dtype, device=torch.device("cpu")))


def _fastest(folder: Path, dtype: str = "float32") -> tuple[Network, Engine]:
    return choose(find(folder), dtype=dtype, device=torch.device("cpu"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_fast_parts_compute_what_the_model_does(shape: str, dtype: str, folders: dict[str, Path]) -> None:
    plain, (fast, _) = _network(folders[shape], dtype), _fastest(folders[shape], dtype)
    tolerance = 1e-3 if dtype == "float32" else 1.0
    for expected, found in zip(plain.bits(JOBS), fast.bits(JOBS), strict=True):
        assert (expected - found).abs().max() <= tolerance


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_the_output_layer_in_chunks_gives_the_same(shape: str, folders: dict[str, Path]) -> None:
    for network in (_network(folders[shape]), _fastest(folders[shape])[0]):
        whole = network.bits(JOBS)
        network.head_rows = 3
        for expected, found in zip(whole, network.bits(JOBS), strict=True):
            assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("shape", ["gpt2", "llama"])
def test_the_output_layer_in_parts_gives_the_same(
    shape: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, fast = _network(folders[shape]), _network(folders[shape])
    monkeypatch.setattr("judge.engine.lean.HEAD_TOKENS", 70)
    fast.speed_up("lean")
    assert fast.lean_model is not None
    assert len(fast.lean_model.head) > 3
    for expected, found in zip(plain.bits(JOBS), fast.bits(JOBS), strict=True):
        assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-4)
    assert fast.last_logits([3, 4]).tolist() == pytest.approx(plain.last_logits([3, 4]).tolist(), abs=1e-4)


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_buckets_give_the_same(shape: str, folders: dict[str, Path]) -> None:
    network = _network(folders[shape])
    buckets = Buckets(network, context=256)
    buckets.tokens = 128
    buckets.warm_up()
    found = dict(buckets.each(JOBS))
    assert sorted(found) == list(range(len(JOBS)))
    for index, expected in enumerate(network.bits(JOBS)):
        assert found[index].tolist() == pytest.approx(expected.tolist(), abs=1e-3)


@pytest.mark.slow
def test_buckets_of_a_model_that_cannot_be_captured_run_it_as_it_is(folders: dict[str, Path]) -> None:
    network = _network(folders["gemma2"])
    buckets = Buckets(network, context=256)
    buckets.captures = True  # as on CUDA; here nothing can be captured
    buckets.warm_up()
    for index, bits in buckets.each(JOBS):
        assert bits.tolist() == pytest.approx(network.bits(JOBS)[index].tolist(), abs=1e-3)


def test_a_model_that_cannot_keep_some_logits_computes_all(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = _network(folders["gpt2"])
    expected, forward = network.bits(JOBS), network.model.forward

    def ignorant(input_ids: torch.Tensor, use_cache: bool) -> Any:
        return forward(input_ids=input_ids, use_cache=use_cache)

    monkeypatch.setattr(network.model, "forward", ignorant)
    assert network.check(network.probe(256), 256, 1e-4) <= 1e-4
    assert not network.supports_logits_to_keep
    for one, other in zip(expected, network.bits(JOBS), strict=True):
        assert other.tolist() == pytest.approx(one.tolist(), abs=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["pocket", "pocket-backward"])
def test_the_judges_that_ship_run_fast(name: str, dtype: str) -> None:
    loaded = Judge.load(name, dtype=dtype, device="cpu")
    assert (loaded.engine.name in FAST_ON_A_CPU) == packs(dtype), loaded.engine.reason
    assert loaded.build.endswith(f", {loaded.engine.name}")


def _wrong_lean(*model: Any) -> Any:
    built = lean(*model)
    built.layers = built.layers[:1]
    return built


def _wrong_packed(model: Any, verified: Verified) -> bool:
    model.model.inner.layers = model.model.inner.layers[:1]
    return pack_all(model, verified)


@pytest.mark.parametrize("dtype", [dtype for dtype in ("float32", "bfloat16") if packs(dtype)])
def test_an_engine_that_computes_something_else_is_not_used(
    dtype: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model, tokenizer = reference.load(folders["llama"])
    expected = reference.bits(model, tokenizer, 1, PAIR.prefix, PAIR.text)
    caplog.set_level("INFO", logger="judge")
    monkeypatch.setattr("judge.engine.network.lean", _wrong_lean)
    for wrong, engine in ((pack_all, "packed"), (_wrong_packed, "plain")):
        monkeypatch.setattr("judge.engine.network.pack_all", wrong)
        caplog.clear()
        loaded = Judge.load(folders["llama"], device="cpu", dtype=dtype)
        assert loaded.engine.name == engine
        assert loaded.build.endswith(f", {engine}")
        assert "lean differs by" in loaded.engine.reason
        assert loaded.measure([PAIR])[0] == pytest.approx(expected, abs=1e-3 if dtype == "float32" else 2.0)
        warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
        assert len(warnings) == (1 if engine == "packed" else 2)
        assert f"runs on the engine {engine}: {loaded.engine.reason}" in caplog.text


def test_without_the_operators_all_is_plain(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise AttributeError("no such operator")

    monkeypatch.setattr(Packed, "__init__", missing)
    loaded = Judge.load(folders["gpt2"], device="cpu")
    assert loaded.build.endswith(", plain")
    assert "none of its layers can be packed" in loaded.engine.reason
    assert len(loaded.measure([PAIR])[0]) == loaded.tokens.count(PAIR.text)


def test_a_layer_that_disagrees_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = torch.nn.Linear(8, 4).requires_grad_(False)
    monkeypatch.setattr(Packed, "forward", lambda self, x: torch.zeros(len(x), 4))
    assert packed.packed(layer, {}) is None


def test_a_model_that_keeps_state_runs_one_at_a_time(tmp_path: Path) -> None:
    folder = tiny.write_llama(tmp_path)
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    model = _network(tiny.declare(folder, rope_parameters=rope)).model
    assert has_state(model)
    model.config.rope_parameters = {"full_attention": rope, "sliding_attention": {"rope_type": "default"}}
    assert has_state(model)
    assert not has_state(_network(tiny.write_gpt2(tmp_path / "gpt2")).model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nll_is_the_negative_log_softmax(dtype: torch.dtype) -> None:
    logits = (20 * torch.randn(7, 50_000, generator=torch.Generator().manual_seed(0))).to(dtype)
    targets = torch.arange(7)
    expected = -torch.log_softmax(logits.double(), dim=1).gather(1, targets[:, None])[:, 0]
    assert nll(logits, targets).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_nll_is_the_same_from_parts_of_the_vocabulary() -> None:
    logits = 20 * torch.randn(40, 1000, generator=torch.Generator().manual_seed(1))
    targets = torch.arange(0, 1000, 25)
    whole, cuts = nll(logits, targets), (0, 1, 300, 301, 999, 1000)
    parts = [partial_logsumexp(logits[:, a:b], targets, a) for a, b in pairwise(cuts)]
    assert combine(parts).tolist() == pytest.approx(whole.tolist(), rel=1e-6)


def test_nll_of_a_certain_token_is_zero_and_of_nonsense_not_finite() -> None:
    certain = torch.tensor([[100.0, -100.0]])
    assert nll(certain, torch.tensor([0])).tolist() == [0.0]
    for nonsense in (float("nan"), float("inf")):
        assert not nll(torch.tensor([[nonsense, 0.0]]), torch.tensor([1])).isfinite().any()
    assert nll(torch.tensor([[0.0, float("-inf")]]), torch.tensor([1])).tolist() == [float("inf")]


def test_the_quick_gelu_is_the_tanh_gelu() -> None:
    x = torch.randn(70, 33, generator=torch.Generator().manual_seed(0)) * 4
    expected = torch.nn.functional.gelu(x.double(), approximate="tanh")
    assert (gelu_(x.clone()) - expected).abs().max() <= 1e-6
