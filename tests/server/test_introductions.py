"""A worker is known as long as it lives, however large its judge's tokenizer and however slow its line."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from judge.judge import Judge
from server.queue.introductions import Introduction
from server.queue.messages import RedisError
from server.queue.server import Queue
from server.queue.worker import RedisClaims
from server.settings import Settings
from server.worker.loop import HELLO, Worker
from tests.support.queue import LEASE, ask
from tests.support.services import Redis, eventually
from tests.support.system import Line, slow_line
from tests.support.workers import BUILD, FakeJudge

MEGABYTE = 1_000_000
LARGE = "t" * (3 * MEGABYTE)
RATE = 0.25 * MEGABYTE  # bytes a second, so that the large one takes twelve seconds: as long as a worker may be silent


class Idle(FakeJudge):
    """A judge that nobody asks."""

    build = BUILD

    def measure(self, pairs: object) -> list[list[float]]:
        return [[1.0]]


def url_of(line: Line) -> str:
    return f"redis://127.0.0.1:{line.port}/0"


@contextmanager
def at_work(redis_url: str, judge: Idle) -> Iterator[None]:
    stop = threading.Event()
    worker = Worker(Settings(redis_url=redis_url), [cast(Judge, judge)])
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def announce(redis_url: str, *judges: FakeJudge, seconds: float = float("inf")) -> bool:
    """One worker's word, of another worker every time."""
    claims = RedisClaims(redis_url, f"worker-{time.monotonic_ns()}", tuple(judge.identity for judge in judges), LEASE)
    try:
        return claims.announce([Introduction.of(judge.info()) for judge in judges], BUILD, {}, seconds=seconds)
    finally:
        claims.close()


def known(redis_url: str) -> dict[str, str]:
    """The judges that a server learns of, and their tokenizers."""
    return {info["name"]: info["tokenizer_json"] for info in ask(redis_url, lambda queue: queue.judges([])).judges}


def workers(redis_url: str) -> int:
    return len(ask(redis_url, Queue.workers))


def sent_in(line: Line, seconds: float) -> int:
    before = line.sent
    time.sleep(seconds)
    return line.sent - before


@pytest.mark.slow
def test_a_slow_line_makes_no_live_worker_look_dead_and_its_judge_appears(own_redis: Redis) -> None:
    judge = Idle(tokenizer=LARGE)
    with slow_line(own_redis.port, rate=RATE) as line, at_work(url_of(line), judge):
        eventually(lambda: workers(own_redis.url) == 1, what="the first word")
        began = time.monotonic()
        while not known(own_redis.url):
            assert workers(own_redis.url) == 1
            time.sleep(0.3)
        assert time.monotonic() - began < 2 * len(LARGE) / RATE
        assert known(own_redis.url) == {judge.name: LARGE}
        assert line.sent < 1.1 * len(LARGE)
        assert sent_in(line, 5 * HELLO) / (5 * HELLO) < 2000, "bytes a second of an idle worker"
        assert workers(own_redis.url) == 1


@pytest.mark.slow
def test_after_redis_was_wiped_everything_is_said_again(own_redis: Redis) -> None:
    judge = Idle(tokenizer=LARGE)
    with slow_line(own_redis.port) as line, at_work(url_of(line), judge):
        eventually(lambda: bool(known(own_redis.url)), what="the judge")
        with own_redis.client as client:
            client.flushall()
        eventually(lambda: known(own_redis.url) == {judge.name: LARGE}, what="the judge again")
        assert workers(own_redis.url) == 1


def test_who_is_cut_off_goes_on_where_redis_is(redis_url: str, redis_server: Redis) -> None:
    judge = FakeJudge(tokenizer=LARGE)
    with slow_line(redis_server.port, rate=MEGABYTE) as line:
        assert not announce(url_of(line), judge, seconds=1)
        assert known(redis_url) == {}
        assert line.sent > MEGABYTE / 2
        assert announce(url_of(line), judge)
        assert line.sent < 1.1 * len(LARGE)
    assert known(redis_url) == {judge.name: LARGE}


def test_two_workers_at_once_send_one_tokenizer_between_them(redis_url: str, redis_server: Redis) -> None:
    judges = [FakeJudge(tokenizer=LARGE), FakeJudge(tokenizer=LARGE)]
    with slow_line(redis_server.port, rate=2 * MEGABYTE) as line:
        threads = [threading.Thread(target=announce, args=(url_of(line), judge)) for judge in judges]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert announce(url_of(line), *judges)
    assert known(redis_url) == {judge.name: LARGE for judge in judges}


def test_a_tokenizer_is_sent_once_for_all_judges_that_have_it(redis_url: str, redis_server: Redis) -> None:
    with slow_line(redis_server.port) as line:
        assert announce(url_of(line), FakeJudge(tokenizer=LARGE), FakeJudge(tokenizer=LARGE))
        assert announce(url_of(line), FakeJudge(tokenizer=LARGE))
        assert line.sent < 1.1 * len(LARGE)
    assert len(known(redis_url)) == 3


@pytest.mark.parametrize("left", [None, b"", b"something else", b"x" * 2000])
def test_a_tokenizer_that_was_lost_or_damaged_comes_again(redis_url: str, redis_server: Redis, left: Any) -> None:
    judge = FakeJudge()
    announce(redis_url, judge)
    with redis_server.client as client:
        (key,) = client.keys("xa:tokenizer:*")
        client.delete(key)
        if left is not None:
            client.set(key, left)
    assert known(redis_url) == {}
    announce(redis_url, judge)
    assert known(redis_url) == {judge.name: judge.tokenizer}


@pytest.mark.slow
def test_a_part_that_was_too_much_for_the_line_is_smaller_the_next_time(redis_server: Redis, redis_url: str) -> None:
    judge = FakeJudge(tokenizer="t" * 30_000)
    with slow_line(redis_server.port, rate=1500) as line:  # ten seconds are not enough for a part of 16 kB
        claims = RedisClaims(url_of(line), "worker-1", (judge.identity,), LEASE)
        introductions = [Introduction.of(judge.info())]
        with pytest.raises(RedisError):
            claims.announce(introductions, BUILD, {})
        assert not claims.announce(introductions, BUILD, {}, seconds=1)
        claims.close()
    with redis_server.client as client:
        (key,) = client.keys("xa:tokenizer:*")
        assert 0 < client.strlen(key) < len(judge.tokenizer)
