"""One forward: the bits of the last tokens of one sequence, and no logits that nobody asked for.

Shapes, for a sequence of n ids of which the last k are scored, over a vocabulary of V:

    ids      BOS  p1  p2  t1  t2  t3      n = 6, k = 3
    input    BOS  p1  p2  t1  t2          (1, n − 1): nothing asks what follows the last token
    logits             ↓   ↓   ↓          (k, V): the model's own `logits_to_keep`, at most LOGITS_BYTES at a time
    bits              t1  t2  t3          (k,) float32: −log₂ softmax(logits)[token]

The logits are in the model's dtype; all that follows them is in float32.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from judge.kernels import Agreed, pack_all
from judge.lean import Unsuitable, lean

BITS_PER_NAT = 1 / math.log(2)
LOGITS_BYTES = 64 * 2**20  # of one chunk, counted in float32
CACHE_FLOATS = 200_000  # reduced at once: they stay in a core's own cache from step to step
# Other kernels and kept positions may only change rounding. More, in bits per token, is another computation.
PROBE_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.25}


class Network:
    """A model that is asked for bits. Safe to use from many threads at once."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.vocabulary: int = model.get_input_embeddings().num_embeddings
        self.device: torch.device = model.get_input_embeddings().weight.device
        self.dtype: torch.dtype = model.dtype
        #: False: this model's `logits_to_keep` is missing or wrong, so all logits are computed
        self.keeps = True
        self._body = _install_body(model)

    def bits(self, ids: list[int], scored: int) -> Tensor:
        """Bits of the last `scored` of `ids`, which is at least 1: float32, (scored,), on the CPU."""
        if not self.keeps or self._body is None:
            return self.plain_bits(ids, scored)
        inputs = torch.tensor([ids[:-1]], device=self.device)
        targets = torch.tensor(ids[-scored:], device=self.device)
        positions = torch.arange(len(ids) - 1 - scored, len(ids) - 1, device=self.device)
        rows = max(1, LOGITS_BYTES // (4 * self.vocabulary))
        with torch.inference_mode(), self._body.remembering():
            nats = [
                surprise(self._logits(inputs, logits_to_keep=kept), wanted)
                for kept, wanted in zip(torch.split(positions, rows), torch.split(targets, rows), strict=True)
            ]
            return _to_bits(torch.cat(nats))

    def plain_bits(self, ids: list[int], scored: int) -> Tensor:
        """The same by the plain full forward: every position's logits, all but the last few dropped."""
        inputs = torch.tensor([ids[:-1]], device=self.device)
        targets = torch.tensor(ids[-scored:], device=self.device)
        with torch.inference_mode():
            return _to_bits(surprise(self._logits(inputs)[-scored:], targets))

    def probe(self, context: int) -> Tensor:
        """Bits of a made-up sequence by the plain full forward, to compare with later."""
        return self.plain_bits(*self._probe(context))

    def check(self, expected: Tensor, context: int) -> bool:
        """Do the kept positions give what `probe` gave? Where not, they are kept no longer."""
        if self._body is not None:
            try:
                self.keeps = self._near(self.bits(*self._probe(context)), expected)
            except (TypeError, RuntimeError, IndexError, AttributeError):  # no such argument, or of another meaning
                self.keeps = False
        return self._near(self.bits(*self._probe(context)), expected)

    def speed_up(self) -> str:
        """On a CPU, faster parts that compute the same; says which, in a word. To be checked afterwards."""
        agreed: Agreed = {}
        how = "packed"
        if self._body is not None:
            try:
                self._body.inner = lean(self._body.inner, agreed)
                how = "lean"
            except Unsuitable:
                pass
        return how if pack_all(self.model, agreed) or how == "lean" else "plain"

    def _logits(self, inputs: Tensor, **kept: Any) -> Tensor:
        logits: Tensor = self.model(input_ids=inputs, use_cache=False, **kept).logits[0]
        return logits

    def _probe(self, context: int) -> tuple[list[int], int]:
        length = min(24, context)
        return [(7 * i + 3) % self.vocabulary for i in range(length)], max(1, length // 2)

    def _near(self, found: Tensor, expected: Tensor) -> bool:
        return bool((found - expected).abs().max() <= PROBE_TOLERANCE[self.dtype])


def surprise(logits: Tensor, targets: Tensor) -> Tensor:
    """−ln softmax(logits)[target] for each row: logits (k, V), targets (k,) → (k,) float32.

    log Σ exp(x − max) + (max − x[target]), some rows at a time: log_softmax would write V floats to read one.
    """
    rows = max(1, CACHE_FLOATS // logits.shape[1])
    scratch = torch.empty(min(rows, len(logits)), logits.shape[1], device=logits.device)
    nats = []
    for part, wanted in zip(torch.split(logits, rows), torch.split(targets, rows), strict=True):
        x = scratch[: len(part)].copy_(part)
        picked = x.gather(1, wanted[:, None])
        top = x.amax(dim=1, keepdim=True)
        total = x.sub_(top).exp_().sum(dim=1, keepdim=True)
        nats.append((total.log_() + (top - picked))[:, 0])
    return torch.cat(nats)


def _to_bits(nats: Tensor) -> Tensor:
    return (nats * BITS_PER_NAT).cpu()


class _Body(nn.Module):
    """The model less its output layer. While it remembers, a thread's second call gets the first's answer.

    So one pass of the body serves several chunks of the output layer, each computed by the model's own
    forward with whatever that does to logits (scales, caps).
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self._thread = threading.local()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self._thread, "remembers", False):
            return self.inner(*args, **kwargs)
        if self._thread.answer is None:
            self._thread.answer = self.inner(*args, **kwargs)
        return self._thread.answer

    @contextmanager
    def remembering(self) -> Iterator[None]:
        self._thread.remembers, self._thread.answer = True, None
        try:
            yield
        finally:
            self._thread.remembers, self._thread.answer = False, None


def _install_body(model: Any) -> _Body | None:
    inner = getattr(model, model.base_model_prefix, None)
    if not isinstance(inner, nn.Module):
        return None
    body = _Body(inner)
    setattr(model, model.base_model_prefix, body)
    return body
