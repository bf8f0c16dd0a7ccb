"""Every causal model that plain transformers runs is a judge, and gives the bits that transformers gives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from judge.engine.choose import FAST_ON_A_CPU, choose
from judge.engine.cuda_buckets import Buckets
from judge.judge import Judge, JudgeError, Pair
from judge.loading.source import find
from tests.judge import families, tiny

BOTH_WAYS = "is no causal language model: what it says of a token depends on the text after it"
#: Model types that are no judges as their config comes, and what is said of them.
REFUSED = {
    **dict.fromkeys(
        ("bert", "bert-generation", "big_bird", "camembert", "cpmant", "data2vec-text", "electra", "ernie",
         "megatron-bert", "prophetnet", "rembert", "roberta", "roberta-prelayernorm", "roc_bert", "roformer", "xlm",
         "xlm-roberta", "xlm-roberta-xl", "xlnet", "xmod"),
        BOTH_WAYS,
    ),
    "emu3": "cannot be loaded as a causal language model: Unrecognized configuration class",
    "mllama": "cannot be loaded as a causal language model: Unrecognized configuration class",
    "reformer": r"draws at random \(LSH\)",
}  # fmt: skip
#: Model types of which transformers makes no model from a config alone, and why.
NOT_MADE = {
    "dbrx": "has no attribute 'rope_theta'",
    "dots3_note": "keys must be integer layer indices",
    "gemma3n": "TimmWrapperModel requires the",
    "gemma4_assistant": "hidden_size_per_layer_input must be 0",
    "gemma4_unified_assistant": "layer types producing a cache",
    "musicgen": "has no attribute 'dropout'",
    "musicgen_melody": "has no attribute 'dropout'",
}
#: A few that were no judges once, each for a reason of its own: these are tried every time, the others by `make
#: test-all`.
QUICK = {"bert", "bloom", "falcon_h1", "gpt_oss", "hunyuan_v1_moe", "jamba", "mamba", "opt", "rwkv", "trocr"}
MADE = [kind for kind in families.TYPES if kind not in NOT_MADE]
PAIR = Pair("sea", "The dragon flew over the mountain.")


def _each(kinds: Iterable[str]) -> list[Any]:
    return [pytest.param(kind, marks=() if kind in QUICK else pytest.mark.exhaustive) for kind in kinds]


def _plain(folder: Path, row: list[int], scored: int) -> list[float]:
    """Bits of the last ids of a row by transformers alone."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([row[:-1]]), use_cache=False).logits[0].double()
    nats = -torch.log_softmax(logits, dim=1)[-scored:].gather(1, torch.tensor(row[-scored:])[:, None])[:, 0]
    bits: list[float] = (nats / math.log(2)).tolist()
    return bits


@pytest.mark.slow
@pytest.mark.parametrize("kind", _each(kind for kind in MADE if kind not in REFUSED))
def test_a_model_is_a_judge_that_agrees_with_transformers(kind: str, tmp_path: Path) -> None:
    folder = families.write(kind, tmp_path)
    judge = Judge.load(folder, device="cpu", threads=2)
    tolerance = 1e-3 if judge.engine.name in FAST_ON_A_CPU else 1e-5
    prefix, text = judge.tokens.ids(PAIR.prefix), judge.tokens.ids(PAIR.text)
    every_place = Pair("", "z" * (min(judge.context, families.CONTEXT) - 1))
    *found, longest = judge.measure([PAIR, PAIR, PAIR, every_place])
    assert found[0] == found[1] == found[2]
    assert found[0] == pytest.approx(_plain(folder, [0, *prefix, *text], len(text)), abs=tolerance)
    assert longest == pytest.approx(
        _plain(folder, [0, *judge.tokens.ids(every_place.text)], len(longest)), abs=tolerance
    )


@pytest.mark.parametrize("kind", _each(REFUSED))
def test_what_is_no_judge_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=REFUSED[kind]) as caught:
        Judge.load(families.write(kind, tmp_path), device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", _each(NOT_MADE))
def test_what_cannot_be_made_still_cannot(kind: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=NOT_MADE[kind]):
        families.write(kind, tmp_path)


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta-xl"])
def test_a_model_of_both_kinds_is_a_judge_where_it_was_made_to_read_one_way(kind: str, tmp_path: Path) -> None:
    judge = Judge.load(families.write(kind, tmp_path, is_decoder=True), device="cpu", threads=1)
    (bits,) = judge.measure([Pair("", "z" * (judge.context - 1))])
    assert len(bits) == judge.context - 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_a_model_that_sees_the_future_is_refused_in_every_dtype(kind: str, dtype: str, tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=BOTH_WAYS):
        Judge.load(families.write(kind, tmp_path), device="cpu", dtype=dtype)


@pytest.mark.parametrize(("kind", "alone"), [("recurrent_gemma", True), ("rwkv", True), ("mamba", False)])
def test_a_model_that_leaves_something_on_itself_runs_one_text_at_a_time(
    kind: str, alone: bool, tmp_path: Path
) -> None:
    source = find(families.write(kind, tmp_path))
    network, _ = choose(source, dtype="float32", device=torch.device("cpu"))
    assert network.keeps_state == alone


def test_a_model_without_a_length_of_its_own_gets_one_and_a_host_can_say_another(tmp_path: Path) -> None:
    folder = families.write("bloom", tmp_path)
    assert Judge.load(folder, device="cpu").context == 2048
    assert Judge.load(tiny.declare(folder, seq_length=512), device="cpu").context == 512
    assert Judge.load(tiny.declare(folder, max_position_embeddings=300), device="cpu").context == 300


@pytest.mark.parametrize(("kind", "tokens"), [("mixtral", 1), ("gpt_oss", 1), ("opt", 128), ("mamba", 128)])
def test_in_buckets_bits_do_not_depend_on_what_runs_beside(kind: str, tokens: int, tmp_path: Path) -> None:
    source = find(families.write(kind, tmp_path))
    network, _ = choose(source, dtype="float32", device=torch.device("cpu"))
    buckets = Buckets(network, families.CONTEXT)
    buckets.tokens = min(buckets.tokens, 128)
    buckets.warm_up()
    assert buckets.tokens == tokens
    job, *others = [([(step * i + 3) % 320 for i in range(32)], 20) for step in (7, 11, 13, 17)]
    (alone,) = dict(buckets.each([job])).values()
    assert dict(buckets.each([job, *others]))[0].tolist() == alone.tolist()
    assert alone.tolist() == pytest.approx(network.bits([job])[0].tolist(), abs=1e-3)
