"""A judge's model one token at a time: what may follow what was read so far, with the same floats every time.

A forward over a whole text rounds otherwise than one over its tokens one by one, so whoever has to find the same floats
without the text (compression, both ways) takes this path and no other. Keys and values of what was read are kept where
the model can; where it cannot, each step reads everything again.

Of a long text a window is read: where it is full, its later half is read anew after BOS, in one forward.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from judge.engine.network import difference, made_up, to_bits
from judge.errors import NotFinite

WINDOW = 2048  # tokens at most, BOS included: keeping more would make each step longer and longer
# The greatest difference of a token's bits that reading with what was kept may make, as a share of what it costs.
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.03}


class Stepper:
    """A model that reads token by token, with weights of its own. For one thread at a time.

    `vocabulary` is how many ids it tells of, `context` how many it may read; a model that `keeps_state` from text to
    text is read with nothing else kept.
    """

    def __init__(self, model: Any, *, bos: int, vocabulary: int, context: int, keeps_state: bool) -> None:
        self.window = min(WINDOW, context)
        self._model, self._bos, self._vocabulary = model, bos, vocabulary
        self.device: torch.device = model.get_input_embeddings().weight.device
        #: Are keys and values kept? A part of what computes.
        self.keeps = not keeps_state and self._can_keep()

    def begin(self) -> Walk:
        """A new text, of which only BOS has been read."""
        return Walk(self, self._bos)

    def read(self, ids: list[int], kept: Any = None) -> tuple[Tensor, Any]:
        """What may follow after more ids: float32 logits (V,) on the CPU, and what is to be kept for the next step.

        Raises NotFinite."""
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # said every time: others may set it, and sums hang on it
        with torch.inference_mode():
            inputs = torch.tensor([ids], device=self.device)
            past = {"past_key_values": kept, "use_cache": True} if self.keeps else {"use_cache": False}
            found = self._model(input_ids=inputs, **past)
            logits = found.logits[0, -1, : self._vocabulary].float().cpu()
        if not torch.isfinite(logits).all():
            raise NotFinite
        return logits, found.past_key_values if self.keeps else None

    def _can_keep(self) -> bool:
        """Does it say the same of a made-up text with what it kept as without?"""
        ids, _ = made_up(self._vocabulary, self.window)
        self.keeps = True
        try:
            rows, kept = [], None
            for token in ids:
                logits, kept = self.read([token], kept)
                rows.append(logits)
                if kept is None:
                    return False
            with torch.inference_mode():
                whole = self._model(input_ids=torch.tensor([ids], device=self.device), use_cache=False).logits[0]
        except Exception:  # each model that cannot fails in its own way
            return False
        expected, found = (
            to_bits(-torch.log_softmax(each[:, : self._vocabulary].float().cpu(), dim=1))
            for each in (whole, torch.stack(rows))
        )
        return difference(found, expected) <= TOLERANCE[whole.dtype]


class Walk:
    """One text as it is read."""

    def __init__(self, stepper: Stepper, bos: int) -> None:
        self._stepper, self._row = stepper, [bos]
        self.logits, self._kept = stepper.read(self._row)

    def take(self, token: int) -> None:
        """Read on: `logits` are then what may follow this token."""
        if len(self._row) == self._stepper.window:
            again = self._stepper.window // 2 - 1
            self._row, self._kept = [self._row[0], *self._row[len(self._row) - again :]], None
            new = [*self._row, token]
        elif self._kept is None:
            new = [*self._row, token]
        else:
            new = [token]
        self._row.append(token)
        self.logits, self._kept = self._stepper.read(new, self._kept)
