"""The Redis of one data folder: its configuration, its start and its end.

All of it is said in DIR/redis/redis.conf (mode 0600), never on a command line, where anybody could read the password.
The password is made once per folder. Nobody reaches it but from this machine: workers elsewhere come in by HTTP.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import redis
import structlog

from server.errors import CommandError, CommandStopped
from server.launch.addresses import free_port
from server.launch.files import read_if_there, write_private
from server.launch.redis import binary, leftover
from server.launch.supervisor import ChildProcess, Supervisor

log = structlog.get_logger()

TRIES = 5  # free ports that somebody else may take before Redis does
LOADING = 120.0  # seconds to read a long append-only file
LOCAL = "127.0.0.1"
BROKEN = "Bad file format reading the append only file"


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration file says, as far as it is not the same for every Redis of ours."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOCAL}:{self.port}/0"

    def write(self) -> None:
        lines = {
            "bind": LOCAL,
            "port": str(self.port),
            "requirepass": _quoted(self.password),
            "dir": _quoted(str(self.folder)),
            "pidfile": _quoted(str(leftover.pid_file(self.folder))),
            "logfile": _quoted(str(self.folder / "redis.log")),
            "loglevel": "warning",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            # The command line then still names this file, by which a leftover is told from other programs.
            "set-proc-title": "no",
        }
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        write_private(leftover.config_file(self.folder), text)


class RedisServer:
    """A Redis that is started again when it ends."""

    def __init__(self, folder: Path, stopping: threading.Event) -> None:
        self._binary = binary.find()
        self._folder = folder
        self._stopping = stopping
        folder.mkdir(mode=0o700, exist_ok=True)
        password = leftover.end(folder) or secrets.token_urlsafe(32)
        self.config, child = self._first_start(password)
        self._kept = Supervisor("redis", child, self._spawn, should_restart=lambda status, ended: True)

    def stop(self) -> None:
        self._kept.stop()

    def _first_start(self, password: str) -> tuple[Config, ChildProcess]:
        for _ in range(TRIES):
            config = Config(self._folder, free_port(), password)
            config.write()
            child = self._spawn()
            if self._answers(config, child):
                return config, child
            if BROKEN not in self._said() and "Address already in use" not in self._said():
                break
        raise CommandError(f"Redis does not start: {self._last_words()}")

    def _spawn(self) -> ChildProcess:
        if BROKEN in self._said():
            self._put_aside()
        (self._folder / "redis.log").write_text("")
        return ChildProcess([self._binary, str(leftover.config_file(self._folder))])

    def _answers(self, config: Config, child: ChildProcess) -> bool:
        """Wait until it takes commands; False when it ended instead."""
        deadline = time.monotonic() + LOADING
        with redis.Redis.from_url(config.url, protocol=2, socket_timeout=2) as client:
            while child.poll() is None:
                try:
                    client.ping()
                    return True
                except redis.RedisError:  # not listening yet, or loading
                    if self._stopping.wait(0.02) or time.monotonic() > deadline:
                        break
        child.stop()
        if self._stopping.is_set():
            raise CommandStopped
        return False

    def _put_aside(self) -> None:
        """Queues are put back from the rows, so a damaged file is no loss; it is kept to be looked at."""
        aside = self._folder / f"damaged-{int(time.time())}"
        aside.mkdir()
        for file in self._folder.glob("appendonly*"):
            file.rename(aside / file.name)
        log.warning("redis.damaged_file_put_aside", folder=str(aside))

    def _said(self) -> str:
        return read_if_there(self._folder / "redis.log") or ""

    def _last_words(self) -> str:
        lines = [line.partition(" # ")[2] or line for line in self._said().splitlines() if line.strip()]
        telling = [line for line in lines if "bind:" in line] or lines
        return telling[-1] if telling else "it says nothing"


def _quoted(value: str) -> str:
    """As Redis reads a configuration value that may hold spaces and quotes."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
