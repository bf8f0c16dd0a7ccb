"""`serve` dies in full flight, and is started again on the same folder."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from judge.judge import Judge
from tests.support.scenario.deployment import HOST_TOKEN, Deployment
from tests.support.scenario.flight import PATIENCE, Flight
from tests.support.services import eventually, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 * PATIENCE)]


class Serve:
    """`xentarena serve` on a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.port = port
        self.start()

    def start(self) -> None:
        flags = ["--data", str(self._folder / "data"), "--port", str(self.port), "--json"]
        settings = {"XENTARENA_HOST_TOKEN": HOST_TOKEN, "XENTARENA_LEASE": "2", "XENTARENA_GRACE": "1"}
        with (self._folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve", *flags],
                env={**os.environ, **settings, "XENTARENA_SWEEP": "0.5"},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, (self._folder / "serve.log").read_text()
        self.ready = json.loads(line)

    def family(self) -> list[psutil.Process]:
        serve = psutil.Process(self.process.pid)
        return [serve, *serve.children(recursive=True)]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(30)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    made = Serve(tmp_path, free_port())
    yield made
    if psutil.pid_exists(made.process.pid):
        made.stop()


def test_serve_is_killed_and_started_again(serve: Serve, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'data' / 'xentarena.sqlite3'}"
    arena = Deployment(tmp_path, database, "", port=serve.port)
    arena.judge_ready()
    flight = Flight(arena, Judge.load("pocket", threads=2))
    family = serve.family()
    assert len(family) >= 3, "serve, a worker and a Redis"
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(flight.take_off)
        eventually(lambda: flight.scored() >= 5, what="some scores")
        serve.kill()
        eventually(lambda: not [each for each in family if each.is_running()], what="the end of every process")
        serve.start()
        sending.result()
    flight.land()
    family = serve.family()
    assert serve.stop() == 0
    assert not [each for each in family if each.is_running()]
    arena.stop()
