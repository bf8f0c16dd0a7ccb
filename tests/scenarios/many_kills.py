"""Thousands of submissions while processes are killed and Redis is wiped, again and again: a script, not part of the
tests, for it takes a quarter of an hour and more.

    python -m tests.scenarios.many_kills --submissions 10000 --kills 100

On PostgreSQL, with two API processes behind one address and two workers. What strikes when is drawn by ``--seed``. It
ends with an error unless everything was scored, once, and as it would have been.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from judge.judge import Judge
from server.db.migrate import migrate
from tests.support.scenario.deployment import Deployment, Process
from tests.support.scenario.flight import PLAYERS, Flight
from tests.support.services import Postgres, Redis, eventually

SETTINGS = {
    "XENTARENA_LEASE": "3",
    "XENTARENA_GRACE": "1",
    "XENTARENA_SWEEP": "0.5",
    "XENTARENA_API_PROCESSES": "2",
    "XENTARENA_RATE_LIMIT": "1000",
    "XENTARENA_RATE_BURST": "10000",
}


class Storm:
    """What can strike, and how often each has."""

    def __init__(self, redis: Redis, postgres: Postgres, api: Process, workers: list[Process]) -> None:
        self._redis, self._postgres = redis, postgres
        self._api, self._workers = api, workers
        self.struck: Counter[str] = Counter()

    def strike(self, draw: random.Random) -> None:
        what: Callable[[random.Random], None] = draw.choice(
            [self.worker, self.worker, self.one_api_process, self.all_of_the_api, self.wipe, self.redis, self.database]
        )
        what(draw)
        self.struck[what.__name__] += 1

    def keep(self) -> None:
        """What could not begin, since what it needs was away, begins again: as whoever runs a server would have it."""
        for process in (self._api, *self._workers):
            if process.process.poll() is not None:
                process.start()

    def worker(self, draw: random.Random) -> None:
        worker = draw.choice(self._workers)
        worker.kill()
        worker.start()

    def one_api_process(self, draw: random.Random) -> None:
        """The second one, which the first starts again."""
        for child in psutil.Process(self._api.process.pid).children(recursive=True):
            if child.cmdline()[-1:] == ["api"] and "-IS" not in child.cmdline():
                child.kill()

    def all_of_the_api(self, draw: random.Random) -> None:
        self._api.kill()
        self._api.start()

    def wipe(self, draw: random.Random) -> None:
        with self._redis.client as client:
            client.flushall()

    def redis(self, draw: random.Random) -> None:
        self._redis.stop()
        self._redis.start()

    def database(self, draw: random.Random) -> None:
        self._postgres.crash_and_restart()


def main() -> None:
    """Run it, and say what struck."""
    parser = argparse.ArgumentParser(
        prog="tests.scenarios.many_kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pause", type=float, default=4.0, help="seconds between two of them, in the middle")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        redis, postgres = Redis(folder / "redis").start(), Postgres(folder / "postgres")
        url = postgres.new_database()
        migrate(url)
        arena = Deployment(folder, url, redis.url, SETTINGS)
        try:
            api, workers = arena.start_api(), [arena.start_worker() for _ in range(2)]
            arena.judge_ready()
            storm = Storm(redis, postgres, api, workers)
            _fly(arena, storm, asked)
            logs = "".join(process.log.read_text() for process in arena.processes)
            assert "request.defect" not in logs, "a request met what nobody had foreseen"
            assert "loop.error" not in logs, "a referee or a sweeper met what nobody had foreseen"
        finally:
            arena.stop()
            redis.stop()
            postgres.stop()


def _fly(arena: Deployment, storm: Storm, asked: argparse.Namespace) -> None:
    flight = Flight(arena, Judge.load("pocket", threads=1), each=asked.submissions // PLAYERS)
    began, draw = time.monotonic(), random.Random(asked.seed)
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(flight.take_off)
        for _ in range(asked.kills):
            time.sleep(draw.uniform(0.5, 1.5) * asked.pause)
            storm.keep()
            storm.strike(draw)
        while not sending.done():
            time.sleep(1)
            storm.keep()
        sending.result()
    scored = flight.scored()
    eventually(lambda: storm.keep() or flight.scored() == flight.count, seconds=3600, what="every score")  # type: ignore[func-returns-value]
    flight.land()
    struck = ", ".join(f"{name} {number}" for name, number in sorted(storm.struck.items()))
    sys.stdout.write(
        f"{flight.count:,} submissions, {scored:,} scored when the last of {asked.kills} had struck ({struck}), "
        f"all after {time.monotonic() - began:.0f} s: none lost, none twice, each as undisturbed\n"
    )


if __name__ == "__main__":
    main()
