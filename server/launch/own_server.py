"""A server for one command, that ends with it: `xentarena tournament` without an address."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from server.errors import CommandError
from server.launch import reaper

GRACE = 10.0  # seconds between asking it to end and insisting
QUICK = {"XENTARENA_RATE_LIMIT": "100000", "XENTARENA_RATE_BURST": "1000000"}  # nobody else is there


@dataclass(frozen=True, slots=True)
class OwnServer:
    url: str
    host_token: str


@contextmanager
def own_server(data: Path, log: Path, judge: str) -> Iterator[OwnServer]:
    """On a data folder that stays. What it says goes to `log`. Raises CommandError where it does not start."""
    serve = ["-m", "server.cli", "serve", "--json", "--port", "0", "--data", str(data), "--judge", judge]
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-IS", reaper.__file__, str(GRACE), sys.executable, *serve],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            env=os.environ | QUICK,
            start_new_session=True,  # Ctrl-C is for this command, which then ends its server
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()
            raise CommandError(f"the tournament's own server did not start: {said[-1] if said else log}")
        facts = json.loads(line)
        yield OwnServer(facts["url"], facts["host_token"])
    finally:
        with suppress(OSError):
            process.stdin.close()
        process.wait()
        process.stdout.close()
