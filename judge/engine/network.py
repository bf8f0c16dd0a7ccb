"""One forward: the bits of the last tokens of a sequence, and no logits that nobody asked for.

Shapes, for a sequence of n ids of which the last k are scored, over a vocabulary of V:

    ids      BOS  p1  p2  t1  t2  t3      n = 6, k = 3
    input    BOS  p1  p2  t1  t2          n − 1: nothing asks what follows the last token
    logits             ↓   ↓   ↓          (k, V): `logits_to_keep`, at most LOGITS_BYTES at a time
    bits              t1  t2  t3          (k,) float32: −log₂ softmax(logits)[token]

The logits are in the model's dtype; all that follows them is in float32. Where the output layer is cut across the
vocabulary, each part leaves three numbers a row, from which the bits follow.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions as Output

from judge.engine.lean import Lean, Part, Unsuitable, lean
from judge.engine.packed import Verified, pack_all
from judge.loading.model import has_state

A = TypeVar("A")
B = TypeVar("B")

Job = tuple[list[int], int]  # ids, how many of the last are scored
Share = Callable[[Callable[[A], B], Sequence[A]], list[B]]  # some work, done on each item by whoever has time

BITS_PER_NAT = 1 / math.log(2)
LOGITS_BYTES = 64 * 2**20  # of one chunk, counted in float32
STEP_ROWS = 128  # of logits in one step: as much work as a layer is
CACHE_FLOATS = 200_000  # reduced at once on a CPU: they stay in a core's own cache from step to step


def alone(work: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """`work` on each item, by nobody else."""
    return [work(item) for item in items]


class Network:
    """A model that is asked for bits. Safe to use from many threads at once."""

    def __init__(self, model: Any) -> None:
        embedding = model.get_input_embeddings()
        self.model = model
        #: how many ids it takes and gives
        self.vocabulary: int = embedding.num_embeddings
        self.device: torch.device = embedding.weight.device
        self.dtype: torch.dtype = embedding.weight.dtype
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        #: False: this model's `logits_to_keep` is missing or wrong, so all logits are computed
        self.supports_logits_to_keep = True
        #: does it leave something behind on itself, so that two threads may not run it at once?
        self.keeps_state = has_state(model)
        #: does it send each token to some of many layers, each of which works on what it gets at once?
        self.has_experts = any("Experts" in type(module).__name__ for module in model.modules())
        self.head_rows = max(1, LOGITS_BYTES // (4 * self.vocabulary))
        self._body = _install_body(model)
        #: the model written out in few steps, once `speed_up` has brought it
        self.lean_model: Lean | None = None
        self._verified: Verified = {}

    def bits(self, jobs: Sequence[Job], share: Share[Part, list[Tensor]] = alone) -> list[Tensor]:
        """For each job the bits of its scored ids, at least one: float32, (scored,), on the CPU.

        Each job is computed in calls of its own, whatever the others are. `share` may let others do some of them.
        """
        with torch.inference_mode():
            if self.lean_model is None:
                return [self._alone(ids, scored) for ids, scored in jobs]
            rows = [torch.tensor(ids[:-1]) for ids, _ in jobs]
            hidden = self.lean_model.hidden(rows, [scored for _, scored in jobs])
            wanted = [torch.tensor(ids[-scored:]) for ids, scored in jobs]

            def partials(part: Part) -> list[Tensor]:
                with torch.inference_mode():  # said in each thread
                    return [
                        self._partial_logsumexp(part, x, targets) for x, targets in zip(hidden, wanted, strict=True)
                    ]

            return [to_bits(combine(parts)) for parts in zip(*share(partials, self.lean_model.head), strict=True)]

    def last_logits(self, ids: list[int]) -> Tensor:
        """What may follow `ids`: float32 logits, (V,), on the CPU."""
        inputs = torch.tensor([ids], device=self.device)
        with torch.inference_mode():
            if self.lean_model is not None:
                (hidden,) = self.lean_model.hidden([inputs[0]], [1])
                return torch.cat([part.layer.forward(hidden) for part in self.lean_model.head], 1)[0].float()
            kept = {"logits_to_keep": 1} if self.supports_logits_to_keep else {}
            return self._logits(inputs, **kept)[-1].float().cpu()

    def logits_in_steps(self, ids: list[int], scored: int) -> Generator[Tensor | None, None, Tensor]:
        """Float32 logits before each of the last `scored` ids, in order and some rows at a time, (some, V) on the CPU;
        a None wherever whoever asks may pause. Returns the bits of these ids, on a CPU those that `bits` gives: to the
        last one, unless the machine's product of many rows is another than that of 128 at a time.

        The sequence is computed in calls of its own. Each step may be taken by another thread.
        """
        targets = torch.tensor(ids[-scored:], device=self.device)
        if self.lean_model is not None:
            return (yield from self._lean_steps(self.lean_model, torch.tensor(ids[:-1]), targets))
        found = []
        hidden = None
        with torch.inference_mode():
            inputs = torch.tensor([ids[:-1]], device=self.device)
            if not self.supports_logits_to_keep:
                rows = [self._logits(inputs)[-scored:]]
            elif scored <= self.head_rows:
                rows = [self._logits(inputs, logits_to_keep=scored)]
            else:
                hidden = self.body(inputs)[0, -scored:]
                rows = list(torch.split(hidden, self.head_rows))
        for x, wanted in zip(rows, torch.split(targets, len(rows[0])), strict=True):
            with torch.inference_mode():
                logits = x if hidden is None else self.head(x)
                found.append(nll(logits, wanted))
                told = logits.float().cpu()
            yield told
        with torch.inference_mode():
            return to_bits(torch.cat(found)).cpu()

    def _lean_steps(self, model: Lean, inputs: Tensor, targets: Tensor) -> Generator[Tensor | None, None, Tensor]:
        with torch.inference_mode():
            x = model.first(inputs)
        for layer in model.layers:
            yield None
            with torch.inference_mode():
                (x,) = layer([x])
        partials: list[list[Tensor]] = [[] for _ in model.head]
        with torch.inference_mode():
            rows = min(self.head_rows, STEP_ROWS)
            chunks = torch.split(model.norm(x[-len(targets) :]), rows)
        for hidden, wanted in zip(chunks, torch.split(targets, rows), strict=True):
            logits: list[Tensor] = []
            for part, found in zip(model.head, partials, strict=True):
                yield None
                with torch.inference_mode():
                    logits.append(part.layer.forward(hidden))
                    found.append(partial_logsumexp(logits[-1], wanted, part.first))
            with torch.inference_mode():
                told = torch.cat(logits, 1).float()
            yield told
        with torch.inference_mode():
            return to_bits(combine([torch.cat(found, 1) for found in partials]))

    def body(self, inputs: Tensor) -> Tensor:
        """Last hidden states: ids (rows, columns) → (rows, columns, width), on the device."""
        hidden: Tensor = self._body.inner(input_ids=inputs, use_cache=False)[0]
        return hidden

    def head(self, hidden: Tensor) -> Tensor:
        """Logits of hidden states (k, width) → (k, V), by the model's own forward without its body."""
        with self._body.answering(hidden[None]):
            return self._logits(torch.zeros(1, 1, dtype=torch.long, device=self.device))

    def probe(self, context: int) -> Tensor:
        """Bits of a made-up sequence by the plain full forward, to compare with later."""
        with torch.inference_mode():
            return self._plain(*made_up(self.vocabulary, context)).cpu()

    def surprises(self, ids: list[int]) -> Tensor:
        """What each token of the vocabulary would cost after each of `ids`, by the plain full forward: (n, V) bits."""
        with torch.inference_mode():
            logits = self._logits(torch.tensor([ids], device=self.device))
            return to_bits(-torch.log_softmax(logits.float(), dim=1)).cpu()

    def check(self, expected: Tensor, context: int, tolerance: float) -> float:
        """How far the model is from what `probe` gave, as `difference` says it.

        Where only keeping some logits is further away than `tolerance`, all are computed from then on.
        """
        ids, scored = made_up(self.vocabulary, context)
        try:
            (kept,) = self.bits([(ids, scored)])
            split = self._split_forward(ids, scored)
            self.supports_logits_to_keep = all(difference(x, expected) <= tolerance for x in (kept, split))
        except (TypeError, RuntimeError, IndexError, AttributeError):  # no such argument, no such part
            self.supports_logits_to_keep = False
        return difference(self.bits([(ids, scored)])[0], expected)

    def speed_up(self, engine: str) -> None:
        """On a CPU, the faster parts of `lean` or `packed`; to be checked afterwards.

        Raises Unsuitable where this model cannot have them: it is then as it was.
        """
        if engine == "lean":
            self.lean_model = lean(self.model, self._body.inner, self._verified)
            self._body.inner = nn.Identity()  # its weights are in the lean one
        elif not pack_all(self.model, self._verified):
            raise Unsuitable("none of its layers can be packed on this machine")

    def _alone(self, ids: list[int], scored: int) -> Tensor:
        if not self.supports_logits_to_keep:
            return self._plain(ids, scored).cpu()
        inputs = torch.tensor([ids[:-1]], device=self.device)
        if scored > self.head_rows:
            return self._scored(self.body(inputs)[0, -scored:], ids)
        targets = torch.tensor(ids[-scored:], device=self.device)
        return to_bits(nll(self._logits(inputs, logits_to_keep=scored), targets)).cpu()

    def _partial_logsumexp(self, part: Part, hidden: Tensor, targets: Tensor) -> Tensor:
        """`partial_logsumexp` of one part of the output layer at hidden states (k, width): (3, k)."""
        chunks = zip(torch.split(hidden, self.head_rows), torch.split(targets, self.head_rows), strict=True)
        return torch.cat([partial_logsumexp(part.layer.forward(x), wanted, part.first) for x, wanted in chunks], 1)

    def _scored(self, hidden: Tensor, ids: list[int]) -> Tensor:
        """Bits of the last of `ids` from the hidden states (k, width) before them."""
        wanted = torch.tensor(ids[-len(hidden) :], device=self.device)
        parts = zip(torch.split(hidden, self.head_rows), torch.split(wanted, self.head_rows), strict=True)
        return to_bits(torch.cat([nll(self.head(part), targets) for part, targets in parts])).cpu()

    def _plain(self, ids: list[int], scored: int) -> Tensor:
        """Bits by the plain full forward: every position's logits, all but the last few dropped."""
        targets = torch.tensor(ids[-scored:], device=self.device)
        logits = self._logits(torch.tensor([ids[:-1]], device=self.device))
        return to_bits(nll(logits[-scored:], targets))

    def _split_forward(self, ids: list[int], scored: int) -> Tensor:
        """Bits by the body and the output layer asked one after the other."""
        if self.lean_model is not None:
            return self.bits([(ids, scored)])[0]
        with torch.inference_mode():
            return self._scored(self.body(torch.tensor([ids[:-1]], device=self.device))[0, -scored:], ids)

    def _logits(self, inputs: Tensor, **kept: Any) -> Tensor:
        logits: Tensor = self.model(input_ids=inputs, use_cache=False, **kept).logits[0]
        return logits


def difference(found: Tensor, expected: Tensor) -> float:
    """The greatest difference of a token's bits, as a share of what a token of `expected` costs on average."""
    return float((found - expected).abs().max() / expected.abs().mean())


def nll(logits: Tensor, targets: Tensor) -> Tensor:
    """−ln softmax(logits)[target] for each row: logits (k, V), targets (k,) → (k,) float32."""
    return combine([partial_logsumexp(logits, targets)])


def partial_logsumexp(logits: Tensor, targets: Tensor, first: int = 0) -> Tensor:
    """What the logits of the tokens from `first` on give to the surprise: (k, some) and targets (k,) → (3, k) float32.

    For each row max x, Σ exp(x − max x), and x[target], or 0 where the target is none of these tokens. Some rows at a
    time: log_softmax would write as many floats to read one.
    """
    count = logits.shape[1]
    rows = max(1, CACHE_FLOATS // count) if logits.device.type == "cpu" else len(logits)
    scratch = torch.empty(min(rows, len(logits)), count, device=logits.device)
    columns = targets - first
    elsewhere = (columns < 0) | (columns >= count)
    picked = logits.gather(1, columns.clamp(0, count - 1)[:, None])[:, 0].float().masked_fill_(elsewhere, 0)
    tops, totals = [], []
    for part in torch.split(logits, rows):
        x = scratch[: len(part)]
        full = part if part.dtype == torch.float32 else x.copy_(part)
        top = full.amax(dim=1, keepdim=True)
        tops.append(top[:, 0])
        totals.append(torch.sub(full, top, out=x).exp_().sum(dim=1))
    return torch.stack([torch.cat(tops), torch.cat(totals), picked])


def combine(partials: Sequence[Tensor]) -> Tensor:
    """The surprise from the partials (3, k) of all parts of the vocabulary: (k,) nats.

    log Σ exp(x − max) + (max − x[target])
    """
    tops, totals, picked = torch.stack(list(partials)).unbind(1)
    top = tops.amax(dim=0)
    return (totals * (tops - top).exp_()).sum(dim=0).log_() + (top - picked.sum(dim=0))


def to_bits(nats: Tensor) -> Tensor:
    """Nats to bits, in float32."""
    return nats * BITS_PER_NAT


class _Answer(Output):
    """What a body gives, and None for whatever else a model looks for (where its experts' routers sent tokens)."""

    def __getattr__(self, name: str) -> None:
        return None


class _Body(nn.Module):
    """The model less its output layer. A thread may say what it answers.

    So one pass of the body serves several chunks of the output layer, each computed by the model's own forward
    with whatever that does to logits (scales, caps). Whatever else a model asks of its body, the body answers.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self._thread = threading.local()

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        answer = getattr(self._thread, "answer", None)
        return self.inner(*args, **kwargs) if answer is None else answer

    @contextmanager
    def answering(self, hidden: Tensor) -> Iterator[None]:
        self._thread.answer = _Answer(last_hidden_state=hidden)
        try:
            yield
        finally:
            self._thread.answer = None


def _install_body(model: Any) -> _Body:
    """Put a _Body where the model keeps its body; where it keeps none, one that nothing calls."""
    decoder = model.get_decoder()
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is decoder:
                body = _Body(decoder)
                setattr(parent, name, body)
                return body
    return _Body(nn.Identity())


def made_up(vocabulary: int, context: int) -> Job:
    """A sequence to try a model on."""
    length = min(24, context)
    return [(7 * i + 3) % vocabulary for i in range(length)], max(1, length // 2)
