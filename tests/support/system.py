"""Processes that a test starts: what they started in turn, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any
from uuid import uuid4

import psutil

PATIENCE = 180.0
MARK = "STARTED_BY_TEST"


def environment() -> dict[str, str]:
    """This one, without settings of whoever runs the tests, and never asking the hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XENTARENA_")}
    return kept | {"HF_HUB_OFFLINE": "1"}


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of `xentarena` that ends by itself, and nothing of it is left."""
    mark = uuid4().hex
    ended = subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment() | {MARK: mark},
        stdin=subprocess.DEVNULL,
    )
    left = left_after(marked(mark))
    assert not left, f"left behind: {left}"
    return ended


def marked(mark: str) -> list[psutil.Process]:
    """All processes whose environment has the mark, that of whoever started them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def family(pid: int) -> list[psutil.Process]:
    """The process and everything under it."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    def lives(process: psutil.Process) -> bool:
        # Who takes in orphans may be slow to bury them.
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return [process for process in processes if lives(process)]


def left_after(processes: Iterable[psutil.Process], seconds: float = 15) -> list[str]:
    """What of these still runs when they were given this long to end; killed now."""
    deadline = time.monotonic() + seconds
    while (left := alive(processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    told = []
    for process in left:
        with suppress(psutil.NoSuchProcess):
            told.append(" ".join(process.cmdline()))
            process.kill()
    return told


class Serve:
    """A running `xentarena serve --json`."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.said = data.with_name(f"{data.name}-{time.monotonic_ns()}.log")
        with self.said.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve", "--json", "--port", "0", "--data", str(data), *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment(),
                text=True,
            )

    def ready(self) -> Serve:
        """Wait for its line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it did not become ready: {self.said.read_text()}"
        self.facts: dict[str, Any] = json.loads(line)
        return self

    @property
    def api(self) -> str:
        return f"{self.facts['url']}/api/v1"

    @property
    def family(self) -> list[psutil.Process]:
        return family(self.process.pid)

    def named(self, *words: str) -> list[psutil.Process]:
        """Its children among whose arguments are all these words or files of these names, reapers left out."""
        found = []
        for process in self.family[1:]:
            with suppress(psutil.NoSuchProcess):
                line = [Path(part).name for part in process.cmdline()]
                if set(words) <= set(line) and "-IS" not in line:
                    found.append(process)
        return found

    def end(self, number: int) -> int:
        """Send it a signal; its exit status, when it and everything it had started are gone."""
        everyone = self.family
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        left = left_after(everyone)
        assert not left, f"left behind: {left}"
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@contextmanager
def serving(data: Path, *arguments: str) -> Iterator[Serve]:
    """A server that is ready; nothing of it is left afterwards, whatever happens in between."""
    server = Serve(data, *arguments)
    try:
        yield server.ready()
    finally:
        everyone = server.family
        server.process.kill()
        server.process.wait()
        assert server.process.stdout is not None
        server.process.stdout.close()
        left_after(everyone)


class Line:
    """A line to a port of this machine. Bytes take `delay` seconds each way, and each way takes `rate` of them a
    second, all connections together. sent: how many went out through it."""

    def __init__(self, delay: float, rate: float) -> None:
        self.port = 0
        self.sent = 0
        self._delay, self._rate = delay, rate
        self._free = {True: 0.0, False: 0.0}  # by direction: when it has sent what it was given
        self._turn = threading.Lock()

    def carry(self, count: int, *, out: bool) -> float:
        """Wait until so many bytes are on the line; returns when they will be at its other end."""
        with self._turn:
            self._free[out] = max(self._free[out], time.monotonic()) + count / self._rate
            self.sent += count if out else 0
            free = self._free[out]
        time.sleep(max(0.0, free - time.monotonic()))
        return free + self._delay


@contextmanager
def slow_line(port: int, delay: float = 0.0, rate: float = float("inf")) -> Iterator[Line]:
    """Opens a port of this machine that leads to `port`, slowly."""
    line = Line(delay, rate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, port, line), daemon=True).start()
        yield line


def _accept(listener: socket.socket, port: int, line: Line) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, target in ((near, far), (far, near)):
                target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                parcels: Queue[tuple[float, bytes]] = Queue()
                threading.Thread(target=_receive, args=(source, parcels, line, source is near), daemon=True).start()
                threading.Thread(target=_deliver, args=(target, parcels), daemon=True).start()


def _receive(source: socket.socket, parcels: Queue[tuple[float, bytes]], line: Line, out: bool) -> None:
    data = b"begin"
    with suppress(OSError):
        while data:
            data = source.recv(16_384)
            parcels.put((line.carry(len(data), out=out), data))
    parcels.put((0, b""))


def _deliver(target: socket.socket, parcels: Queue[tuple[float, bytes]]) -> None:
    with suppress(OSError), target:
        while (parcel := parcels.get())[1]:
            time.sleep(max(0.0, parcel[0] - time.monotonic()))
            target.sendall(parcel[1])


@dataclass(frozen=True, slots=True)
class Demo:
    """A running server, the join code of its demo competition, and the demo's round."""

    url: str
    code: str
    round: str
