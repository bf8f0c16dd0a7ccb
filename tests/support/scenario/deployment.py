"""A whole system for scenario tests: API and worker processes of our own command, on real servers.

Every process is started here and ended here, by id.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.services import eventually, free_port

HOST_TOKEN = "a-host-token-for-tests-0123456789abcdef"
PASSAGE = (
    "The tide came in over the flats before the boats were home. Mara stood at the end of the pier with a lamp "
    "and counted sails until there was only one missing."
)


@dataclass
class Process:
    """One process of ours, by module; its log is kept for when a test fails."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()
        self.process.wait()

    def send(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


@dataclass
class Deployment:
    """Processes on one database and one Redis, and a client for each player."""

    folder: Path
    database_url: str
    redis_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list[Process] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_api(self, port: int | None = None) -> Process:
        port = port or self.port
        process = self._start("server.cli", "api", "--port", str(port))
        eventually(lambda: answers(f"http://127.0.0.1:{port}/healthz") or _alive(process), what="the API")
        return process

    def start_worker(self, *judges: str) -> Process:
        flags = [flag for judge in judges or ("pocket",) for flag in ("--judge", judge)]
        return self._start("server.cli", "worker", *flags)

    def start_lent_worker(self, token: str, judge: str = "pocket") -> Process:
        """One that knows the API's address and nothing of Redis."""
        command = ("server.cli", "worker", "--server", self.url, "--judge", judge)
        return self._start(*command, XENTARENA_WORKER_TOKEN=token)

    def start_odd_worker(self, *flags: str) -> Process:
        return self._start("tests.support.scenario.odd_worker", *flags)

    def client(self, token: str | None = HOST_TOKEN) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.clients.append(httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=90))
        return self.clients[-1]

    def judge_ready(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until that many judges are served."""

        def served() -> list[dict[str, Any]]:
            with self.client() as host:
                judges = [judge for judge in answer(host.get("/judges"))["items"] if judge["workers"]]
            return judges if len(judges) >= count else []

        return eventually(served, seconds=180, what="a judge")

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        for process in reversed(self.processes):
            process.stop()

    def _start(self, *command: str, **lent: str) -> Process:
        beside = {
            "XENTARENA_DATABASE_URL": self.database_url,
            "XENTARENA_REDIS_URL": self.redis_url,
            "XENTARENA_HOST_TOKEN": HOST_TOKEN,
            **self.settings,
        }
        environment = {"OMP_NUM_THREADS": "1", **(lent or beside)}
        log = self.folder / f"{len(self.processes)}.log"
        process = Process(command, environment, log)
        self.processes.append(process)
        return process


@dataclass
class Game:
    """A competition with one round, and players in it."""

    arena: Deployment
    competition: dict[str, Any]
    round: dict[str, Any]

    @classmethod
    def make(cls, arena: Deployment, *, bots: str = "mixed", **round_: Any) -> Self:
        with arena.client() as host:
            competition = answer(host.post("/competitions", json={"name": "Test", "bots": bots}), 201)
            body = {"game": "condense", "passages": [PASSAGE], **round_}
            made = answer(host.post(f"/competitions/{competition['id']}/rounds", json=body), 201)
        return cls(arena, competition, made)

    def join(self, name: str, kind: str = "person") -> httpx.Client:
        with self.arena.client(None) as anyone:
            body = {"code": self.competition["code"], "name": name, "kind": kind}
            joined = answer(anyone.post("/competitions:join", json=body), 201)
        return self.arena.client(joined["token"])

    @property
    def submissions(self) -> str:
        return f"/rounds/{self.round['id']}/submissions"

    def all_submissions(self) -> list[dict[str, Any]]:
        with self.arena.client() as host:
            found: list[dict[str, Any]] = []
            cursor: str | None = None
            while True:
                page = answer(
                    host.get(self.submissions, params={"limit": 500, **({"cursor": cursor} if cursor else {})})
                )
                found += page["items"]
                cursor = page["next"]
                if cursor is None:
                    return found


def answer(response: httpx.Response, *statuses: int) -> dict[str, Any]:
    assert response.status_code in (statuses or (200,)), f"{response.status_code}: {response.text}"
    body: dict[str, Any] = response.json()
    return body


@contextmanager
def at_once(count: int) -> Iterator[threading.Barrier]:
    """A barrier for that many threads, so that they start at the same moment."""
    yield threading.Barrier(count)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def _alive(process: Process) -> bool:
    if process.process.poll() is not None:
        raise AssertionError(f"the process ended:\n{process.log.read_text()}")
    return False
