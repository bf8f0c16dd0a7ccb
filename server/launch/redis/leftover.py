"""A Redis that an earlier server of the same folder left running: ended before a new one starts on its files."""

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import redis
import structlog

from server.errors import CommandError
from server.launch.files import read_if_there

log = structlog.get_logger()

PATIENCE = 6.0


def config_file(folder: Path) -> Path:
    return folder / "redis.conf"


def pid_file(folder: Path) -> Path:
    return folder / "redis.pid"


def end(folder: Path) -> str | None:
    """End what the folder's configuration file tells of, if it still runs; returns the password of the file."""
    found = _said(folder)
    if found is None:
        return None
    port, password = found
    pid = _pid(folder)
    if pid is not None:
        log.info("redis.leftover_ended", pid=pid)
        _ask(port, password)
        _see_to_it(folder, pid)
    return password


def url(folder: Path) -> str | None:
    """The address of the Redis that the folder's configuration file tells of, whether it runs or not."""
    found = _said(folder)
    return found and _url(*found)


def _said(folder: Path) -> tuple[int, str] | None:
    """Port and password."""
    said = read_if_there(config_file(folder)) or ""
    port, password = re.search(r"^port (\d+)$", said, re.M), re.search(r'^requirepass "([\w-]+)"$', said, re.M)
    return (int(port[1]), password[1]) if port and password else None


def _url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def _ask(port: int, password: str) -> None:
    url = _url(port, password)
    with suppress(redis.RedisError), redis.Redis.from_url(url, protocol=2, socket_timeout=2) as client:
        client.shutdown(nosave=True)


def _see_to_it(folder: Path, pid: int) -> None:
    """Wait until it is gone; from the middle of the time on, with force."""
    deadline = time.monotonic() + PATIENCE
    while _pid(folder) == pid:
        if time.monotonic() > deadline:
            raise CommandError(f"a Redis of an earlier server still runs in {folder} (process {pid}): end it first")
        if time.monotonic() > deadline - PATIENCE / 2:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _pid(folder: Path) -> int | None:
    """The process that the pid file names, if it runs and is the Redis of this folder."""
    noted = (read_if_there(pid_file(folder)) or "").strip()
    if not noted.isdigit() or str(config_file(folder)) not in _command_line(int(noted)):
        return None
    return int(noted)


def _command_line(pid: int) -> str:
    process = Path("/proc") / str(pid)
    with suppress(OSError):
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    with suppress(OSError):
        return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    return ""
