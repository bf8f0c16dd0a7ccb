"""Redis' clock is put back by an hour, under the work of somebody who dies: it is with another soon after."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.queue.messages import Job, Result
from server.queue.server import Queue
from server.queue.worker import RedisClaims
from tests.support.queue import LEASE, ask, enqueue
from tests.support.services import Redis, eventually

JUDGE = "judge-1"


@pytest.fixture
def stepping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Redis, Path]]:
    """A Redis whose clock is off by what a file says, in seconds."""
    offset = tmp_path / "offset"
    offset.write_text("+0")
    library = next(path for path in map(Path, FAKETIME) if path.exists())
    with monkeypatch.context() as patch:
        for name, value in (
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", offset),
            ("FAKETIME_NO_CACHE", 1),
            ("FAKETIME_DONT_FAKE_MONOTONIC", 1),
        ):
            patch.setenv(name, str(value))
        redis = Redis(tmp_path / "redis").start()
    yield redis, offset
    redis.stop()


#: Where Debian and Fedora have it.
FAKETIME = (
    f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)


@pytest.mark.parametrize("step", [-3600, 3600])
def test_after_the_clock_steps_leases_lapse_in_time(stepping: tuple[Redis, Path], step: int) -> None:
    redis, offset = stepping
    dies, lives = (RedisClaims(redis.url, name, (JUDGE,), LEASE) for name in ("dies", "lives"))
    with redis.client as client:
        for claims in (dies, lives):
            claims.announce([], "cpu", {})
            claims.create_groups()
        enqueue(redis.url, *(Job(f"k{i}", JUDGE, "arena", "", "a text", lane) for i in range(3) for lane in ["people"]))
        assert ask(redis.url, lambda queue: queue.results("dies", 9, block=0.01)) == []
        mine, *others = dies.claim(3, block=0.1)
        dies.publish(mine, Result(mine.job.key, "cpu", bits=b""))
        assert len(ask(redis.url, lambda queue: queue.results("dies", 9, block=0.1))) == 1
        before = client.time()[0]
        offset.write_text(f"{step:+d}")
        assert abs(client.time()[0] - before - step) < 60, "the clock has stepped"
        start = time.monotonic()
        found = eventually(lambda: lives.claim(3, block=0.01), what="the jobs of the dead")
        assert {claim.job.key for claim in found} == {claim.job.key for claim in others}
        assert {claim.delivery for claim in found} == {2}
        took = time.monotonic() - start
        assert took <= 1.25 * LEASE + 1, "a lease after it was seen, which is a quarter of one after it happened"
        settled = eventually(lambda: ask(redis.url, lambda queue: queue.results("lives", 9, block=0.01)))
        assert [result.key for _, result in settled] == [mine.job.key]
        lives.announce([], "cpu", {})
        assert [worker.id for worker in ask(redis.url, Queue.workers)] == ["lives"]


def test_whoever_renews_keeps_what_it_holds_when_the_clock_steps_back(stepping: tuple[Redis, Path]) -> None:
    redis, offset = stepping
    works, waits = (RedisClaims(redis.url, name, (JUDGE,), LEASE) for name in ("works", "waits"))
    works.create_groups()
    enqueue(redis.url, Job("k", JUDGE, "arena", "", "a text", "people"))
    held = works.claim(1, block=0.1)
    offset.write_text("-3600")
    end = time.monotonic() + 4 * LEASE
    while time.monotonic() < end:
        works.renew(held)
        assert waits.claim(1, block=0.02) == []
