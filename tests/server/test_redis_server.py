"""The Redis of a data folder: private, kept running, and never two on the same files."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis

from server.errors import CommandError, CommandStopped
from server.launch.redis import binary
from server.launch.redis.check import check
from server.launch.redis.server import RedisServer
from tests.support.services import eventually
from tests.support.system import alive, left_after

Start = Callable[..., RedisServer]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'a "redis" of ours'  # a name that has to be quoted


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    servers: list[RedisServer] = []

    def start_() -> RedisServer:
        servers.append(RedisServer(folder, threading.Event()))
        return servers[-1]

    yield start_
    for server in servers:
        server.stop()


def client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.config.url, protocol=2)


def process(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "redis.pid").read_text()))


def test_its_configuration_is_private_and_its_command_line_tells_no_password(start: Start, folder: Path) -> None:
    server = start()
    assert stat.S_IMODE((folder / "redis.conf").stat().st_mode) == 0o600
    assert server.config.password in (folder / "redis.conf").read_text()
    assert server.config.password not in " ".join(process(folder).cmdline())
    without_password = f"redis://127.0.0.1:{server.config.port}"
    with redis.Redis.from_url(without_password) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_it_keeps_a_file_and_refuses_rather_than_forgets(start: Start) -> None:
    with client(start()) as asked:
        for name, value in {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}.items():
            assert asked.config_get(name) == {name: value}


def test_nothing_is_lost_between_two_starts_and_the_password_stays(start: Start) -> None:
    first = start()
    with client(first) as asked:
        asked.set("kept", "yes")
    first.stop()
    second = start()
    with client(second) as asked:
        assert asked.get("kept") == b"yes"
    assert second.config.password == first.config.password


def test_one_that_is_killed_is_started_again_on_its_port(start: Start, folder: Path) -> None:
    server = start()
    killed = process(folder)
    with client(server) as asked:
        asked.set("kept", "yes")
        killed.kill()
        eventually(lambda: _value(asked, "kept") == b"yes")
    assert process(folder).pid != killed.pid


def test_one_left_over_from_before_is_ended_first(start: Start, folder: Path) -> None:
    start()
    leftover = process(folder)
    start()
    assert not left_after([leftover], 0)


@pytest.mark.slow
def test_one_left_over_that_does_not_answer_is_ended_too(start: Start, folder: Path) -> None:
    start()
    leftover = process(folder)
    leftover.suspend()
    start()
    assert not left_after([leftover], 0)


def test_another_process_that_got_the_number_of_an_old_one_is_left_alone(start: Start, folder: Path) -> None:
    start().stop()
    (folder / "redis.pid").write_text(str(os.getpid()))
    start()
    assert alive([psutil.Process()])


def test_a_damaged_file_is_put_aside(start: Start, folder: Path) -> None:
    start().stop()
    (file,) = folder.glob("**/appendonly*.aof")  # since Redis 7 in a folder of its own
    file.write_bytes(b"*3\r\n$3\r\nSET\r\nnonsense" * 10)
    with client(start()) as asked:
        assert asked.ping()
    assert len(list(folder.glob(f"damaged-*/**/{file.name}"))) == 1


def test_no_other_machine_reaches_it(start: Start) -> None:
    server = start()
    listening = {
        each.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for each in process.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == server.config.port
    }
    assert listening == {"127.0.0.1"}


def test_a_start_that_is_called_off_leaves_no_process(folder: Path) -> None:
    called_off = threading.Event()
    called_off.set()
    with suppress(CommandStopped):
        RedisServer(folder, called_off).stop()
    assert not (folder / "redis.pid").exists()


def test_where_there_is_no_redis_the_one_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "_candidates", lambda: iter([]))
    binary.find.cache_clear()
    with pytest.raises(CommandError, match="install one with `"):
        binary.find()


def test_a_redis_that_is_too_old_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=0 bits=64'\n")
    old.chmod(0o700)
    monkeypatch.setattr(binary, "_candidates", lambda: iter([str(old)]))
    binary.find.cache_clear()
    with pytest.raises(CommandError, match=r"older than 6\.2"):
        binary.find()


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "nonsense", "redis://127.0.0.1:notaport"])
def test_an_address_that_cannot_be_used_is_a_fault_that_tells_no_password(url: str) -> None:
    with pytest.raises(CommandError, match="Redis") as caught:
        check(url)
    assert "secret" not in str(caught.value)


def test_a_wrong_password_is_a_fault(start: Start) -> None:
    with pytest.raises(CommandError, match="cannot use Redis"):
        check(f"redis://:wrong@127.0.0.1:{start().config.port}/0")


def _value(asked: redis.Redis, name: str) -> bytes | str | None:
    try:
        return asked.get(name)
    except redis.RedisError:
        return None
