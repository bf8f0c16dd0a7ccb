"""A judge is who its files say; a folder that is no judge is refused in words that help."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from judge.judge import Judge, JudgeError, NotFinite, Pair, TooLong
from judge.loading.source import find
from tests.judge import tiny
from tests.support.processor import flags


def test_a_judge_announces_itself(pocket: Judge) -> None:
    info = json.loads(json.dumps(pocket.info()))
    assert info["name"] == "pocket"
    assert info["bos"] == 0
    assert info["direction"] == "forward"
    assert info["dtype"] == "float32"
    assert len(info["identity"]) == 64
    assert info["build"].startswith("cpu ")
    assert torch.__version__ in info["build"]
    assert info["supports_logits_to_keep"]


def test_identity_is_of_content_not_of_place(tmp_path: Path) -> None:
    first = tiny.write_gpt2(tmp_path / "a")
    second = tmp_path / "elsewhere"
    shutil.copytree(first, second)
    assert Judge.load(first, device="cpu").identity == Judge.load(second, device="cpu").identity
    other = Judge.load(tiny.write_gpt2(tmp_path / "b", seed=1), device="cpu")
    backward = Judge.load(tiny.declare(second, direction="backward"), device="cpu")
    identities = {Judge.load(first, device="cpu").identity, other.identity, backward.identity}
    assert len(identities) == 3


def test_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"has no tokenizer\.json"):
        Judge.load(tiny.write_gpt2(tmp_path, tokenizer=False))


def test_no_bos_is_refused_but_serves_the_profile_without(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path, bos=False)
    with pytest.raises(JudgeError, match="no token to begin with"):
        Judge.load(folder, device="cpu")
    judge = Judge.load(folder, device="cpu", need_bos=False)
    assert len(judge.measure([Pair("a", "the dragon", "xent-0.5")])[0]) == judge.tokens.count("the dragon") - 1
    with pytest.raises(JudgeError, match="no token to begin with"):
        judge.measure([Pair("a", "b")])


@pytest.mark.parametrize(
    ("name", "match"),
    [("nowhere", "no judge"), ("./nowhere/at/all", "no judge"), ("no/such-judge-here", "from the hub")],
)
def test_an_unknown_name(name: str, match: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(JudgeError, match=match):
        Judge.load(name)


def test_a_folder_that_is_no_judge(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"no config\.json"):
        Judge.load(tmp_path)
    folder = tiny.write_gpt2(tmp_path / "a")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(JudgeError, match="safetensors only"):
        Judge.load(folder)
    (folder / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(JudgeError, match=r"cannot be loaded|not a safetensors file"):
        Judge.load(folder)


def test_settings_that_do_not_exist(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    with pytest.raises(JudgeError, match="no dtype 'int3'"):
        Judge.load(folder, dtype="int3")
    with pytest.raises(JudgeError, match="no device 'abacus'"):
        Judge.load(folder, device="abacus")
    with pytest.raises(JudgeError, match='say "forward" or "backward"'):
        Judge.load(tiny.declare(folder, direction="up"))


def test_a_pair_beyond_the_context_names_the_counts(tmp_path: Path) -> None:
    judge = Judge.load(tiny.write_gpt2(tmp_path, context=16), device="cpu")
    with pytest.raises(TooLong, match="do not fit the judge's context of 16") as caught:
        judge.measure([Pair("", "ok"), Pair("a b", "x" * 20)])
    assert caught.value.index == 1
    fits = Pair("", "z" * 15)
    assert judge.token_count(fits) == 16
    assert len(judge.measure([fits])[0]) == 15


def test_an_unknown_profile(pocket: Judge) -> None:
    with pytest.raises(JudgeError, match="no profile 'guess'"):
        pocket.measure([Pair("", "x", "guess")])


def test_not_finite_is_an_error_and_spares_the_others(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    weights = load_file(folder / "model.safetensors")
    probe = Judge.load(folder, device="cpu").tokens.ids("z")[0]
    name = next(name for name in weights if name.endswith("wte.weight"))
    weights[name][probe] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    judge = Judge.load(folder, device="cpu", need_bos=True)
    with pytest.raises(NotFinite):
        judge.measure([Pair("", "the")])  # a NaN row of a tied output layer spoils every softmax


def test_weights_in_several_files_are_the_same_judge_and_a_lost_file_is_named(tmp_path: Path) -> None:
    whole = tiny.write_gpt2(tmp_path / "whole")
    cut = tmp_path / "cut"
    shutil.copytree(whole, cut)
    (cut / "model.safetensors").unlink()
    AutoModelForCausalLM.from_pretrained(whole).save_pretrained(cut, max_shard_size="50KB")
    parts = find(cut).weights()
    assert len(parts) > 1
    one, other = (Judge.load(folder, device="cpu") for folder in (whole, cut))
    pair = Pair("the sea", "The dragon flew.")
    assert other.measure([pair]) == one.measure([pair])
    parts[0].unlink()
    with pytest.raises(JudgeError, match=f"{parts[0].name} named in model.safetensors.index.json is missing"):
        Judge.load(cut, device="cpu")


def test_no_threads_are_not_taken_for_all() -> None:
    with pytest.raises(JudgeError, match="at least one thread, not 0"):
        Judge.load("pocket", device="cpu", threads=0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_judge_in_float32_knows_whether_the_processor_multiplies_bfloat16(dtype: str) -> None:
    able = not flags().isdisjoint({"avx512_bf16", "amx_bf16"})
    assert Judge.load("pocket", device="cpu", dtype=dtype).gains_by_bfloat16 == (able and dtype == "float32")
