"""Too little memory: less at once, the same bits, and an error only where one sequence alone is too much."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor

from judge.engine.choose import choose
from judge.engine.cpu_lanes import Lanes, Work
from judge.engine.cuda_buckets import FEWEST_TOKENS, Buckets
from judge.engine.memory import is_out_of_memory
from judge.engine.network import Job, Network, Share
from judge.errors import OutOfMemory
from judge.judge import Judge, Pair
from judge.loading.model import load_model
from judge.loading.source import find

PAIRS = [Pair("the sea " * (i % 5), f"dragon {i} " + "flew over the castle " * (i % 3 + 1)) for i in range(40)]
JOBS: list[Job] = [(list(range(3, 3 + n)), n - 1) for n in range(5, 65)]
SHORT = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
]


class Small(Network):
    """A network on a machine that has room for so many tokens."""

    room = 10**9
    error: Exception = MemoryError()

    def body(self, inputs: Tensor) -> Tensor:
        if inputs.numel() > self.room:
            raise self.error
        return super().body(inputs)


class Uneven(Network):
    """A network whose kernels sum the last row of a batch in another order than the others."""

    def body(self, inputs: Tensor) -> Tensor:
        hidden = super().body(inputs).clone()
        if len(hidden) > 1:
            hidden[-1] *= 1.0001
        return hidden


N = TypeVar("N", bound=Network)


def network(kind: type[N], folder: Path) -> N:
    return kind(load_model(find(folder), dtype="float32", device=torch.device("cpu")))


def judge_on_lanes(folder: Path, around: Callable[[Work], Work]) -> tuple[Judge, Lanes]:
    """A judge whose two lanes do their work as `around` says."""
    source = find(folder)
    network, engine = choose(source, dtype="float32", device=torch.device("cpu"))
    lanes = Lanes(2, around(network.bits), engine.name)
    return Judge(source, network, dtype="float32", engine=engine, runner=lanes), lanes


def limited(work: Work, most: int, error: Exception, seen: list[int]) -> Work:
    """`work` on a machine where more than `most` sequences at once are too many."""

    def run(jobs: Sequence[Job], share: Share[Any, Any]) -> list[Tensor]:
        seen.append(len(jobs))
        if len(jobs) > most:
            raise error
        return work(jobs, share)

    return run


@pytest.mark.parametrize("error", SHORT, ids=lambda error: type(error).__name__)
def test_lanes_go_on_in_halves_and_remember(error: Exception, folders: dict[str, Path]) -> None:
    seen = list[int]()
    alone = [Judge.load(folders["gpt2"], device="cpu").measure([pair])[0] for pair in PAIRS]
    judge, lanes = judge_on_lanes(folders["gpt2"], lambda work: limited(work, 3, error, seen))
    assert judge.measure(PAIRS) == alone
    assert lanes.at_once == 2
    seen.clear()
    assert judge.measure(PAIRS) == alone
    assert max(seen) <= 2, "it does not run out of memory a second time"


def test_what_is_too_much_for_a_lane_that_helps_is_too_much_for_the_one_that_asked() -> None:
    def run(jobs: Sequence[Job], share: Share[Any, Any]) -> list[Tensor]:
        def part(number: int) -> int:
            time.sleep(0.001)  # long enough for others to come
            if number > 3 and len(jobs) > 2:
                raise MemoryError
            return number

        assert share(part, range(7)) == list(range(7))
        return [torch.zeros(scored) for _, scored in jobs]

    lanes = Lanes(4, run)
    assert len(list(lanes.each(JOBS))) == len(JOBS)
    assert lanes.at_once == 2


def test_a_sequence_that_does_not_fit_alone_is_an_error_that_says_so(folders: dict[str, Path]) -> None:
    def small(bits: Work) -> Work:
        def run(jobs: Sequence[Job], share: Share[Any, Any]) -> list[Tensor]:
            if any(len(ids) > 60 for ids, _ in jobs):
                raise MemoryError
            return bits(jobs, share)

        return run

    judge, _ = judge_on_lanes(folders["gpt2"], small)
    with pytest.raises(OutOfMemory, match="too little memory for a sequence of"):
        judge.measure([Pair("", "dragon " * n) for n in (1, 2, 40)])
    assert len(judge.measure([Pair("", "dragon " * n) for n in (1, 2)])) == 2


def test_other_errors_are_not_taken_for_too_little_memory(folders: dict[str, Path]) -> None:
    seen = list[int]()
    judge, _ = judge_on_lanes(folders["gpt2"], lambda work: limited(work, 3, RuntimeError("shapes differ"), seen))
    with pytest.raises(RuntimeError, match="shapes differ"):
        judge.measure(PAIRS)
    assert min(seen) > 3
    assert not is_out_of_memory(ValueError("can't allocate memory"))


def test_a_lane_holds_few_tokens_at_once_however_many_wait() -> None:
    held: list[int] = []

    def run(jobs: Sequence[Job], share: Share[Any, Any]) -> list[Tensor]:
        held.append(sum(len(ids) for ids, _ in jobs))
        return [torch.zeros(scored) for _, scored in jobs]

    lanes = Lanes(2, run)
    for length in (100, 400, 3000):
        held.clear()
        assert len(list(lanes.each([([1] * length, 1)] * 200))) == 200
        assert max(held) <= max(1024, length)


def test_buckets_find_at_load_how_many_tokens_fit(folders: dict[str, Path]) -> None:
    plain, small = network(Network, folders["gpt2"]), network(Small, folders["gpt2"])
    small.room = 1500
    roomy, tight = Buckets(plain, 256), Buckets(small, 256)
    roomy.warm_up()
    tight.tokens = roomy.tokens = 4096
    tight.warm_up()
    assert (tight.tokens, tight.name) == (1024, "buckets of 1024")
    expected = dict(roomy.each(JOBS))
    for index, bits in tight.each(JOBS):
        assert bits.tolist() == pytest.approx(expected[index].tolist(), abs=1e-4)


@pytest.mark.parametrize("error", SHORT, ids=lambda error: type(error).__name__)
def test_buckets_that_run_out_later_go_on_smaller_and_say_so_in_the_build(
    error: Exception, folders: dict[str, Path]
) -> None:
    small = network(Small, folders["gpt2"])
    small.error = error
    buckets = Buckets(small, 256)
    buckets.tokens = 2048
    buckets.warm_up()
    jobs = JOBS * 3
    before = dict(buckets.each(jobs))
    builds = [buckets.name]
    found = {}
    for index, bits in buckets.each(jobs):
        small.room = 600  # from now on: the first batch is done, the next is under way
        found[index] = bits
        builds.append(buckets.name)
    assert buckets.tokens == 512
    assert builds[0] == "buckets of 2048"
    assert builds[-1] == "buckets of 512"
    assert sorted(found) == list(range(len(jobs)))
    for index, bits in before.items():
        assert found[index].tolist() == pytest.approx(bits.tolist(), abs=1e-4)


def test_buckets_that_can_not_be_made_smaller_give_up(folders: dict[str, Path]) -> None:
    small = network(Small, folders["gpt2"])
    small.room = FEWEST_TOKENS - 1
    with pytest.raises(OutOfMemory, match="too little memory"):
        Buckets(small, 256).warm_up()


def test_where_rows_are_not_treated_equally_each_runs_alone(folders: dict[str, Path]) -> None:
    uneven = Buckets(network(Uneven, folders["gpt2"]), 256)
    uneven.warm_up()
    assert uneven.name == "buckets of 1"
    alone = {i: next(iter(uneven.each([job])))[1].tolist() for i, job in enumerate(JOBS)}
    assert {i: bits.tolist() for i, bits in uneven.each(JOBS)} == alone


@pytest.mark.parametrize("shape", ["gpt2", "llama", "qwen3", "gemma2"])
def test_in_buckets_any_batch_and_order_gives_the_bits_of_each_alone(shape: str, folders: dict[str, Path]) -> None:
    buckets = Buckets(network(Network, folders[shape]), 256)
    buckets.tokens = 512
    buckets.warm_up()
    alone = {i: next(iter(buckets.each([job])))[1].tolist() for i, job in enumerate(JOBS)}
    assert {i: bits.tolist() for i, bits in buckets.each(JOBS)} == alone
    backwards = {len(JOBS) - 1 - i: bits.tolist() for i, bits in buckets.each(JOBS[::-1])}
    assert backwards == alone
