"""What it costs that a worker asks by HTTP: the same worker beside Redis, and lent, in turns.

Two servers, each with its own Redis, API and SQLite file, and a worker whose judge answers at once
(benchmarks/_instant.py): so the way of the jobs is all there is to measure. Of each, in turns,

    jobs     jobs a second, of a queue that is full
    person   milliseconds from a person's move to its score, one after the other

A ratio is the median of the runs' ratios, and stands with the least and the greatest.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import _house
from benchmarks._instant import Instant
from server.arena import worker_tokens
from server.db import upgrade
from server.queue.messages import Job
from server.queue.server import Queue
from server.worker.loop import PLAYING

JOBS, MOVES, RUNS = 3_000, 60, 7
WORKER = [sys.executable, "-m", "benchmarks._instant"]


@dataclass
class Arena:
    """A server, and one player in a round of it."""

    redis_url: str
    player: _house.Client
    round: str
    sent: int = field(default=0)

    def jobs(self) -> float:
        """A second, from when the first is put in until none is left."""
        text = _house.PASSAGE
        made = [
            Job(f"job-{self.sent + i}", Instant.identity, "arena", f"prefix {self.sent + i}", text, "bots")
            for i in range(JOBS)
        ]
        self.sent += JOBS

        async def work() -> float:
            queue = Queue(self.redis_url, lease=30)
            try:
                start = time.perf_counter()
                await queue.enqueue(made)
                while await queue.depth(Instant.identity):  # noqa: ASYNC110 - it is in another process
                    await asyncio.sleep(0.005)
                return JOBS / (time.perf_counter() - start)
            finally:
                await queue.close()

        return asyncio.run(work())

    def person(self) -> float:
        """Milliseconds, the median of some moves."""
        took = []
        for _ in range(MOVES):
            self.sent += 1
            start = time.perf_counter()
            made = self.player.post(f"/rounds/{self.round}/submissions?wait=10", {"move": f"sea {self.sent}"})
            took.append(1000 * (time.perf_counter() - start))
            assert made["state"] == "scored"
        return statistics.median(took)


@contextmanager
def arena(*, lent: bool) -> Iterator[Arena]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis_url, _ = stack.enter_context(_house.redis(folder))
        database = f"sqlite:///{folder / 'arena.sqlite3'}"
        beside = {"XENTARENA_DATABASE_URL": database, "XENTARENA_REDIS_URL": redis_url}
        _house.migrate(beside)
        with upgrade.opened(database) as rows:
            token, _ = rows.write(lambda session: worker_tokens.create(session, "lent"))
        url, _ = stack.enter_context(_house.api(beside))
        there = {"XENTARENA_SERVER": url, "XENTARENA_WORKER_TOKEN": token} if lent else beside
        stack.enter_context(_house.child(WORKER, there))
        host, (player,), round_id = _house.new_round(url, players=1, judge=Instant.identity)
        stack.callback(host.close)
        stack.callback(player.close)
        yield Arena(redis_url, player, round_id)


def measure() -> dict[str, dict[str, list[float]]]:
    """Figure → worker → run by run. Jobs first, after a pause: while people play a worker claims less at a time."""
    with arena(lent=False) as beside, arena(lent=True) as lent:
        both = {"beside Redis": beside, "lent": lent}
        time.sleep(PLAYING)
        return {"jobs": in_turns(both, Arena.jobs), "person": in_turns(both, Arena.person)}


def in_turns(both: dict[str, Arena], figure: Callable[[Arena], float]) -> dict[str, list[float]]:
    runs = [{name: figure(each) for name, each in both.items()} for _ in range(RUNS + 1)]
    return {name: [run[name] for run in runs[1:]] for name in both}  # the first of anything is slower


def main(as_json: bool = False) -> None:
    """Print a table, or with --json one JSON object."""
    found = measure()
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for figure, unit in (("jobs", "/s"), ("person", "ms")):
        for name, runs in found[figure].items():
            told = f"{statistics.median(runs):9.1f} {unit}   {min(runs):.1f} to {max(runs):.1f}"
            sys.stdout.write(f"{figure:<8}{name:<14}{told}\n")
        ratios = [a / b for a, b in zip(found[figure]["lent"], found[figure]["beside Redis"], strict=True)]
        told = f"{statistics.median(ratios):9.2f}      {min(ratios):.2f} to {max(ratios):.2f}"
        sys.stdout.write(f"{figure:<8}{'ratio':<14}{told}\n")


if __name__ == "__main__":
    main(as_json="--json" in sys.argv)
