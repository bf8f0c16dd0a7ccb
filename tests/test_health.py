"""The health checks of the images, run as the containers run them, against real parts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from server.queue.worker import RedisClaims

HEALTHY = Path(__file__).parents[1] / "docker" / "healthy.py"


def status(redis_url: str, part: str) -> int:
    env = os.environ | {"XENTARENA_REDIS_URL": redis_url, "PYTHONPATH": str(HEALTHY.parents[1])}
    return subprocess.run([sys.executable, str(HEALTHY), part], env=env, capture_output=True, timeout=60).returncode


def test_a_worker_is_well_once_it_has_announced_itself(redis_url: str) -> None:
    assert status(redis_url, "worker") == 1
    RedisClaims(redis_url, f"{socket.gethostname()}-1-ab", ("judge",), 30).announce([], "cpu", {})
    assert status(redis_url, "worker") == 0


def test_another_hosts_worker_does_not_count(redis_url: str) -> None:
    RedisClaims(redis_url, "elsewhere-1-ab", ("judge",), 30).announce([], "cpu", {})
    assert status(redis_url, "worker") == 1


def test_without_redis_a_worker_is_not_well() -> None:
    assert status("redis://127.0.0.1:1/0", "worker") == 1
