"""Buckets: how sequences run on a CUDA device, many at a time and always in the same shape.

A sequence of a given length always runs as one row of the same (rows, columns), filled up with empty rows where
fewer wait; so the kernels, and with them the order of every sum, never depend on what waits beside it. Rows are
filled up on the right, where causal attention cannot see them. The output layer runs over the scored positions
of all rows, a fixed number at a time. `tokens` bounds both the memory and what a lone sequence pays for.

Every shape is run once at load, the largest first: that takes all the memory that will be needed. There a row is
also compared with its copies in all other rows of the shape, and with itself beside other rows: where a kernel treats
rows unequally, each runs alone. So does each of a model with experts: what one computes at once are tokens of all rows.

The body of each shape is captured as a CUDA graph and replayed; a model that cannot be captured (Gemma 2 makes its mask
on the host) runs without. The host prepares the next batch while the device works, and the device never waits for bits
to be fetched: they are copied out behind each batch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from judge.engine.batching import Shape, fill, shape_for
from judge.engine.memory import is_out_of_memory
from judge.engine.network import Job, Network, nll, to_bits
from judge.errors import OutOfMemory

A = TypeVar("A")

log = logging.getLogger(__name__)

# Work of one batch in multiplications and additions: a few milliseconds of a data-centre GPU.
BATCH_WORK = {torch.float32: 3e11, torch.bfloat16: 3e12}
FEWEST_TOKENS, MOST_TOKENS = 256, 16_384


@dataclass(frozen=True, slots=True)
class _Started:
    """A batch that the device works on; its bits are there once `done` has come."""

    members: list[int]
    counts: list[int]
    bits: Tensor
    done: Any

    def fetch(self) -> Iterator[tuple[int, Tensor]]:
        if self.done is not None:
            self.done.synchronize()
        yield from zip(self.members, torch.split(self.bits, self.counts), strict=True)


class Buckets:
    """Runs jobs (ids, how many of the last are scored) in fixed shapes. Safe to use from many threads."""

    def __init__(self, network: Network, context: int) -> None:
        self._network = network
        self._context = context
        self._cuda = network.device.type == "cuda"
        #: do batches run as CUDA graphs?
        self.captures = self._cuda
        self._head_rows = min(512, network.head_rows)
        self._graphs: dict[Shape, _Graph] = {}
        self._room: _Room | None = None
        self._turn = threading.Lock()  # a graph has one place for its input
        self.tokens = 1 if network.has_experts else tokens_for(network)

    @property
    def name(self) -> str:
        return f"buckets of {self.tokens}{' without graphs' if self._cuda and not self.captures else ''}"

    def warm_up(self) -> None:
        """Run every shape once. Out of memory halves `tokens`; raises OutOfMemory where that does not help."""
        while not self._has_run_all():
            self._shrink()

    def each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Tensor]]:
        """Yield (index, bits (scored,) float32 on the CPU), batch by batch, longest first."""
        waiting = self._filled(jobs, range(len(jobs)))
        running: _Started | None = None
        while waiting:
            shape, members = waiting[0]
            started = self._tried(shape, members, jobs)
            if running is not None:
                yield from running.fetch()
            if started is None:
                self._shrink()
                waiting = self._filled(jobs, [index for _, batch in waiting for index in batch])
            else:
                waiting = waiting[1:]
            running = started
        if running is not None:
            yield from running.fetch()

    def map(self, work: Callable[[list[int]], A], rows: Sequence[list[int]]) -> list[A]:
        """`work` on each row, each alone."""
        return [work(row) for row in rows]

    def _filled(self, jobs: Sequence[Job], which: Sequence[int]) -> list[tuple[Shape, list[int]]]:
        batches = fill([len(jobs[index][0]) - 1 for index in which], context=self._context, tokens=self.tokens)
        return [(shape, [which[i] for i in members]) for shape, members in batches]

    def _tried(self, shape: Shape, members: list[int], jobs: Sequence[Job]) -> _Started | None:
        """The batch, begun; None where memory ran out."""
        try:
            return self._start(shape, members, [jobs[index] for index in members])
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        return None

    def _start(self, shape: Shape, members: list[int], jobs: Sequence[Job]) -> _Started:
        inputs = torch.zeros(shape.rows, shape.columns, dtype=torch.long)
        positions: list[int] = []
        targets: list[int] = []
        for row, (ids, scored) in enumerate(jobs):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            first = row * shape.columns + len(ids) - 1 - scored
            positions.extend(range(first, first + scored))
            targets.extend(ids[-scored:])
        counts = [scored for _, scored in jobs]
        with self._turn, torch.inference_mode():
            hidden = self._body(shape, self._sent(inputs))
            bits, done = self._sent_back(to_bits(self._scored(hidden, positions, targets)))
        return _Started(members, counts, bits, done)

    def _scored(self, hidden: Tensor, positions: list[int], targets: list[int]) -> Tensor:
        """The output layer at some rows of `hidden` (rows · columns, width), the same number at a time."""
        missing = -len(positions) % self._head_rows
        at = self._sent(torch.tensor(positions + [0] * missing))
        wanted = self._sent(torch.tensor(targets + [0] * missing))
        nats = [
            nll(self._network.head(hidden[part]), ids)
            for part, ids in zip(torch.split(at, self._head_rows), torch.split(wanted, self._head_rows), strict=True)
        ]
        return torch.cat(nats)[: len(positions)]

    def _body(self, shape: Shape, inputs: Tensor) -> Tensor:
        """Last hidden states, (rows · columns, width), good until the next call."""
        if self.captures and shape not in self._graphs:
            self._capture(shape, inputs)
        if not self.captures:
            return self._network.body(inputs).flatten(0, 1)
        return self._graphs[shape].replay(inputs)

    def _capture(self, shape: Shape, inputs: Tensor) -> None:
        try:
            if self._room is None or len(self._room.ids) < inputs.numel():
                self._graphs.clear()  # they compute in the room that is too small
                self._room = _Room(self._network, inputs)
            self._graphs[shape] = _Graph(self._network, shape, self._room)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            log.warning("the model cannot be captured as a CUDA graph, so each batch costs more: %s", error)
            self.captures = False
            self._start_over(self.tokens)

    def _sent(self, tensor: Tensor) -> Tensor:
        return tensor.pin_memory().to(self._network.device, non_blocking=True) if self._cuda else tensor

    def _sent_back(self, bits: Tensor) -> tuple[Tensor, Any]:
        """The bits on the CPU, and the event after which they are there."""
        if not self._cuda:
            return bits, None
        host = torch.empty(bits.shape, dtype=bits.dtype, pin_memory=True)
        host.copy_(bits, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()
        return host, done

    def _has_run_all(self) -> bool:
        """False where memory ran out."""
        try:
            if not all(map(self._treats_rows_equally, self._shapes())):
                self._start_over(1)
                return self._has_run_all()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _shapes(self) -> list[Shape]:
        """All that texts of the usual lengths run in, the largest first."""
        longest = min(self._context - 1, MOST_TOKENS)
        found = {shape_for(n, context=self._context, tokens=self.tokens) for n in range(1, longest + 1)}
        return sorted(found, key=lambda shape: (shape.rows * shape.columns, shape.columns), reverse=True)

    def _treats_rows_equally(self, shape: Shape) -> bool:
        """Does a row get the same bits wherever in the shape it stands, and whatever stands beside it?"""
        length = min(shape.columns, self._context - 1)
        ids, other = ([(step * i + 3) % self._network.vocabulary for i in range(length + 1)] for step in (7, 11))
        first, *copies = self._run(shape, [ids] * shape.rows)
        if not copies:
            return True
        beside_others, *_ = self._run(shape, [ids, *[other] * len(copies)])
        return all(torch.equal(first, bits) for bits in (*copies, beside_others))

    def _run(self, shape: Shape, rows: Sequence[list[int]]) -> list[Tensor]:
        started = self._start(shape, list(range(len(rows))), [(ids, len(ids) - 1) for ids in rows])
        return [bits for _, bits in started.fetch()]

    def _shrink(self) -> None:
        if self.tokens <= FEWEST_TOKENS:
            raise OutOfMemory(f"{self._network.device} has too little memory for {self.tokens} tokens at once")
        self._start_over(self.tokens // 2)

    def _start_over(self, tokens: int) -> None:
        """With other shapes."""
        self.tokens = tokens
        self._graphs.clear()
        self._room = None
        if self._cuda:
            torch.cuda.empty_cache()


class _Room:
    """Where all graphs read their ids and leave their hidden states, and the memory in which they compute.

    They may share it because they run one after the other on one stream, and leave nothing else behind.
    """

    def __init__(self, network: Network, inputs: Tensor) -> None:
        hidden = network.body(inputs)
        self.ids = torch.zeros_like(inputs).flatten()
        self.hidden = torch.zeros_like(hidden).flatten(0, 1)
        self.pool = torch.cuda.graph_pool_handle()


class _Graph:
    """The body at one shape, captured."""

    def __init__(self, network: Network, shape: Shape, room: _Room) -> None:
        size = shape.rows * shape.columns
        self._ids = room.ids[:size].view(shape.rows, shape.columns)
        self._hidden = room.hidden[:size]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):  # libraries set themselves up in the first runs, which a capture may not see
                network.body(self._ids)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=room.pool):
            self._hidden.copy_(network.body(self._ids).flatten(0, 1))

    def replay(self, inputs: Tensor) -> Tensor:
        self._ids.copy_(inputs)
        self._graph.replay()
        return self._hidden


def tokens_for(network: Network) -> int:
    """How many tokens a batch holds: a function of the model's size and dtype alone, never of a timing."""
    tokens = int(BATCH_WORK[network.dtype] / (2 * network.parameters))
    return max(FEWEST_TOKENS, min(MOST_TOKENS, tokens))
