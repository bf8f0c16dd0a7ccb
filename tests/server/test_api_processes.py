"""Several API processes behind one address: who came in by one of them meets who came in by another."""

import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from uuid import uuid4

import httpx
import psutil
import pytest

from tests.support.scenario.deployment import answer
from tests.support.services import Postgres, eventually
from tests.support.system import Serve, command, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PROCESSES = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Serve]:
    data = tmp_path_factory.mktemp("serve") / "data"
    url = postgres.new_database()
    flags = ["--database-url", url, "--api-processes", str(PROCESSES), "--judge", "pocket"]
    with serving(data, "--demo", *flags) as made:
        yield made
        with connections(made) as clients, streams(made, clients):
            assert made.end(signal.SIGTERM) == 0


def others(server: Serve) -> list[psutil.Process]:
    return server.named("api")


@contextmanager
def connections(server: Serve, token: str = "") -> Iterator[list[httpx.Client]]:
    """Clients, each with a connection that is kept, so that it talks to one process only; every process has one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with ExitStack() as stack:
        made: list[httpx.Client] = []

        def one_more() -> bool:
            made.append(stack.enter_context(httpx.Client(base_url=server.api, headers=headers, timeout=30)))
            answer(made[-1].get("/games"))
            return len(made) >= 12 and len(who_serves(server)) == PROCESSES

        eventually(one_more, what="a connection to every process")
        yield made


@contextmanager
def streams(server: Serve, clients: Sequence[httpx.Client]) -> Iterator[list[httpx.Response]]:
    """The events of the demo, on each of them; each for somebody else, since nobody may have more than a few."""
    path = f"/competitions/{server.facts['demo']['competition']}/events"
    with ExitStack() as stack:
        made = []
        for client in clients:
            headers = {"Authorization": f"Bearer {joined(server, f'Ear {uuid4().hex[:8]}')}"}
            made.append(stack.enter_context(client.stream("GET", path, headers=headers)))
        assert [each.status_code for each in made] == [200] * len(made)
        yield made


def who_serves(server: Serve) -> Counter[int]:
    """Process → how many connections it has."""
    port = httpx.URL(server.api).port
    asked = [server.process.pid, *(each.pid for each in others(server))]
    return Counter(
        pid
        for pid in asked
        for each in psutil.Process(pid).net_connections()
        if each.status == psutil.CONN_ESTABLISHED and each.laddr.port == port
    )


def joined(server: Serve, name: str) -> str:
    body = {"code": server.facts["demo"]["code"], "name": name}
    token: str = answer(httpx.post(f"{server.api}/competitions:join", json=body, timeout=30), 201)["token"]
    return token


def test_all_of_them_answer_and_a_move_is_scored_by_whichever(server: Serve) -> None:
    path = f"/rounds/{server.facts['demo']['round']}/submissions"
    with connections(server, joined(server, "Ada")) as clients:
        made = [answer(client.post(path, json={"move": f"sea {i}"}), 201, 202) for i, client in enumerate(clients)]
        for client, submission in zip(clients, reversed(made), strict=True):  # asked of one that did not accept it
            scored = answer(client.get(f"/submissions/{submission['id']}", params={"wait": 30}))
            assert scored["state"] == "scored"


def test_what_happens_in_one_is_heard_in_all(server: Serve) -> None:
    path = f"{server.api}/competitions/{server.facts['demo']['competition']}/announcements"
    host = {"Authorization": f"Bearer {server.facts['host_token']}"}
    with connections(server) as clients, streams(server, clients) as opened:
        made = answer(httpx.post(path, json={"text": "Hear, hear."}, headers=host, timeout=30), 201)["id"]
        deadline = time.monotonic() + 60
        for stream in opened:
            heard = takewhile(lambda _: time.monotonic() < deadline, stream.iter_lines())
            assert any(made in line for line in heard)


def test_what_they_counted_is_told_by_each_as_one(server: Serve) -> None:
    with connections(server) as clients:
        told = {
            _figure(client, 'xentarena_request_seconds_count{method="GET",route="/api/v1/games",status="200"}')
            for client in clients
        }
    assert len(told) == 1
    assert told.pop() >= 12


def _figure(client: httpx.Client, name: str) -> float:
    lines = client.get(str(client.base_url.join("/metrics"))).text.splitlines()
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_one_that_is_killed_comes_again_and_the_rest_go_on(server: Serve) -> None:
    killed = others(server)[0]
    killed.kill()
    for _ in range(20):
        with httpx.Client(base_url=server.api, timeout=30) as client:
            answer(client.get("/games"))
    eventually(
        lambda: len(others(server)) == PROCESSES - 1 and killed.pid not in {each.pid for each in others(server)},
        what="another in its place",
    )


def test_a_file_of_rows_has_one_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    ended = command("serve", "--data", str(tmp_path_factory.mktemp("file") / "data"), "--api-processes", "2")
    assert ended.returncode == 1
    assert "2 API processes need PostgreSQL" in ended.stderr
    assert command("serve", "--api-processes", "0").returncode == 2
