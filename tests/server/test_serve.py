"""One command serves everything, survives what happens to its parts, and leaves nothing behind."""

import json
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.addresses import Address
from server.launch.addresses import listen
from server.launch.banner import Greeting
from server.launch.demo import PREFIX, Demo
from tests.judge.tiny import write_gpt2
from tests.support.services import eventually
from tests.support.system import Serve, alive, command, left_after, serving


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gpt2(tmp_path_factory.mktemp("judges") / "tiny", context=1024)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, judge: Path) -> Iterator[Serve]:
    """One for all tests that leave it in good health."""
    data = tmp_path_factory.mktemp("serve") / "data"
    with serving(data, "--demo", "--judge", str(judge), "--workers") as made:
        yield made


@pytest.fixture
def host(server: Serve) -> Iterator[httpx.Client]:
    with client(server, server.facts["host_token"]) as made:
        yield made


def client(server: Serve, token: str) -> httpx.Client:
    return httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def player(server: Serve, name: str) -> httpx.Client:
    join = {"code": server.facts["demo"]["code"], "name": name}
    return client(server, httpx.post(f"{server.api}/competitions:join", json=join, timeout=30).json()["token"])


def submit(by: httpx.Client, server: Serve, move: str, wait: float = 30) -> dict[str, Any]:
    path = f"/rounds/{server.facts['demo']['round']}/submissions"
    answer = by.post(path, params={"wait": wait}, json={"move": move})
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


# Ready


def test_the_one_line_of_json_tells_address_token_and_demo(server: Serve, host: httpx.Client) -> None:
    assert set(server.facts) == {"url", "host_token", "demo"}
    assert set(server.facts["demo"]) == {"code", "competition", "round"}
    competition = host.get(f"/competitions/{server.facts['demo']['competition']}").json()
    assert competition["code"] == server.facts["demo"]["code"]
    assert host.get(f"/rounds/{server.facts['demo']['round']}").json()["state"] == "open"


def test_a_server_that_says_it_is_ready_scores_at_once(server: Serve) -> None:
    with player(server, "Ada") as ada:
        assert submit(ada, server, "sea")["state"] == "scored"


@pytest.mark.slow
def test_the_curl_lines_join_submit_and_show_the_score(server: Serve) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl on this machine")
    facts = server.facts
    demo = Demo(facts["demo"]["competition"], facts["demo"]["code"], facts["demo"]["round"])
    lines = list(Greeting(facts["url"], facts["host_token"], None, ("pocket",), demo).curl(demo))
    assert len(lines) == 3
    shown = subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60)
    submission = json.loads(shown.stdout)
    assert submission["state"] == "scored"
    (move,) = [event["text"] for event in submission["events"] if event["type"] == "move"]
    assert PREFIX.startswith(move)  # this judge's tokens are short, so it is cut


def test_house_bots_are_on_the_board(server: Serve, host: httpx.Client) -> None:
    def names() -> set[str]:
        board = host.get(f"/rounds/{server.facts['demo']['round']}/leaderboard").json()["items"]
        return {entry["player"]["name"] for entry in board}

    eventually(lambda: {"Magpie", "Rook"} <= names(), what="both on the board")


def test_a_worker_elsewhere_is_told_how_to_come_in(server: Serve) -> None:
    lines = server.said.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if f"xentarena worker --server {server.facts['url']}" in line)
    token = lines[place - 1].partition("export XENTARENA_WORKER_TOKEN=")[2]
    assert "this machine only" in lines[place + 1]
    with client(server, token) as worker:
        assert worker.get("/worker").json()["name"] == "serve --workers"
        assert worker.get("/me").status_code == 403


def test_no_command_line_tells_a_password_or_a_token(server: Serve, host: httpx.Client) -> None:
    conf = (server.data / "redis" / "redis.conf").read_text()
    password = next(line.split('"')[1] for line in conf.splitlines() if line.startswith("requirepass"))
    bots = [bot["token"] for bot in json.loads((server.data / "demo.json").read_text())["bots"]]
    lines = [" ".join(process.cmdline()) for process in server.family]
    worker = (server.data / "worker-token").read_text().strip()
    for secret in (password, server.facts["host_token"], worker, *bots):
        assert not [line for line in lines if secret in line]


# Refusals


def test_a_folder_that_is_served_is_refused_to_a_second_server(server: Serve) -> None:
    ended = command("serve", "--data", str(server.data), "--port", "0")
    assert ended.returncode == 1
    assert f"in use by another xentarena serve (process {server.process.pid})" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_port_in_use_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with closing(listen(Address("127.0.0.1", 0))) as taken:
        ended = command("serve", "--data", str(tmp_path), "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "is in use" in ended.stderr
    assert not (tmp_path / "redis").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--redis-url", "redis://127.0.0.1:1/0"], "cannot use Redis at redis://127.0.0.1:1/0"),
        (["--database-url", "postgresql://127.0.0.1:1/arena"], "cannot use the database"),
    ],
    ids=["redis", "database"],
)
def test_an_address_that_refuses_is_told(tmp_path: Path, arguments: list[str], told: str) -> None:
    ended = command("serve", "--data", str(tmp_path), "--port", "0", *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_faulty_judge_ends_the_first_start_with_the_reason(tmp_path: Path) -> None:
    folder = write_gpt2(tmp_path / "judge", tokenizer=False)
    ended = command("serve", "--data", str(tmp_path / "data"), "--port", "0", "--judge", str(folder), "--json")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "has no tokenizer.json" in ended.stderr
    assert "the worker does not start" in ended.stderr
    assert "Traceback" not in ended.stderr


# While it runs


def test_a_backup_can_be_taken_while_it_runs(server: Serve, tmp_path: Path) -> None:
    assert command("backup", str(server.data), str(tmp_path / "arena.tar")).returncode == 0
    with tarfile.open(tmp_path / "arena.tar") as archive:
        assert "xentarena.sqlite3" in archive.getnames()


@pytest.mark.slow
def test_a_worker_that_is_killed_comes_back_and_nothing_is_lost(server: Serve) -> None:
    (killed,) = eventually(lambda: server.named("server.cli", "worker"))
    killed.kill()
    with player(server, "Grace") as grace:
        assert submit(grace, server, "harbour", wait=60)["state"] == "scored"
    assert server.named("server.cli", "worker") != [killed]


@pytest.mark.slow
def test_a_redis_that_is_killed_comes_back_and_nothing_is_lost(server: Serve) -> None:
    (killed,) = server.named("redis-server")
    killed.kill()
    with player(server, "Edsger") as edsger:
        assert submit(edsger, server, "lighthouse", wait=60)["state"] == "scored"
    assert server.named("redis-server") != [killed]


@pytest.mark.slow
def test_what_a_killed_reaper_watched_is_ended_and_started_again(server: Serve) -> None:
    (redis,) = eventually(lambda: server.named("redis-server"))
    reaper = redis.parent()
    assert reaper is not None
    reaper.kill()
    assert not left_after([redis])
    eventually(lambda: server.named("redis-server"))


# The end


@pytest.mark.slow
def test_ctrl_c_while_the_worker_is_loading_ends_it_quickly(tmp_path: Path) -> None:
    server = Serve(tmp_path / "data")
    try:
        eventually(lambda: server.named("server.cli", "worker"), seconds=180)
        began = time.monotonic()
        assert server.end(signal.SIGINT) == 0
        assert time.monotonic() - began < 120
    finally:
        left_after(server.family, 0)


@pytest.mark.slow
def test_streams_and_held_requests_do_not_hold_up_the_end(tmp_path: Path, judge: Path) -> None:
    with serving(tmp_path / "data", "--demo", "--judge", str(judge)) as server, player(server, "Ada") as ada:
        (worker,) = server.named("server.cli", "worker")
        worker.suspend()
        held_request = threading.Thread(target=_until_cut, args=(submit, ada, server, "sea"))
        stream = threading.Thread(target=_until_cut, args=(_read_events, server))
        for thread in (held_request, stream):
            thread.start()
        time.sleep(1)
        began = time.monotonic()
        assert server.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 120
        for thread in (held_request, stream):
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.slow
def test_a_judge_that_is_named_twice_is_served_once_and_its_speed_told(tmp_path: Path, judge: Path) -> None:
    with serving(tmp_path / "data", "--judge", str(judge), "--judge", str(judge)) as server:
        eventually(lambda: "serve.speed" in server.said.read_text(), what="its speed")
        assert httpx.get(f"{server.facts['url']}/readyz", timeout=30).status_code == 200
        assert server.said.read_text().count("serve.speed") == 1
        assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_the_same_folder_is_served_again_with_nothing_lost(tmp_path: Path, judge: Path) -> None:
    arguments = ("--demo", "--judge", str(judge))
    with serving(tmp_path / "data", *arguments) as first:
        with player(first, "Ada") as ada:
            submission = submit(ada, first, "sea")
            token = ada.headers["Authorization"].removeprefix("Bearer ")
        facts = first.facts
        assert first.end(signal.SIGTERM) == 0
    with serving(tmp_path / "data", *arguments) as second:
        assert {**second.facts, "url": ""} == {**facts, "url": ""}
        with client(second, token) as ada:
            assert ada.get(f"/submissions/{submission['id']}").json() == submission
            assert submit(ada, second, "sea")["bits"] == submission["bits"]


@pytest.mark.slow
def test_sigkill_leaves_no_process_behind_and_the_folder_can_be_served_again(tmp_path: Path, judge: Path) -> None:
    arguments = ("--demo", "--judge", str(judge))
    with serving(tmp_path / "data", *arguments) as first:
        facts = first.facts
        # Redis, worker and two bots, each with a reaper
        everyone = eventually(lambda: found if len(found := first.family) == 9 else [])
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        assert not alive(everyone)
    with serving(tmp_path / "data", *arguments) as second:
        assert second.facts["demo"] == facts["demo"]


def test_people_are_greeted_with_what_they_need(server: Serve) -> None:
    facts = server.facts
    demo = Demo(facts["demo"]["competition"], facts["demo"]["code"], facts["demo"]["round"])
    lines = "\n".join(Greeting("http://10.0.0.7:8000", "token", "wtoken", ("tiny",), demo).lines())
    assert "http://10.0.0.7:8000/sign-in#token" in lines
    assert (
        "export XENTARENA_WORKER_TOKEN=wtoken\n  xentarena worker --server http://10.0.0.7:8000 --judge tiny" in lines
    )
    assert "this machine only" not in lines
    assert demo.code in lines


# The parts one at a time


@pytest.mark.slow
def test_an_api_refuses_a_database_without_tables_and_migrate_makes_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'arena.sqlite3'}"
    api = ("api", "--database-url", url, "--redis-url", "redis://127.0.0.1:1/0", "--port", "0")
    assert "run `xentarena migrate`" in command(*api).stderr
    assert command("migrate", "--database-url", url).returncode == 0
    assert "cannot use Redis" in command(*api).stderr


def _until_cut(work: Any, *arguments: Any) -> None:
    with suppress(httpx.HTTPError):
        work(*arguments)


def _read_events(server: Serve) -> None:
    path = f"/competitions/{server.facts['demo']['competition']}/events"
    with client(server, server.facts["host_token"]) as host, host.stream("GET", path) as stream:
        for _ in stream.iter_lines():
            pass
