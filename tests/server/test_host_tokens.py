"""A host's token that was rotated or revoked is good for nothing from that moment on, at every API process."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.cli import main
from server.launch.data_dir import DataDir, held
from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import HOST_TOKEN, answer
from tests.support.server import RunningApp
from tests.support.services import Postgres, Redis

SOON = 3.0  # seconds: a stream of another token would have gone on for hours


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.delenv("XENTARENA_HOST_TOKEN", raising=False)

    def run_(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["xentarena", "host-token", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out.strip(), err

    return run_


@contextmanager
def two(url: str, redis: str) -> Iterator[list[RunningApp]]:
    """Two API processes of one server."""
    houses = []
    try:
        for _ in range(2):
            houses.append(RunningApp(url, redis).start())
        yield houses
    finally:
        for house in houses:
            house.stop()


@contextmanager
def following(house: RunningApp, token: str, competition: str) -> Iterator[Iterator[str]]:
    """An open stream of events."""
    with (
        httpx.Client(base_url=f"{house.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as client,
        client.stream("GET", f"/competitions/{competition}/events", timeout=httpx.Timeout(10, read=SOON)) as stream,
    ):
        assert stream.status_code == 200
        lines = stream.iter_lines()
        next(lines)
        yield lines


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_rotated_token_ends_at_once_everywhere(
    kind: str, run: Any, request: pytest.FixtureRequest, tmp_path: Path, own_redis: Redis
) -> None:
    postgres: Postgres | None = request.getfixturevalue("postgres") if kind == "postgresql" else None
    url = postgres.migrated_database() if postgres else sqlite_at(tmp_path / "arena.sqlite3")
    at = ("--database-url", url, "--redis-url", own_redis.url)
    with two(url, own_redis.url) as (one, other):
        competition = answer(one.host.post("/competitions", json={"name": "A class"}), 201)["id"]
        with following(one, HOST_TOKEN, competition) as here, following(other, HOST_TOKEN, competition) as there:
            status, token, _ = run("rotate", *at)
            assert status == 0
            assert not [line for lines in (here, there) for line in lines if line.startswith("data")]
        for house in (one, other):
            assert house.host.get("/me").status_code == 401
            assert answer(house.caller(token).get(f"/competitions/{competition}"))["id"] == competition

        invited = answer(one.caller(token).post(f"/competitions/{competition}/hosts", json={"name": "Co"}), 201)
        listed = json.loads(run("list", *at[:2], "--json")[1])
        assert [(each["name"], each["scope"]) for each in listed] == [("the owner", "host"), ("Co", "host")]
        assert token not in str(listed)
        with following(other, invited["token"], competition) as lines:
            assert run("revoke", invited["host"]["id"], *at)[0] == 0
            assert not [line for line in lines if line.startswith("data")]
        assert other.caller(invited["token"]).get("/me").status_code == 401
        status, _, told = run("revoke", invited["host"]["id"], *at)
        assert (status, "There is no host or observer" in told) == (1, True)


def test_a_server_that_starts_with_another_token_ends_the_one_of_before(tmp_path: Path, own_redis: Redis) -> None:
    """On another machine, or this one: whichever process started with the old token, its streams end too."""
    url = sqlite_at(tmp_path / "arena.sqlite3")
    with two(url, own_redis.url) as (one, _):
        competition = answer(one.host.post("/competitions", json={"name": "A class"}), 201)["id"]
        later = RunningApp(url, own_redis.url)
        later.settings.host_token = "another" * 6
        with following(one, HOST_TOKEN, competition) as lines:
            later.start()
            try:
                assert not [line for line in lines if line.startswith("data")]
                assert one.host.get("/me").status_code == 401
                assert one.caller("another" * 6).get("/me").status_code == 200
            finally:
                later.stop()


def test_in_a_data_folder_the_new_token_takes_the_place_of_the_old(run: Any, tmp_path: Path) -> None:
    status, _, told = run("rotate", "--data", str(tmp_path))
    assert (status, "no server was started in" in told) == (1, True)
    with held(tmp_path) as folder:
        folder.note_database(sqlite_at(tmp_path / "xentarena.sqlite3"))
        before = folder.host_token()
    status, token, _ = run("rotate", "--data", str(tmp_path))
    assert status == 0
    assert DataDir(tmp_path).host_token() == token != before
