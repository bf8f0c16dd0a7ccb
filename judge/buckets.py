"""Buckets: how sequences run on a CUDA device, many at a time and always in the same shape.

A sequence of a given length always runs as one row of the same (rows, columns), filled up with empty rows where
fewer wait; so the kernels, and with them the order of every sum, never depend on what waits beside it. Rows are
filled up on the right, where causal attention cannot see them. The output layer runs over the scored positions
of all rows, a fixed number at a time. `tokens` bounds both the memory and what a lone sequence pays for.

The body of each shape is captured once as a CUDA graph and replayed; the host then prepares the next batch
while the device works, and fetches a batch's bits after it has started the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from judge.batching import Shape, fill
from judge.forward import Job, Network, surprise, to_bits

# Work of one batch in multiplications and additions: a few milliseconds of a data-centre GPU.
BATCH_WORK = {torch.float32: 3e11, torch.bfloat16: 3e12}
FEWEST_TOKENS, MOST_TOKENS = 256, 16_384


class Buckets:
    """Runs jobs (ids, how many of the last are scored) in fixed shapes."""

    def __init__(self, network: Network, context: int) -> None:
        self._network = network
        self._context = context
        self._bodies: dict[Shape, _Graph] = {}
        self._graphs = network.device.type == "cuda"
        self._head_rows = min(512, network.head_rows)
        self.tokens = tokens_for(network)

    def warm_up(self) -> None:
        """Run the worst shape once. Out of memory halves `tokens`, before anything is measured."""
        while True:
            length = self._context - 1
            try:
                list(self.each([([0] * (length + 1), length)]))
                return
            except torch.cuda.OutOfMemoryError:
                self._bodies.clear()
                torch.cuda.empty_cache()
                if self.tokens <= FEWEST_TOKENS:
                    raise
                self.tokens //= 2

    def each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Tensor]]:
        """Yield (index, bits (scored,) float32 on the CPU), batch by batch, longest first."""
        lengths = [len(ids) - 1 for ids, _ in jobs]
        running: tuple[list[int], list[int], Tensor] | None = None
        for shape, members in fill(lengths, context=self._context, tokens=self.tokens):
            started = self._start(shape, [jobs[index] for index in members])
            if running is not None:
                yield from _fetch(*running)
            running = (members, [jobs[index][1] for index in members], started)
        if running is not None:
            yield from _fetch(*running)

    def map(self, work: Callable[[list[int]], Tensor], rows: Sequence[list[int]]) -> list[Tensor]:
        """`work` on each row, each alone."""
        return [work(row) for row in rows]

    def _start(self, shape: Shape, jobs: Sequence[Job]) -> Tensor:
        """Bits of all scored tokens of a batch, one after the other, still on the device."""
        inputs = torch.zeros(shape.rows, shape.columns, dtype=torch.long)
        places: list[int] = []
        targets: list[int] = []
        for row, (ids, scored) in enumerate(jobs):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            first = row * shape.columns + len(ids) - 1 - scored
            places.extend(range(first, first + scored))
            targets.extend(ids[-scored:])
        with torch.inference_mode():
            hidden = self._body(shape, self._sent(inputs))
            return to_bits(self._scored(hidden.flatten(0, 1), places, targets))

    def _scored(self, hidden: Tensor, places: list[int], targets: list[int]) -> Tensor:
        """The output layer at some rows of `hidden` (rows · columns, width), the same number at a time."""
        missing = -len(places) % self._head_rows
        at = self._sent(torch.tensor(places + [0] * missing))
        wanted = self._sent(torch.tensor(targets + [0] * missing))
        nats = [
            surprise(self._network.head(hidden[part]), ids)
            for part, ids in zip(torch.split(at, self._head_rows), torch.split(wanted, self._head_rows), strict=True)
        ]
        return torch.cat(nats)[: len(places)]

    def _body(self, shape: Shape, inputs: Tensor) -> Tensor:
        if not self._graphs:
            return self._network.body(inputs)
        if shape not in self._bodies:
            self._bodies[shape] = _Graph(self._network, inputs)
        return self._bodies[shape].replay(inputs)

    def _sent(self, tensor: Tensor) -> Tensor:
        if self._network.device.type != "cuda":
            return tensor
        return tensor.pin_memory().to(self._network.device, non_blocking=True)


class _Graph:
    """The body at one shape, captured."""

    def __init__(self, network: Network, inputs: Tensor) -> None:
        self._inputs = inputs.clone()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):  # libraries set themselves up in the first runs, which a capture may not see
                network.body(self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._hidden = network.body(self._inputs)

    def replay(self, inputs: Tensor) -> Tensor:
        self._inputs.copy_(inputs)
        self._graph.replay()
        return self._hidden


def tokens_for(network: Network) -> int:
    """How many tokens a batch holds: a function of the model's size and dtype alone, never of a timing."""
    tokens = int(BATCH_WORK[network.dtype] / (2 * network.parameters))
    return max(FEWEST_TOKENS, min(MOST_TOKENS, tokens))


def _fetch(members: list[int], counts: list[int], bits: Tensor) -> Iterator[tuple[int, Tensor]]:
    parts = torch.split(bits.cpu(), counts)
    yield from zip(members, parts, strict=True)
