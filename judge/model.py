"""The model: loaded the one safe way, asked for the bits of the last tokens of one sequence.

Shapes, for a sequence of n ids of which the last k are scored:

    ids      BOS  p1  p2  t1  t2  t3        n = 6, k = 3
    input    BOS  p1  p2  t1  t2            n - 1: nothing asks what follows the last token
    logits             ↓   ↓   ↓            k rows of the vocabulary: `logits_to_keep=k`
    scores            t1  t2  t3            bits = -log2 softmax(logits)[token], float32
"""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from judge.errors import JudgeError
from judge.source import Source

_logging: Any = logging  # untyped functions

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
BITS_PER_NAT = 1 / math.log(2)
# Keeping the logits of some positions may only change rounding: more than this is another computation.
PROBE_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.25}


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


def surprise(model: Any, ids: list[int], scored: int, *, keep: bool = True) -> torch.Tensor:
    """Bits of the last `scored` of `ids`: float32, shape (scored,), on the CPU.

    `keep=False` computes the logits of every position and drops the rest: the plain full forward.
    """
    device = next(model.parameters()).device
    inputs = torch.tensor([ids[:-1]], device=device)
    targets = torch.tensor(ids[-scored:], device=device)
    with torch.inference_mode():
        kept = {"logits_to_keep": scored} if keep else {}
        logits = model(input_ids=inputs, use_cache=False, **kept).logits[0, -scored:]
        log_p = torch.log_softmax(logits.float(), dim=-1)
        nats = -log_p.gather(1, targets[:, None])[:, 0]
        # + 0.0 turns the -0.0 of a certain token into 0.0
        return (nats * BITS_PER_NAT + 0.0).cpu()


def keeps_logits(model: Any, *, dtype: str, vocabulary: int, context: int) -> bool:
    """Does `logits_to_keep` give what the plain full forward gives? One probe of at most 24 tokens."""
    length = min(24, context)
    ids = [(7 * i + 3) % vocabulary for i in range(length)]
    scored = max(1, length // 2)
    try:
        quick = surprise(model, ids, scored)
    except TypeError:  # a model without the argument
        return False
    return bool((quick - surprise(model, ids, scored, keep=False)).abs().max() <= PROBE_TOLERANCE[dtype])


def _attention(config: Any) -> str:
    """`sdpa`, but for models that cap attention scores: PyTorch's kernel leaves the cap out."""
    text = config.get_text_config()
    return "eager" if getattr(text, "attn_logit_softcapping", None) else "sdpa"
