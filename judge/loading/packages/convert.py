"""A GGUF file turned into a plain folder: safetensors in float16, config.json, tokenizer.json.

Config and tokenizer are written from templates in this package and from the file alone, never by transformers, so
that the same file gives the same folder under every release of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file

Array = npt.NDArray[Any]

TEMPLATES = Path(__file__).parent
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
"""What GGUF calls kinds of tokens: of the vocabulary, one that no text can spell, one that is never cut or joined."""
OUTSIDE_LAYERS = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


@dataclass(frozen=True, slots=True)
class Architecture:
    """How GGUF has a model's weights. parts: its name for a part of a layer → that of transformers.

    rotary_pairs: neighbouring rows of a head are paired for the rotary positions, which transformers does by halves.
    norm: what GGUF has added to the weights of norms.
    """

    parts: Mapping[str, str]
    rotary_pairs: bool = False
    norm: float = 0.0


_SHARED = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
ARCHITECTURES = {
    "llama": Architecture({**_SHARED, "ffn_norm": "post_attention_layernorm"}, rotary_pairs=True),
    "gemma3": Architecture(
        {
            **_SHARED,
            "attn_q_norm": "self_attn.q_norm",
            "attn_k_norm": "self_attn.k_norm",
            "post_attention_norm": "post_attention_layernorm",
            "ffn_norm": "pre_feedforward_layernorm",
            "post_ffw_norm": "post_feedforward_layernorm",
        },
        norm=1.0,
    ),
}


def convert(gguf: Path, name: str, folder: Path) -> None:
    """Write the judge `name` into `folder` from its GGUF file. Raises OSError, and ValueError for another model."""
    reader = GGUFReader(gguf)
    templates = TEMPLATES / name
    config = json.loads((templates / "config.json").read_text(encoding="utf-8"))
    save_file(dict(_tensors(reader, config)), folder / "model.safetensors", metadata={"format": "pt"})
    for file in ("config.json", "tokenizer_config.json"):
        (folder / file).write_bytes((templates / file).read_bytes())
    template = json.loads((templates / "tokenizer.json").read_text(encoding="utf-8"))
    _write(folder / "tokenizer.json", json.dumps(_tokenizer(reader, template), ensure_ascii=False) + "\n")
    if "tokenizer.chat_template" in reader.fields:
        # For players that are language models; a judge is never asked through it.
        _write(folder / "chat_template.jinja", _field(reader, "tokenizer.chat_template"))


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


def _field(reader: GGUFReader, name: str) -> Any:
    field = reader.get_field(name)
    if field is None:
        raise ValueError(f"the GGUF file has no {name}")
    return field.contents()


def _tensors(reader: GGUFReader, config: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """Name → weights, float16, as transformers has them."""
    architecture = ARCHITECTURES[_field(reader, "general.architecture")]
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for tensor in reader.tensors:
        # A float32 tensor comes as it lies in the file.
        weights = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        if tensor.name in OUTSIDE_LAYERS:
            part, name = tensor.name.partition(".")[0], OUTSIDE_LAYERS[tensor.name]
        else:
            _, layer, part, kind = tensor.name.split(".")
            name = f"model.layers.{layer}.{architecture.parts[part]}.{kind}"
        if part.endswith("norm"):
            weights = weights - np.float32(architecture.norm)
        if architecture.rotary_pairs and part in heads:
            weights = _rotated_by_halves(weights, heads[part])
        yield name, weights.astype(np.float16)


def _rotated_by_halves(weights: Array, heads: int) -> Array:
    """(heads · width, n): GGUF pairs neighbouring rows of a head for the rotary positions, transformers pairs the
    row i of the first half with the row i of the second."""
    rows, columns = weights.shape
    return weights.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _tokenizer(reader: GGUFReader, template: dict[str, Any]) -> dict[str, Any]:
    """The template with the file's vocabulary, its merges, and the tokens that are never cut, or that no text can
    spell."""
    tokens = cast(list[str], _field(reader, "tokenizer.ggml.tokens"))
    kinds = cast(list[int], _field(reader, "tokenizer.ggml.token_type"))
    template["added_tokens"] = [
        {
            "id": index,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": kind == USER_DEFINED,
            "special": kind == CONTROL,
        }
        for index, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    ]
    template["model"]["vocab"] = {token: index for index, token in enumerate(tokens)}
    if "tokenizer.ggml.merges" in reader.fields:
        merges = [merge.split(" ") for merge in _field(reader, "tokenizer.ggml.merges")]
    else:
        scores = cast(list[float], _field(reader, "tokenizer.ggml.scores"))
        normal = {token: score for token, score, kind in zip(tokens, scores, kinds, strict=True) if kind == NORMAL}
        merges = _merges(normal)
    template["model"]["merges"] = merges
    return template


def _merges(scores: Mapping[str, float]) -> list[list[str]]:
    """The pairs that SentencePiece would join, best first: it joins any two that make a token, by the token's score."""
    return [
        [token[:cut], token[cut:]]
        for token in sorted(scores, key=lambda token: -scores[token])
        for cut in range(1, len(token))
        if token[:cut] in scores and token[cut:] in scores
    ]
