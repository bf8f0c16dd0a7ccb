"""A judge is what its files hold: nothing of it is made up, and nothing in them is left aside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from judge.judge import Judge, JudgeError, Pair
from tests.judge import families, tiny

Weights = dict[str, Tensor]
PAIR = Pair("sea", "The dragon flew over the mountain.")


def _changed(folder: Path, change: Callable[[Weights], object]) -> Path:
    """A folder whose weights somebody touched."""
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _refusal(folder: Path) -> str:
    with pytest.raises(JudgeError) as caught:
        Judge.load(folder, device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("tensor", ["lm_head.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"])
def test_a_missing_weight_is_named(tensor: str, tmp_path: Path) -> None:
    folder = _changed(tiny.write_llama(tmp_path), lambda weights: weights.pop(tensor))
    assert f"lacks weights of the model that config.json describes: {tensor};" in _refusal(folder)


def test_of_many_missing_weights_some_are_named_and_all_counted(tmp_path: Path) -> None:
    folder = tiny.write_llama(tmp_path)
    tiny.declare(folder, num_hidden_layers=3)
    assert "model.layers.2.input_layernorm.weight, " in _refusal(folder)
    assert " and 6 more;" in _refusal(folder)


@pytest.mark.parametrize("kind", ["AutoModel", "AutoModelForSequenceClassification"])
def test_another_kind_of_model_is_no_judge(kind: str, tmp_path: Path) -> None:
    folder = tiny.write_llama(tmp_path)
    getattr(transformers, kind).from_pretrained(folder).save_pretrained(folder)
    assert "lm_head.weight" in _refusal(folder)


def test_a_body_saved_alone_is_whole_where_its_embedding_is_the_output_layer(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    before = Judge.load(folder, device="cpu").measure([PAIR])
    transformers.AutoModel.from_pretrained(folder).save_pretrained(folder)
    assert Judge.load(folder, device="cpu").measure([PAIR]) == before


def test_weights_without_a_place_are_named(tmp_path: Path) -> None:
    scale = {"model.layers.0.mlp.down_proj.weight_scale": torch.ones(1)}
    assert "no place for: model.layers.0.mlp.down_proj.weight_scale;" in _refusal(
        _changed(tiny.write_llama(tmp_path / "scaled"), lambda weights: weights.update(scale))
    )
    adapted = {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": torch.ones(4, 32)}
    assert "lora_A.weight" in _refusal(
        _changed(tiny.write_llama(tmp_path / "adapted"), lambda weights: weights.update(adapted))
    )


def test_a_weight_of_another_shape_is_named_with_both(tmp_path: Path) -> None:
    folder = _changed(tiny.write_llama(tmp_path), lambda weights: weights.update({"lm_head.weight": torch.ones(7, 32)}))
    rows = Judge.load(tiny.write_llama(tmp_path / "whole"), device="cpu").tokens.size
    assert f"another shape than config.json says: lm_head.weight is [7, 32], not [{rows}, 32];" in _refusal(folder)


def test_an_adapter_beside_a_model_and_quantised_weights_and_weights_elsewhere_are_refused(tmp_path: Path) -> None:
    folder = tiny.write_llama(tmp_path / "adapter")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "somebody/else"}))
    assert "holds an adapter: merge it" in _refusal(folder)
    quantised = tiny.declare(tiny.write_llama(tmp_path / "fp8"), quantization_config={"quant_method": "fp8"})
    assert "is quantised: save it dequantised" in _refusal(quantised)
    elsewhere = tiny.declare(tiny.write_llama(tmp_path / "elsewhere"), transformers_weights="other.safetensors")
    assert "remove transformers_weights" in _refusal(elsewhere)


#: What older versions saved of a model that the model computes itself.
COMPUTED = {
    "gpt2": ["transformer.h.0.attn.bias", "transformer.h.1.attn.masked_bias"],
    "gpt_neo": ["transformer.h.0.attn.attention.bias", "transformer.h.0.attn.attention.masked_bias"],
    "gpt_neox": ["gpt_neox.layers.0.attention.bias", "gpt_neox.layers.0.attention.rotary_emb.inv_freq"],
    "gptj": ["transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias"],
    "codegen": ["transformer.h.0.attn.causal_mask"],
    "llama": ["model.layers.0.self_attn.rotary_emb.inv_freq"],
    "bert": ["bert.embeddings.position_ids"],
}


@pytest.mark.parametrize("kind", COMPUTED)
def test_what_a_model_computes_itself_may_lie_in_its_files(kind: str, tmp_path: Path) -> None:
    folder = families.write(kind, tmp_path, **({"is_decoder": True} if kind == "bert" else {}))
    before = Judge.load(folder, device="cpu").measure([PAIR])
    _changed(folder, lambda weights: weights.update({name: torch.ones(1) for name in COMPUTED[kind]}))
    assert Judge.load(folder, device="cpu").measure([PAIR]) == before
