"""No secret comes into a log line, whatever goes wrong; and a stop with many streams open is quick and quiet."""

import json
import logging
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import logs
from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import HOST_TOKEN, Deployment, answer
from tests.support.services import Redis

STREAMS = 100
TOKEN = "Zq3_x-" + "a" * 37
LINES = {
    "a token": TOKEN,
    "a header": "Authorization: Bearer short-token-of-mine",
    "headers": "{'authorization': 'Bearer short-token-of-mine', 'cookie': 'xentarena_token=short-token-of-mine'}",
    "bytes": "[(b'cookie', b'xentarena_token=short-token-of-mine; lang=de')]",
    "settings": "Settings(host_token='short-token-of-mine', redis_url='redis://:short-token-of-mine@host:1/0')",
    "a database": "cannot reach postgresql://arena:short-token-of-mine@db/arena",
    "JSON": '{"token": "short-token-of-mine", "n": 1}',
    "JSON in JSON": json.dumps({"event": '{"password": "short-token-of-mine"}'}),
    "a query": "GET /x?token=short-token-of-mine&wait=1",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_secret_is_left_out_of_a_line(line: str) -> None:
    told = logs.without_secrets(line)
    assert "short-token-of-mine" not in told
    assert TOKEN not in told
    assert "***" in told


@pytest.mark.parametrize(
    "line",
    [
        "database.migrated before=None now=0015",
        "the judge 8f14e45fceea167a5a36dedd4bea2543f14e45fceea167a5a36dedd4bea2543f has 12 tokens: more than 8",
        '{"event": "api.listening", "url": "http://127.0.0.1:8000", "tokens": 12}',
        'File "/srv/arena/server/arena/callers.py", line 131, in authenticate',
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert logs.without_secrets(line) == line


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_has_no_values_of_variables(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(move: str) -> None:
        raise ValueError("it is broken")

    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    import structlog

    settings = structlog.get_config()
    try:
        logs.configure(as_json=as_json)
        try:
            fails("what only the player and the judge should read")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.configure(**settings)
    told = capsys.readouterr().err
    assert "it is broken" in told
    assert "fails" in told
    assert "what only the player" not in told.replace('fails("what only the player and the judge should read")', "")


@pytest.mark.slow
def test_nothing_that_goes_wrong_and_no_stop_tells_a_secret(tmp_path: Path, own_redis: Redis) -> None:
    url = sqlite_at(tmp_path / "arena.sqlite3")
    arena = Deployment(tmp_path, url, own_redis.url, {"XENTARENA_LOG_JSON": "1", "XENTARENA_LOG_LEVEL": "debug"})
    try:
        process = arena.start_api()
        host = arena.client()
        competition = answer(host.post("/competitions", json={"name": "A class"}), 201)
        joined = [
            answer(host.post("/competitions:join", json={"code": competition["code"], "name": f"p {n}"}), 201)["token"]
            for n in range(9)
        ]
        with ExitStack() as open_:
            follow(arena, open_, competition["id"], [HOST_TOKEN, *joined])
            go_wrong(arena, joined)
            own_redis.stop()
            host.get("/judges")
            host.post("/competitions", json={"name": "Redis is away"})
            with closing(sqlite3.connect(tmp_path / "arena.sqlite3")) as rows:
                rows.execute("PRAGMA ignore_check_constraints=ON")
                rows.execute("UPDATE competitions SET total = 'nothing that there is'")
                rows.commit()
            assert host.get("/competitions").status_code == 500
            process.process.send_signal(signal.SIGTERM)
            assert process.process.wait(20) == 0
    finally:
        arena.stop()
    log = process.log.read_text()
    lines: list[Any] = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert any(line["level"] == "error" for line in lines), "nothing went wrong, so nothing is tried"
    for secret in (HOST_TOKEN, *joined, *passwords(own_redis.url)):
        assert secret not in log
    assert "Cancel" not in log
    assert max(map(len, log.splitlines())) < 30_000


def follow(arena: Deployment, open_: ExitStack, competition: str, tokens: list[str]) -> None:
    limits = httpx.Limits(max_connections=None)
    client = open_.enter_context(httpx.Client(base_url=f"{arena.url}/api/v1", timeout=20, limits=limits))
    for number in range(STREAMS):
        headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
        stream = client.stream("GET", f"/competitions/{competition}/events", headers=headers)
        assert open_.enter_context(stream).status_code == 200


def go_wrong(arena: Deployment, tokens: list[str]) -> None:
    """Requests that the server refuses, each with a token in it."""
    for token in tokens:
        with arena.client(token) as client:
            client.post("/competitions:join", content=b"{", headers={"Content-Type": "application/json"})
            client.post("/rounds/none/submissions", json={"move": token}, headers={"Idempotency-Key": token})
            client.get(f"/submissions/{token}")
        with httpx.Client(base_url=arena.url, cookies={"xentarena_token": token}) as page:
            page.get("/rounds")
            page.post("/sign-in", data={"key": token}, headers={"Origin": arena.url})
            page.post("/join", content=b"\xff", headers={"Origin": arena.url})


def passwords(url: str) -> list[str]:
    found = httpx.URL(url).password
    return [found] if found else []
