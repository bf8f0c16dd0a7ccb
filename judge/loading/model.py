"""The model, loaded the one safe way: safetensors, no code from the hub, dtype and attention always stated."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from judge.errors import JudgeError
from judge.loading.source import Source

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# These keep what they computed for the last sequence on the module itself.
ROPES_WITH_A_STATE = ("dynamic", "longrope")

_logging: Any = logging  # untyped functions


def load_model(source: Source, *, dtype: str, device: torch.device) -> Any:
    """The model in evaluation mode. Raises JudgeError with transformers' words where it cannot be loaded."""
    bar = _logging.is_progress_bar_enabled()
    _logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
        model: Any = AutoModelForCausalLM.from_pretrained(
            source.folder,
            config=config,
            dtype=DTYPES[dtype],
            attn_implementation=_attention(config),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
    except Exception as error:  # transformers raises all kinds; none of them is ours
        raise JudgeError(f"{source.name} cannot be loaded as a causal language model: {error}") from error
    finally:
        if bar:
            _logging.enable_progress_bar()
    return model.to(device).eval().requires_grad_(False)


def context_length(model: Any, name: str) -> int:
    """How many positions the model has. Raises JudgeError where its config names none."""
    length = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(length, int):
        raise JudgeError(f"{name}: config.json names no context length: add max_position_embeddings")
    return length


def has_state(model: Any) -> bool:
    """May two threads not run this model at once?"""
    rope = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    return isinstance(rope, dict) and rope.get("rope_type") in ROPES_WITH_A_STATE


def _attention(config: Any) -> str:
    """`sdpa`, but for models that cap attention scores: PyTorch's kernel leaves the cap out."""
    return "eager" if getattr(config.get_text_config(), "attn_logit_softcapping", None) else "sdpa"
