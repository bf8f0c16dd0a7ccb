"""A server that stops while many wait: they are let go of, and the log is no longer for it."""

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import RunningApp
from tests.support.services import eventually

WAITING = 12


def test_whoever_waits_at_the_stop_is_let_go_of_and_told_of_in_one_line(
    own_house: Callable[..., RunningApp],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two of them in the middle of a transaction, the others before it."""
    house = own_house(threads=2)
    code = answer(house.host.post("/competitions", json={"name": "A class"}), 201)["code"]

    def join(number: int) -> httpx.Response:
        return httpx.post(
            f"{house.url}/api/v1/competitions:join", json={"code": code, "name": f"P {number}"}, timeout=60
        )

    rows = sqlite3.connect(tmp_path / "own.sqlite3", isolation_level=None)
    with closing(rows), ThreadPoolExecutor(WAITING) as threads:
        rows.execute("BEGIN IMMEDIATE")
        sent = [threads.submit(join, number) for number in range(WAITING)]
        eventually(lambda: len(house.server.server_state.tasks) == WAITING, what="everybody's request")
        house.server.should_exit = True
        for each in sent:
            with pytest.raises(httpx.TransportError):
                each.result()
        rows.rollback()
    house.stop()
    told = caplog.text + capsys.readouterr().out
    assert re.search(rf"requests\W+{WAITING}\b", told)
    assert told.count("stop.requests_cut_off") == 1
    assert "Traceback" not in told
    assert "Exception in ASGI" not in told
