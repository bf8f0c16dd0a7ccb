"""What a submission costs the server around the judge, and how long it takes: ``xentarena bench server``.

Of `xentarena api` and a worker whose judge answers at once (benchmarks/_instant.py), on SQLite and on PostgreSQL
(out of the test dependencies' wheel, or XENTARENA_BENCH_DATABASE_URL), in one run:

    accept   moves come in while the worker is held, so that nothing is settled
    settle   the worker goes on, and all of it is settled
    whole    moves come in and are settled at the same time
    delay    from when a move should be sent until its score is there, at fractions of what `whole` carried

one by one from 32 clients, and in batches of 32 from 8. Figures are milliseconds of processor time a submission, by
process: on a crowded machine they say more than the rate beside them. Last comes the latency of `xentarena serve` with
`pocket`: idle, less the time of the judge's forward measured in this same run; and while thousands of
programs' moves wait.

``--api-processes N`` of the API, on PostgreSQL. ``--count N`` submissions of each flood one by one; in batches it is
three times as many. ``--database NAME`` one of
them. ``--no-delays`` leaves delays and latency out. ``--json`` prints an object instead of tables.
"""

import argparse
import itertools
import json
import math
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks import _house
from benchmarks._house import PASSAGE, Client
from benchmarks._instant import Instant
from server.db.models import Play
from server.db.session import Database

LONE, BATCH = 60, 32
BOTS, OF_EACH = 5, 1_000  # programs and their moves, sent before a person plays
CLIENTS = {1: 32, BATCH: 8}  # by the size of a request
FRACTIONS = (0.1, 0.5, 0.8)
DELAY_SECONDS, MOST_DELAYED = 5.0, 400  # requests of one fraction
TOLD = (
    "POST to scored, idle serve {posted_to_scored:.1f} ms, of which the judge's forward {forward:.1f}; "
    "beside programs {beside_bots:.1f} ms ({still_waiting:,} of their moves left)\n"
)
UNLIMITED = {
    "XENTARENA_RATE_LIMIT": "1e6",
    "XENTARENA_RATE_BURST": "1000000",
    "XENTARENA_PENDING_LIMIT": "1000000",
    "XENTARENA_SUBMISSION_LIMIT": "1000000",
    "XENTARENA_SWEEP": "30",  # a held worker's moves would be looked for every two seconds
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a flood took. milliseconds: of processor time a submission, by process."""

    what: str
    count: int
    per_second: float
    milliseconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds from when a request was due to its last score, at a fraction of what was carried."""

    batch: int
    fraction: float
    per_second: float
    median: float
    p99: float


@dataclass(slots=True)
class House:
    """A server with a round that is open, and its players. pids: process name → id."""

    url: str
    players: list[Client]
    round_id: str
    database: Database
    worker: int
    pids: dict[str, int | None]
    moves: Iterator[int] = field(default_factory=itertools.count)

    def send(self, player: int, size: int, wait: int = 0) -> None:
        """One request of so many moves, none of which was ever sent."""
        moves = [{"move": f"ship {next(self.moves)}"} for _ in range(size)]
        path, query = f"/rounds/{self.round_id}/submissions", f"?wait={wait}" if wait else ""
        if size == 1:
            self.players[player].post(path + query, moves[0])
            return
        answers = self.players[player].post(f"{path}:batch{query}", {"items": moves})["items"]
        if any(each["status"] >= 400 for each in answers):
            raise RuntimeError(f"refused: {answers}")

    def flood(self, count: int, size: int) -> None:
        """So many moves as fast as they are taken."""
        left = iter(range(math.ceil(count / size)))
        _in_threads(CLIENTS[size], left, lambda player, _: self.send(player, size))

    def wait_until_settled(self) -> None:
        waiting = select(func.count()).where(Play.waiting)
        while self.database.read(lambda session: session.scalars(waiting).one()):
            time.sleep(0.1)

    @contextmanager
    def worker_held(self) -> Iterator[None]:
        os.kill(self.worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.worker, signal.SIGCONT)

    def cost(self, what: str, count: int, work: Callable[[], None]) -> Cost:
        before, start = self._taken(), time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        taken = {name: 1000 * (now - before[name]) / count for name, now in self._taken().items()}
        return Cost(what, count, count / seconds, taken)

    def _taken(self) -> dict[str, float]:
        """Processor seconds so far, by process."""
        taken = {name: _house.processor_seconds(pid) for name, pid in self.pids.items()}
        return taken | {"client": sum(os.times()[:2])}

    def delays(self, size: int, capacity: float) -> Iterator[Delay]:
        for fraction in FRACTIONS:
            rate = fraction * capacity / size
            found = self._timed(size, rate, min(MOST_DELAYED, max(20, int(rate * DELAY_SECONDS))))
            yield Delay(size, fraction, rate * size, statistics.median(found), found[int(0.99 * len(found))])

    def _timed(self, size: int, rate: float, requests: int) -> list[float]:
        """Milliseconds of each request, sorted: `rate` a second are due, whether those before are answered or not."""
        found: list[float] = []
        start = time.perf_counter()

        def one(player: int, number: int) -> None:
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            self.send(player, size, wait=60)
            found.append(1000 * (time.perf_counter() - due))

        _in_threads(len(self.players), iter(range(requests)), one)
        return sorted(found)


def _in_threads(count: int, numbers: Iterator[int], work: Callable[[int, int], None]) -> None:
    """Work on each number, in so many threads; whatever one of them raises is raised here."""
    failures: list[BaseException] = []

    def run(thread: int) -> None:
        try:
            for number in numbers:  # a range's iterator may be shared: a step of it is one instruction
                work(thread, number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def measure(
    database_url: str, database_pid: int | None, count: int, *, processes: int, delays: bool
) -> tuple[list[Cost], list[Delay]]:
    with _open(database_url, database_pid, processes) as house:
        house.flood(4 * BATCH, BATCH)  # the first of anything is slower
        house.flood(CLIENTS[1], 1)
        house.wait_until_settled()
        costs = list(_costs(house, {1: count, BATCH: 3 * count // BATCH * BATCH}))
        if not delays:
            return costs, []
        carried = {f"whole {size}": size for size in CLIENTS}
        found = [house.delays(carried[each.what], each.per_second) for each in costs if each.what in carried]
        return costs, list(itertools.chain.from_iterable(found))


def _costs(house: House, counts: dict[int, int]) -> Iterator[Cost]:
    with house.worker_held():
        for size, count in counts.items():
            yield house.cost(f"accept {size}", count, lambda size=size, count=count: house.flood(count, size))  # type: ignore[misc]
    yield house.cost("settle", sum(counts.values()), house.wait_until_settled)
    for size, count in counts.items():

        def whole(size: int = size, count: int = count) -> None:
            house.flood(count, size)
            house.wait_until_settled()

        yield house.cost(f"whole {size}", count, whole)


@contextmanager
def _open(database_url: str, database_pid: int | None, processes: int) -> Iterator[House]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = database_url or f"sqlite:///{folder / 'bench.sqlite3'}"
        redis_url, redis_pid = stack.enter_context(_house.redis(folder))
        environment = {"XENTARENA_DATABASE_URL": url, "XENTARENA_REDIS_URL": redis_url} | UNLIMITED
        environment["XENTARENA_API_PROCESSES"] = str(processes)
        _house.migrate(environment)
        api, api_pid = stack.enter_context(_house.api(environment))
        worker = stack.enter_context(_house.child([sys.executable, "-m", "benchmarks._instant"], environment)).pid
        host, players, round_id = _house.new_round(api, players=max(CLIENTS.values()), judge=Instant.name)
        for client in (host, *players):
            stack.callback(client.close)
        database = Database(url, connections=1)
        stack.callback(database.dispose)
        pids = {"API": api_pid, "database": database_pid, "Redis": redis_pid, "worker": worker}
        yield House(api, players, round_id, database, worker, pids)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, median of `LONE` submissions one after the other. beside_bots: while programs' moves wait, of
    which so many were left when the last of the person's was scored."""

    posted_to_scored: float
    forward: float
    around: float
    beside_bots: float
    still_waiting: int


def measure_latency() -> Latency:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(_house.serving(folder))
        host, (player, *bots), round_id = _house.new_round(url, players=1, bots=BOTS)
        for client in (host, player, *bots):
            stack.callback(client.close)
        for i in range(10):
            _score(player, round_id, f"warm up {i}")
        whole = statistics.median(_timed(lambda i=i: _score(player, round_id, f"ship {i}")) for i in range(LONE))
        _in_threads(BOTS, iter(range(BOTS)), lambda _, i: _send_many(bots[i], round_id, i))
        beside = statistics.median(_timed(lambda i=i: _score(player, round_id, f"boat {i}")) for i in range(LONE))
        with urllib.request.urlopen(f"{url}/readyz") as ready:
            waiting = sum(judge["queue"] for judge in json.loads(ready.read())["judges"].values())
    forward = _forward()
    return Latency(whole, forward, whole - forward, beside, waiting)


def _send_many(bot: Client, round_id: str, number: int) -> None:
    for start in range(0, OF_EACH, BATCH):
        items = [{"move": f"fleet {number} {i}"} for i in range(start, min(OF_EACH, start + BATCH))]
        answers = bot.post(f"/rounds/{round_id}/submissions:batch", {"items": items})["items"]
        if any(each["status"] >= 400 for each in answers):
            raise RuntimeError(f"refused: {answers}")


def _score(player: Client, round_id: str, move: str) -> None:
    submission = player.post(f"/rounds/{round_id}/submissions?wait=30", {"move": move})
    if submission["state"] != "scored":
        raise RuntimeError(f"not scored: {submission}")


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _forward() -> float:
    """Milliseconds of one measurement of the passage by the judge alone."""
    from judge.judge import Judge, Pair

    judge = Judge.load("pocket", threads=1)
    judge.measure([Pair("warm up", PASSAGE)])
    return statistics.median(_timed(lambda i=i: judge.measure([Pair(f"ship {i}", PASSAGE)])) for i in range(LONE))


def table(name: str, costs: Sequence[Cost], delays: Sequence[Delay]) -> str:
    """What was measured on one database, as lines."""
    processes = list(costs[0].milliseconds)
    lines = [f"{name:<12}{'count':>8}{'a second':>10}" + "".join(f"{each:>10}" for each in processes) + "   ms each"]
    for cost in costs:
        taken = "".join(f"{cost.milliseconds[each]:10.2f}" for each in processes)
        lines.append(f"  {cost.what:<10}{cost.count:8,}{cost.per_second:10.0f}{taken}")
    for each in delays:
        load = f"{each.fraction:.0%} in requests of {each.batch}, {each.per_second:.0f} a second"
        lines.append(f"  {load:<40} median {each.median:7.0f} ms, p99 {each.p99:7.0f} ms")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print tables, or one JSON object."""
    asked = _parser().parse_args(arguments)
    report: dict[str, Any] = {"cores": os.cpu_count()}
    for name in asked.database or ["SQLite", "PostgreSQL"]:
        with _database(name) as where:
            if where is None:
                continue
            processes = 1 if name == "SQLite" else asked.api_processes
            costs, delays = measure(*where, asked.count, processes=processes, delays=not asked.no_delays)
        report[name] = {"costs": [asdict(each) for each in costs], "delays": [asdict(each) for each in delays]}
        if not asked.json:
            sys.stdout.write(table(name, costs, delays))
            sys.stdout.flush()
    if not asked.no_delays:
        latency = measure_latency()
        report["latency_ms"] = asdict(latency)
        if not asked.json:
            sys.stdout.write(TOLD.format(**asdict(latency)))
    if asked.json:
        sys.stdout.write(json.dumps(report) + "\n")


@contextmanager
def _database(name: str) -> Iterator[tuple[str, int | None] | None]:
    """An address, none for a new file, and the process id; None where there is no such database."""
    if name == "SQLite":
        yield "", None
        return
    with _house.postgresql() as found:
        yield None if found is None else (found.url, found.pid)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks.server", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--database", action="append", choices=["SQLite", "PostgreSQL"])
    parser.add_argument("--api-processes", type=int, default=1, metavar="N")
    parser.add_argument("--no-delays", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
