"""What scores should be, computed with plain transformers and nothing of ours but the word rule."""

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support.frames import framed

POCKET = Path(__file__).parents[3] / "judge" / "pocket"


@lru_cache(maxsize=4)
def _loaded(folder: Path) -> tuple[Any, Any]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
    return model.requires_grad_(False), AutoTokenizer.from_pretrained(folder)


def bits(prefix: str, text: str, folder: Path = POCKET) -> list[float]:
    """Bits of each token of `text` after BOS and `prefix`, both tokenised apart."""
    model, tokenizer = _loaded(folder)
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    before = [first, *tokenizer(prefix, add_special_tokens=False)["input_ids"]]
    after = tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = model(torch.tensor([before + after])).logits[0].double()
    logs = torch.log_softmax(logits, dim=-1)
    return [-logs[len(before) + i - 1, token].item() / math.log(2) for i, token in enumerate(after)]


def saved(hint: str, text: str, folder: Path = POCKET) -> float:
    """What a hint earns in Condense, in bits: the text in the empty frame, less the text in the frame with the hint."""
    return sum(bits(framed(""), text, folder)) - sum(bits(framed(hint), text, folder))


STOCK = """harbour ship night storm sailor captain rope anchor island gull wave deep cold wind moon star lantern fish
net rudder mast deck crew voyage port coast rock sand shell whale oar drift fog light bell watch map compass"""


def words(count: int, seed: int) -> Sequence[str]:
    """Distinct short prefixes, none of whose words stand in the passages of the tests."""
    stock, made = STOCK.split(), []
    for i in range(count):
        chosen = [stock[(seed * 7919 + i) * step % len(stock)] for step in (1, 3, 7)]
        made.append(" ".join([*chosen, str(i)]))
    return made
