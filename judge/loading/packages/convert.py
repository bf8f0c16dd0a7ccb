"""A GGUF file turned into a plain folder: safetensors in float16, config.json, tokenizer.json.

Config and tokenizer are written from templates in this package and from the file alone, never by transformers, so
that the same file gives the same folder under every release of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file

Array = npt.NDArray[Any]

TEMPLATES = Path(__file__).parent
CONTROL = 3
"""The type that GGUF gives to a token that no text can spell."""
IN_LLAMA = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""What transformers calls a part of a layer that GGUF calls so."""
OUTSIDE_LAYERS = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


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
    """Name → weights, float16, as LlamaForCausalLM has them."""
    for tensor in reader.tensors:
        # A float32 tensor comes as it lies in the file.
        weights = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        if tensor.name in OUTSIDE_LAYERS:
            yield OUTSIDE_LAYERS[tensor.name], weights.astype(np.float16)
            continue
        _, layer, part, kind = tensor.name.split(".")
        if part == "attn_q":
            weights = _rotated_by_halves(weights, config["num_attention_heads"])
        elif part == "attn_k":
            weights = _rotated_by_halves(weights, config["num_key_value_heads"])
        yield f"model.layers.{layer}.{IN_LLAMA[part]}.{kind}", weights.astype(np.float16)


def _rotated_by_halves(weights: Array, heads: int) -> Array:
    """(heads · width, n): GGUF pairs neighbouring rows of a head for the rotary positions, transformers pairs the
    row i of the first half with the row i of the second."""
    rows, columns = weights.shape
    return weights.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _tokenizer(reader: GGUFReader, template: dict[str, Any]) -> dict[str, Any]:
    """The template with the file's vocabulary, its merges, and the tokens that no text can spell."""
    tokens = cast(list[str], _field(reader, "tokenizer.ggml.tokens"))
    kinds = cast(list[int], _field(reader, "tokenizer.ggml.token_type"))
    template["added_tokens"] = [
        {
            "id": index,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for index, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind == CONTROL
    ]
    template["model"]["vocab"] = {token: index for index, token in enumerate(tokens)}
    template["model"]["merges"] = [merge.split(" ") for merge in _field(reader, "tokenizer.ggml.merges")]
    return template
