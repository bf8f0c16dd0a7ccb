"""Can this model be a judge? Found out by asking it, before anything depends on the answer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from judge.engine.network import Network, made_up
from judge.errors import JudgeError, one_line

# The greatest change of what precedes a changed text, as a share of what a token costs, that is rounding: experts work
# on batches whose sizes depend on all tokens. A model that sees the future is off by three times as much while it
# knows nothing, and by far more when it has learned something.
ROUNDING = {torch.float32: 1e-5, torch.bfloat16: 0.01}
SHORTER = 5  # so many times that where the text is shorter: all products have another shape then


def stand_trial(network: Network, context: int, name: str) -> None:
    """Ask the model four times, by the plain full forward. It then knows its vocabulary and whether it keeps state.

    Raises JudgeError for a model that cannot be run on ids alone, that gives different bits for the same text, or whose
    bits depend on what comes later.
    """
    ids, _ = made_up(network.vocabulary, context)
    half = len(ids) // 2
    changed = ids[:half] + [(each + 5) % network.vocabulary for each in ids[half:]]
    before = _held(network.model)
    try:
        first, again, other, alone = map(network.surprises, (ids, ids, changed, ids[:half]))
    except Exception as error:  # every model fails in its own way
        raise JudgeError(f"{name} cannot be run as a causal language model: {one_line(error)}") from error
    network.vocabulary = min(network.vocabulary, first.shape[1])
    network.keeps_state = network.keeps_state or _differ(before, _held(network.model))
    rounding = ROUNDING[network.dtype] * float(first.mean())
    if _apart(first, again) > rounding:
        raise JudgeError(f"{name} gives other bits each time for the same text, so it cannot measure")
    if _apart(first[:half], other[:half]) > rounding or _apart(first[:half], alone) > SHORTER * rounding:
        raise JudgeError(
            f"{name} is no causal language model: what it says of a token depends on the text after it; judges read "
            "one way only, as GPT and Llama do"
        )


def _apart(some: Tensor, others: Tensor) -> float:
    return float((some - others).abs().max())


def _held(model: nn.Module) -> list[dict[str, Any]]:
    """What each module holds beside its weights and its parts."""
    return [{**vars(module), **module._buffers} for module in model.modules()]


def _differ(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
    return any(
        one.keys() != other.keys() or any(one[name] is not other[name] for name in one)
        for one, other in zip(before, after, strict=True)
    )
