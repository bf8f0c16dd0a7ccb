"""What the judge is compared with: transformers as most people use it, and the matrix products alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from judge.engine.cpu_lanes import AT_ONCE
from judge.engine.packed import Packed
from judge.judge import Judge, Pair


class Plain:
    """Transformers alone, on all cores."""

    def __init__(self, folder: Path, measured: Judge, dtype: str, device: torch.device) -> None:
        kind: Any = transformers.AutoModelForCausalLM
        self.model = kind.from_pretrained(folder, dtype=getattr(torch, dtype)).eval().to(device)
        self.device, self.tokens, self.bos = device, measured.tokens, measured.bos

    def loop(self, pairs: Sequence[Pair]) -> None:
        """One at a time, all logits, and the text without its prefix measured anew for each."""
        for pair in pairs:
            self.forward(pair)
            self.forward(Pair("", pair.text))

    def forward(self, pair: Pair) -> list[float]:
        """Nats of each token of the text."""
        before, text = self._ids(pair)
        with torch.inference_mode():
            logits = self.model(torch.tensor([before + text], device=self.device)).logits[0, len(before) - 1 : -1]
            log_p = torch.log_softmax(logits.float(), dim=-1)
            nats: list[float] = (-log_p.gather(1, self._column(text))[:, 0]).tolist()
        return nats

    def batches(self, pairs: Sequence[Pair], size: int) -> None:
        """As lm-evaluation-harness asks: sorted, filled up, all logits, and whether the text is the likeliest."""
        rows = sorted(map(self._ids, pairs), key=lambda row: -len(row[0]) - len(row[1]))
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            width = max(len(before) + len(text) for before, text in batch) - 1
            inputs = torch.zeros(len(batch), width, dtype=torch.long)
            for i, (before, text) in enumerate(batch):
                inputs[i, : len(before) + len(text) - 1] = torch.tensor((before + text)[:-1])
            with torch.inference_mode():
                log_p = torch.log_softmax(self.model(inputs.to(self.device)).logits, dim=-1)
                for i, (before, text) in enumerate(batch):
                    part = log_p[i, len(before) - 1 : len(before) + len(text) - 1]
                    part.argmax(dim=-1).tolist()
                    part.gather(1, self._column(text)).sum().item()

    def _ids(self, pair: Pair) -> tuple[list[int], list[int]]:
        assert self.bos is not None
        return [self.bos, *self.tokens.ids(pair.prefix)], self.tokens.ids(pair.text)

    def _column(self, ids: list[int]) -> Tensor:
        return torch.tensor(ids, device=self.device)[:, None]


def harness(plain: Plain, folder: Path) -> Callable[[Sequence[Pair], int], None] | None:
    """lm-evaluation-harness on the same model; None where it is not installed."""
    try:
        from lm_eval.api.instance import Instance  # type: ignore[import-not-found, unused-ignore]
        from lm_eval.models.huggingface import HFLM  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    asked = HFLM(pretrained=plain.model, tokenizer=tokenizer, add_bos_token=True)

    def run(pairs: Sequence[Pair], size: int) -> None:
        asked.batch_size_per_gpu = size
        asked.loglikelihood(
            [Instance("loglikelihood", {}, (pair.prefix, pair.text), i) for i, pair in enumerate(pairs)],
            disable_tqdm=True,
        )

    return run


class Matrix:
    """The products of `jobs` sequences with every linear layer, and nothing between them.

    What a device does at best at these shapes: weights in its cache from one sequence to the next as they are for
    ours, by the faster of PyTorch's plain and packed operators, on as many threads as lanes.
    """

    def __init__(self, model: Any, tokens: int, scored: int, lanes: int) -> None:
        self.lanes = lanes
        self.cuda = model.device.type == "cuda"
        # On CUDA many sequences are one product; on a CPU each is one of its own.
        self.at_once, self.rounds = (16, 4) if self.cuda else (1, AT_ONCE)
        self.jobs = self.at_once * self.rounds * lanes
        self.weights = list(_linear(model))
        self.rows = [self.at_once * (scored if is_head else tokens) for _, is_head in self.weights]
        self.flops = sum(
            2 * rows * weight.numel() / self.at_once for rows, (weight, _) in zip(self.rows, self.weights, strict=True)
        )
        self.inputs = [
            torch.randn(rows, weight.shape[1], dtype=model.dtype, device=model.device)
            for rows, (weight, _) in zip(self.rows, self.weights, strict=True)
        ]
        self.ways = {"plain": [_product(weight) for weight, _ in self.weights]}
        if not self.cuda and (packed := _packed([weight for weight, _ in self.weights])):
            self.ways["packed"] = packed

    def run(self, way: str, pool: ThreadPoolExecutor) -> None:
        list(pool.map(lambda _: self._lane(self.ways[way]), range(self.lanes)))
        if self.cuda:
            torch.cuda.synchronize()

    def _lane(self, layers: Sequence[Callable[[Tensor], Tensor]]) -> None:
        torch.set_num_threads(1)
        with torch.inference_mode():
            for layer, x in zip(layers, self.inputs, strict=True):
                for _ in range(self.rounds):
                    layer(x)


def _linear(model: Any) -> Iterator[tuple[Tensor, bool]]:
    """(weight (out, in), is it the output layer?) of every linear layer."""
    for name, module in model.named_modules():
        if isinstance(module, Conv1D):
            yield module.weight.data.t().contiguous(), False
        elif isinstance(module, torch.nn.Linear):
            yield module.weight.data, name == "lm_head"


def _product(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.nn.functional.linear(x, weight)


def _packed(weights: Sequence[Tensor]) -> list[Callable[[Tensor], Tensor]]:
    try:
        return [Packed(weight, None) for weight in weights]
    except (RuntimeError, AttributeError):  # not built into this PyTorch, or not for this processor
        return []
