"""What a worker makes of its judge, and two workers of two cores.

    judge      `Judge.measure` alone, on one core: all there is to be had
    1 worker   `xentarena worker` on one core, its jobs from a Redis and its results to it
    2 workers  two of them on one stream, a core each

Interleaved runs over the same jobs, all different, judge `pocket`; a ratio is the median of the runs' ratios, and
stands with the least and the greatest. The first is the share of the time in which the worker keeps its device busy.
Needs at least two cores and an operating system that lets a process be bound to one.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks._house import redis
from benchmarks.judge import texts
from judge.judge import Judge, Pair
from server.queue.messages import Job
from server.queue.server import Queue

JOBS, RUNS = 400, 5

T = TypeVar("T")


class Bench:
    """Jobs, and a judge on one core of this process."""

    def __init__(self) -> None:
        self.cores = sorted(os.sched_getaffinity(0))[:2]
        self.judge = Judge.load("pocket", device="cpu", threads=1)
        self.pairs: list[Pair] = texts(self.judge, JOBS)
        self.alone()  # the first run of anything is slower

    def alone(self) -> float:
        """Measurements per second of the judge alone."""
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.cores[:1])
        try:
            start = time.perf_counter()
            self.judge.measure(self.pairs)
            return JOBS / (time.perf_counter() - start)
        finally:
            os.sched_setaffinity(0, everywhere)

    def jobs(self, run: str) -> list[Job]:
        return [
            Job(f"{run}-{i}", self.judge.identity, "arena", pair.prefix, pair.text, "people")
            for i, pair in enumerate(self.pairs)
        ]


def worked(url: str, jobs: Sequence[Job]) -> float:
    """Measurements per second of whatever workers there are."""

    async def work(queue: Queue) -> float:
        start, done = time.perf_counter(), 0
        await queue.enqueue(jobs)
        while done < len(jobs):
            if taken := await queue.results("benchmark", 500, block=0.1):
                await queue.settled([entry for entry, _ in taken])
                done += len(taken)
        return len(jobs) / (time.perf_counter() - start)

    return ask(url, work)


def ask(url: str, work: Callable[[Queue], Awaitable[T]]) -> T:
    """Run some work on a queue of its own."""

    async def run() -> T:
        queue = Queue(url, lease=30)
        try:
            return await work(queue)
        finally:
            await queue.close()

    return asyncio.run(run())


@contextmanager
def workers(url: str, cores: Sequence[int]) -> Iterator[None]:
    """A worker on each of these cores, once all of them have come up."""
    bind = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.executable, sys.argv[2:])"
    command = [sys.executable, "-m", "server.cli", "worker", "--judge", "pocket"]
    with ExitStack() as stack:
        for core in cores:
            child = subprocess.Popen(
                [sys.executable, "-c", bind, str(core), *command],
                env={**os.environ, "XENTARENA_REDIS_URL": url},
                stderr=subprocess.DEVNULL,
            )
            stack.callback(child.wait)
            stack.callback(child.terminate)
        while len(ask(url, lambda queue: queue.workers())) < len(cores):
            time.sleep(0.1)
        yield


def measure() -> dict[str, list[float]]:
    """Measurements per second, run by run."""
    bench = Bench()
    rates: dict[str, list[float]] = {"judge": [], "1 worker": [], "2 workers": []}
    for run in range(RUNS):
        rates["judge"].append(bench.alone())
        for count in (1, 2):
            with ExitStack() as stack:
                url, _ = stack.enter_context(redis(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
                stack.enter_context(workers(url, bench.cores[:count]))
                worked(url, bench.jobs("warm up"))
                rates[f"{count} worker{'s' * (count > 1)}"].append(worked(url, bench.jobs(str(run))))
    return rates


def main(as_json: bool = False) -> None:
    """Print a table, or with --json one JSON object."""
    rates = measure()
    if as_json:
        sys.stdout.write(json.dumps(rates) + "\n")
        return
    for name, runs in rates.items():
        sys.stdout.write(f"{name:<12}{statistics.median(runs):8.1f} /s   {min(runs):.1f} to {max(runs):.1f}\n")
    for more, fewer, said in (
        ("1 worker", "judge", "one worker, of its judge"),
        ("2 workers", "1 worker", "two workers, of one"),
    ):
        ratios = [a / b for a, b in zip(rates[more], rates[fewer], strict=True)]
        sys.stdout.write(f"{said:<28}{statistics.median(ratios):.2f}   {min(ratios):.2f} to {max(ratios):.2f}\n")


if __name__ == "__main__":
    main(as_json="--json" in sys.argv)
