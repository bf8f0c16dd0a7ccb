"""The health checks of the images, run as the containers run them, against real parts."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

from judge.judge import Judge
from server.settings import Settings
from server.worker.loop import Worker
from tests.support.databases import sqlite_at
from tests.support.server import RunningApp
from tests.support.services import Redis, eventually
from tests.support.workers import PLAIN, Device, running

HEALTHY = Path(__file__).parents[1] / "docker" / "healthy.py"


def status(part: str, **variables: str) -> int:
    command = [sys.executable, "-I", "-S", str(HEALTHY), part]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, timeout=60).returncode


def test_a_worker_is_well_while_it_is_known_in_the_queue(tmp_path: Path) -> None:
    redis = Redis(tmp_path / "redis").start()
    beat = tmp_path / "beat"
    assert status("worker", XENTARENA_HEARTBEAT=str(beat)) == 1
    worker = Worker(Settings(redis_url=redis.url, heartbeat=beat), [cast(Judge, Device(PLAIN, 0))])
    with running(worker):
        eventually(lambda: status("worker", XENTARENA_HEARTBEAT=str(beat)) == 0, what="the first word of the worker")
        redis.stop()
        os.utime(beat, (time.time() - 20,) * 2)
        time.sleep(3)  # in which it tries to say again that it is there, and cannot
        assert status("worker", XENTARENA_HEARTBEAT=str(beat)) == 1


def test_an_api_is_well_while_its_database_and_redis_answer(tmp_path: Path) -> None:
    redis = Redis(tmp_path / "redis").start()
    app = RunningApp(sqlite_at(tmp_path / "rows.sqlite3"), redis.url).start()
    try:
        assert status("api", XENTARENA_PORT=str(app.port)) == 0
        redis.stop()
        assert status("api", XENTARENA_PORT=str(app.port)) == 1
    finally:
        app.stop()
        redis.stop()
    assert status("api", XENTARENA_PORT=str(app.port)) == 1
