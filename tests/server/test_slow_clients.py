"""Whoever begins a request and does not end it is let go of, in silence; whoever waits for an answer is not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import uvicorn

from server.api import gate
from server.launch.http_server import Server
from server.launch.slow_clients import TimedProtocol
from tests.support.server import RunningApp, new_class, problem
from tests.support.services import eventually
from tests.support.workers import PLAIN

HALVES = {
    "nothing": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ",
    "half a body": b"POST /api/v1/competitions:join HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b'Content-Length: 500\r\n\r\n{"code": "',
    "a body without end": b"POST /api/v1/competitions:join HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/json\r\n\r\n1\r\n{\r\n",
    "a body that nobody reads": b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nabc",
    "half a form": b"POST /join HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nContent-Length: 500\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncode=a&na",
}
HEAD, BODY = 0.6, 0.9


class Quick(TimedProtocol):
    head_seconds = HEAD
    body_seconds = BODY


@pytest.fixture
def port(sqlite_house: RunningApp) -> Iterator[int]:
    """A second server of the same application, whose clients have less time."""
    server = uvicorn.Server(uvicorn.Config(sqlite_house.app, port=0, http=Quick, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started, what="the server")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def test_a_half_request_is_let_go_of_in_silence(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as open_:
        begun = time.monotonic()
        sent = {}
        for name, data in HALVES.items():
            for number in range(5):
                sent[name, number] = open_.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                sent[name, number].sendall(data)
        drip = open_.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        drip.sendall(b"GET /healthz HTTP/1.1\r\nX-A: ")
        for _ in range(4):
            time.sleep(HEAD / 4)
            drip.sendall(b"b")
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200  # and others are served meanwhile
        for (name, _), each in {**sent, ("a drip", 0): drip}.items():
            assert ended(each), name
        assert time.monotonic() - begun < 5 * (HEAD + BODY)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def ended(connection: socket.socket) -> bool:
    """Has the server closed it? Waits for that."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        return True
    return True


def test_a_request_that_has_come_whole_takes_its_time(port: int, sqlite_house: RunningApp) -> None:
    """Also the next one on the same connection, after a pause."""
    lesson = new_class(sqlite_house, PLAIN)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1") as client:
        for _ in range(2):
            begun = time.monotonic()
            waits = {"after": 1_000, "wait": HEAD + BODY}
            held = client.get(f"/competitions/{lesson.id}/events", params=waits, headers=lesson.house.host.headers)
            assert held.status_code == 200
            assert time.monotonic() - begun > HEAD + BODY - 0.1
            time.sleep(HEAD + 0.1)
            assert client.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_the_server_is_one_of_these(sqlite_house: RunningApp) -> None:
    assert Server(sqlite_house.app).config.http is TimedProtocol


def test_bodies_that_are_held_at_the_same_time_have_a_bound(
    sqlite_house: RunningApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever sends them: nobody is known yet while a body comes."""
    monkeypatch.setattr(gate, "MOST_HELD", 3_000)
    join, body = f"{sqlite_house.url}/api/v1/competitions:join", {"code": "NOSUCH", "name": "A"}
    begun = HALVES["half a body"].replace(b"Length: 500", b"Length: 2000") + b" " * 985
    with ExitStack() as open_:
        for _ in range(3):
            slow = open_.enter_context(socket.create_connection(("127.0.0.1", sqlite_house.port), timeout=10))
            slow.sendall(begun)
        eventually(lambda: httpx.post(join, json=body).status_code == 503, what="all that is held")
        refused = httpx.post(join, json=body)
        problem(refused, 503, "busy")
        assert refused.headers["retry-after"] == "2"
        assert httpx.get(f"{sqlite_house.url}/healthz").status_code == 200
    eventually(lambda: httpx.post(join, json=body).status_code == 404, what="room again")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
