"""The measure said again as plainly as can be, to compare with: float64, full logits, transformers alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(folder: Path, dtype: torch.dtype = torch.float64) -> tuple[Any, Any]:
    """(model, tokenizer). Attention is the eager one: what its authors wrote, no kernel."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager")
    return model.eval(), AutoTokenizer.from_pretrained(folder, split_special_tokens=True)


def bits(model: Any, tokenizer: Any, bos: int, prefix: str, text: str) -> list[float]:
    """−log₂ P of each token of `text` after BOS and `prefix`."""
    before = [bos, *tokenizer(prefix, add_special_tokens=False).input_ids]
    ids = tokenizer(text, add_special_tokens=False).input_ids
    with torch.no_grad():
        logits = model(torch.tensor([before + ids])).logits[0].double()
    log_p = torch.log_softmax(logits, dim=-1)
    return [-log_p[len(before) - 1 + i, token].item() / math.log(2) for i, token in enumerate(ids)]
