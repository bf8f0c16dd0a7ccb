"""The model, loaded the one safe way: safetensors, no code from the hub, dtype and attention always stated, and every
weight that it has from its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from judge.errors import JudgeError, one_line
from judge.loading.source import Source

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# These keep what they computed for the last sequence on the module itself.
ROPES_WITH_A_STATE = ("dynamic", "longrope")
# What configs call the number of their positions.
CONTEXT_NAMES = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "context_length",
    "max_target_positions",
    "n_ctx",
)
# Of a model without positions to run out of (state spaces, ALiBi) whose config names no length.
UNBOUNDED_CONTEXT = 2048
# Masks and tables that a model computes itself, and that older versions of transformers saved.
COMPUTED = re.compile(
    r"\.(attn|attention|attn\.attention)\.(bias|masked_bias|causal_mask)$|rotary_emb\.inv_freq$|\.position_ids$"
    r"|embed_positions\.(weights|_float_tensor)$"
)
NAMED = 3  # tensors that a refusal names; of more it says how many

_logging: Any = logging  # untyped functions


def load_model(source: Source, *, dtype: str, device: torch.device) -> Any:
    """The model in evaluation mode. Raises JudgeError with transformers' words where it cannot be loaded, and where its
    files hold less or other than the model has."""
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # whatever is made up while a model is built is always the same
        try:
            config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source.folder,
                config=config,
                dtype=DTYPES[dtype],
                attn_implementation=_attention(config),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # so that they are named below
            )
        except Exception as error:  # transformers raises all kinds; none of them is ours
            raise JudgeError(f"{source.name} cannot be loaded as a causal language model: {one_line(error)}") from error
    model, found = loaded
    _refuse_other_weights(source.name, found)
    if "lsh" in (getattr(config, "attn_layers", None) or ()):  # shows in texts that are longer than one chunk
        raise JudgeError(f"{source.name} attends to places that it draws at random (LSH), so it cannot measure")
    return model.to(device).eval().requires_grad_(False)


def context_length(model: Any) -> int:
    """How many tokens the model reads at most, by its config."""
    config = model.config.get_text_config()
    lengths = (getattr(config, name, None) for name in CONTEXT_NAMES)
    length: int = next((length for length in lengths if isinstance(length, int) and length > 0), UNBOUNDED_CONTEXT)
    return min([length, *_rows_behind_padding(model)])


def has_state(model: Any) -> bool:
    """May two threads not run this model at once? By its config; `judge.engine.trial` finds what else there is."""
    rope = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    kinds = [rope, *rope.values()] if isinstance(rope, dict) else []
    return any(isinstance(kind, dict) and kind.get("rope_type") in ROPES_WITH_A_STATE for kind in kinds)


def _attention(config: Any) -> str:
    """`sdpa`, but for models that have none, or that cap attention scores: PyTorch's kernel leaves the cap out."""
    capped = getattr(config.get_text_config(), "attn_logit_softcapping", None)
    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    return "sdpa" if getattr(kind, "_supports_sdpa", False) and not capped else "eager"


def _rows_behind_padding(model: Any) -> Iterator[int]:
    """Of tables of positions that count from behind the padding token's, as RoBERTa's do: the rows a text can use."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and name.endswith("position_embeddings") and module.padding_idx is not None:
            yield module.num_embeddings - module.padding_idx - 1


def _refuse_other_weights(name: str, found: dict[str, Any]) -> None:
    """Raises JudgeError unless every weight of the model came from the files, and every one there has its place.

    transformers fills what is missing with random numbers, so one folder would be another judge in every process.
    What an architecture lets be missing or left over it has taken out of `found`.
    """
    unexpected = {key for key in found["unexpected_keys"] if not COMPUTED.search(key)}
    mismatched = [f"{key} is {list(saved)}, not {list(wanted)}" for key, saved, wanted in found["mismatched_keys"]]
    for what, tensors in (
        ("lacks weights of the model that config.json describes", found["missing_keys"]),
        ("has weights of another shape than config.json says", mismatched),
        ("has weights that the model in config.json has no place for", unexpected),
    ):
        if tensors:
            raise JudgeError(
                f"{name} {what}: {_named(sorted(tensors))}; save the whole causal language model, with its output "
                "layer, neither quantised nor as an adapter (AutoModelForCausalLM.from_pretrained(…).save_pretrained"
                "(folder))"
            )


def _named(tensors: list[str]) -> str:
    more = f" and {len(tensors) - NAMED} more" if len(tensors) > NAMED else ""
    return ", ".join(tensors[:NAMED]) + more


@contextmanager
def quiet() -> Iterator[None]:
    """Without progress bars and reports over many lines: what matters of them is raised."""
    bar, verbosity = _logging.is_progress_bar_enabled(), _logging.get_verbosity()
    _logging.disable_progress_bar()
    _logging.set_verbosity_error()
    try:
        yield
    finally:
        _logging.set_verbosity(verbosity)
        if bar:
            _logging.enable_progress_bar()
