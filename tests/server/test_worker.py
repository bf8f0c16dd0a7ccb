"""The worker, on a real Redis: what it is given comes back once, its device never waits, and nobody waits for long."""

import random
import signal
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, cast

import pytest

from judge.errors import JudgeError
from judge.judge import Judge, Pair
from server.queue.messages import LAST_DELIVERY, GenerationJob, Job, Result, stream
from server.queue.server import Queue
from server.queue.worker import RedisClaims
from server.settings import Settings
from server.worker.leases import LeaseKeeper
from server.worker.loop import TRIAL, Worker
from tests.judge import tiny
from tests.support.queue import ask, enqueue
from tests.support.services import Redis, eventually
from tests.support.system import environment, slow_line
from tests.support.workers import running

LEASE = 0.6
TEXT = "The tide came in over the flats, slow and brown."


@pytest.fixture(scope="session")
def pocket() -> Judge:
    return Judge.load("pocket", device="cpu")


class Device:
    """A judge that only takes its time. `measured`: every prefix, in the order in which it was measured."""

    name = build = identity = "device"
    context, bos = 256, 0

    def __init__(self, seconds: float, watch: Callable[[str], None] = lambda prefix: None) -> None:
        self._seconds = seconds
        self._watch = watch
        self.measured: list[str] = []
        self.busy = 0.0
        self.began = self.ended = 0.0

    def info(self) -> dict[str, Any]:
        return {"identity": self.identity, "tokenizer_json": "{}"}

    def measure_each(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, list[float]]]:
        for i, pair in enumerate(pairs):
            start = time.perf_counter()
            self.began = self.began or start
            self._watch(pair.prefix)
            time.sleep(self._seconds)
            self.measured.append(pair.prefix)
            self.ended = time.perf_counter()
            self.busy += self.ended - start
            yield i, [1.0]

    def measure(self, pairs: Sequence[Pair]) -> list[list[float]]:
        if not any(pair.prefix for pair in pairs):  # it is tried, while there is nothing to do
            time.sleep(self._seconds * len(pairs))
            return [[1.0] for _ in pairs]
        return [bits for _, bits in self.measure_each(pairs)]


def jobs_of(judge: Judge | Device, count: int, lane: str = "people") -> list[Job]:
    return [Job(f"k{i}", judge.identity, "arena", f"ship {i}", TEXT, lane) for i in range(count)]


def text_of(judge: Judge, key: str, tokens: int = 12, seed: str = "a seed") -> GenerationJob:
    return GenerationJob(key, judge.identity, "Once upon a time", tokens, seed, "people")


@contextmanager
def at_work(redis_url: str, judge: Judge | Device, *, lease: float = LEASE) -> Iterator[threading.Event]:
    """A worker in a thread; the event tells it to stop."""
    with running(Worker(Settings(redis_url=redis_url, lease=lease), [cast(Judge, judge)])) as stop:
        yield stop


def rates(redis_url: str) -> Mapping[str, float]:
    """What the one worker there tells; nothing until it is there."""
    return next((worker.rates for worker in ask(redis_url, Queue.workers)), {})


class Referee:
    """Takes results; `order` has their keys as they came. twice: may one come again, since its lease had lapsed?"""

    def __init__(self, redis_url: str, *, twice: bool = False) -> None:
        self._url = redis_url
        self._twice = twice
        self.results: dict[str, Result] = {}

    @property
    def order(self) -> list[str]:
        return list(self.results)

    def settle(self) -> int:
        taken = ask(self._url, lambda queue: queue.results("referee", 500, block=0.05))
        if taken:
            ask(self._url, lambda queue: queue.settled([entry for entry, _ in taken]))
        new = self.results.keys().isdisjoint(result.key for _, result in taken)
        assert new or self._twice, "a result came twice"
        self.results |= {result.key: result for _, result in taken}
        return len(self.results)

    def collect(self, count: int) -> dict[str, Result]:
        eventually(lambda: self.settle() == count, seconds=180, what=f"{count} results")
        return self.results


def unpacked(result: Result) -> list[float]:
    assert result.bits is not None, result.failure
    return array("f", result.bits).tolist()


def held(redis_server: Redis, judge: str, lane: str = "people") -> int:
    with redis_server.client as client:
        return int(client.xpending(stream(judge, lane), "workers")["pending"])


# --- Measurements -----------------------------------------------------------------------------------------------------


def test_results_are_the_judges_own_bits(redis_url: str, pocket: Judge) -> None:
    with at_work(redis_url, pocket):
        enqueue(redis_url, *jobs_of(pocket, 20))
        found = Referee(redis_url).collect(20)
    for job in jobs_of(pocket, 20):
        assert unpacked(found[job.key]) == pocket.measure([Pair(job.prefix, job.text)])[0]
        assert found[job.key].build == pocket.build


WORDS = ["dragon", "castle", "sea", "mountain", "old", "the", "and", "flew", "日本", "😀", "naïve", "—", ",", "."]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_by_two_processes_in_competition_are_the_bits_of_each_alone(
    redis_url: str, redis_server: Redis, pocket: Judge
) -> None:
    draw = random.Random(2)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 20))) for _ in range(10)]
    prefixes = [" ".join(draw.choices(WORDS, k=draw.randint(0, 14))) for _ in range(200)]
    jobs = [Job(f"k{i}", pocket.identity, "arena", p, draw.choice(texts), "people") for i, p in enumerate(prefixes)]
    command = [sys.executable, "-m", "server.cli", "worker", "--judge", "pocket"]
    env = environment() | {"XENTARENA_REDIS_URL": redis_url}
    workers = [subprocess.Popen(command, env=env | {"OMP_NUM_THREADS": str(n)}) for n in (1, 7)]
    try:
        eventually(lambda: len(ask(redis_url, lambda queue: queue.workers())) == 2, seconds=90, what="both workers")
        enqueue(redis_url, *jobs)
        with redis_server.client as client:
            shares = eventually(lambda: _shares(client, pocket.identity), what="work for both")
        found = Referee(redis_url).collect(200)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
    assert len(shares) == 2
    for job in jobs[::5]:
        assert unpacked(found[job.key]) == pocket.measure([Pair(job.prefix, job.text)])[0]
    assert [unpacked(found[job.key]) for job in jobs] == pocket.measure([Pair(job.prefix, job.text) for job in jobs])


def _shares(client: Any, judge: str) -> list[str]:
    """Who holds something, once two do."""
    known = client.xpending(stream(judge, "people"), "workers")["consumers"]
    return known if len(known) == 2 else []


@pytest.mark.slow
def test_while_there_is_nothing_to_do_a_judge_is_tried_and_its_rate_told(redis_url: str, pocket: Judge) -> None:
    with at_work(redis_url, pocket):
        found = eventually(lambda: rates(redis_url), what="a rate")
    assert list(found) == [pocket.identity]
    assert found[pocket.identity] > 0
    assert min(pocket.tokens.count(text) for text in TRIAL) > 60


@pytest.mark.slow
def test_a_judge_that_fails_its_trial_works_all_the_same(redis_url: str) -> None:
    class Fussy(Device):
        def measure(self, pairs: Sequence[Pair]) -> list[list[float]]:
            raise JudgeError("too long")

    device = Fussy(0.0)
    with at_work(redis_url, cast(Judge, device)):
        eventually(lambda: rates(redis_url) == {"device": 0.0}, what="a failed trial")
        enqueue(redis_url, *jobs_of(device, 2))
        Referee(redis_url).collect(2)
        eventually(lambda: rates(redis_url)["device"] > 0, what="a rate")


def test_one_bad_apple_fails_and_its_batch_mates_do_not(redis_url: str) -> None:
    def bite(prefix: str) -> None:
        if prefix == "ship 3":
            raise RuntimeError("a worm")

    with at_work(redis_url, Device(0, bite)):
        enqueue(redis_url, *jobs_of(Device(0), 8))
        found = Referee(redis_url).collect(8)
    assert found["k3"].failure == "RuntimeError: a worm"
    assert [key for key, result in found.items() if result.failure] == ["k3"]


def test_what_was_handed_out_too_often_is_a_failure_and_is_not_measured(redis_url: str, redis_server: Redis) -> None:
    device = Device(0)
    enqueue(redis_url, *jobs_of(device, 1))
    dead = RedisClaims(redis_url, "dead", (device.identity,), LEASE)
    dead.create_groups()
    (claim,) = dead.claim(8, block=0.1)
    with redis_server.client as client:
        client.xclaim(claim.stream, "workers", "dead", 0, [claim.entry], retrycount=LAST_DELIVERY - 1, idle=10_000)
    with at_work(redis_url, device):
        found = Referee(redis_url).collect(1)
    assert found["k0"].failure == f"It was handed out {LAST_DELIVERY} times and no worker brought it back."
    assert device.measured == []


@pytest.mark.slow
def test_a_suspect_is_measured_with_nothing_else_in_hand(redis_url: str, redis_server: Redis) -> None:
    """Else those that were claimed ahead would age with it, crash by crash, and so would it with theirs."""
    deliveries: dict[str, list[int]] = {}

    def watch(prefix: str) -> None:
        with redis_server.client as client:
            pending = client.xpending_range(stream("device", "people"), "workers", "-", "+", 1000)
        deliveries[prefix] = [entry["times_delivered"] for entry in pending]

    device = Device(0.01, watch)
    suspect, *others = jobs_of(device, 200)
    enqueue(redis_url, suspect)
    dead = RedisClaims(redis_url, "dead", (device.identity,), LEASE)
    dead.create_groups()
    (claim,) = dead.claim(8, block=0.1)
    enqueue(redis_url, *others)
    with at_work(redis_url, device, lease=5):  # that none lapses by itself on a slow machine
        eventually(lambda: len(device.measured) > 20, what="work")
        with redis_server.client as client:
            client.xclaim(claim.stream, "workers", "dead", 0, [claim.entry], retrycount=2, idle=10_000)
        Referee(redis_url).collect(200)
    assert deliveries.pop("ship 0") == [3]
    assert device.measured.index("ship 0") < 199, "it did not have to wait until all else was done"
    beside_others = [each for each in deliveries.values() if 3 in each]
    assert len(beside_others) <= 10, "at most for the moment until it is given back"


# --- The device is busy, and no more is taken than that needs ---------------------------------------------------------


@pytest.mark.slow
def test_the_device_is_busy_also_on_a_slow_line(redis_url: str, redis_server: Redis) -> None:
    device = Device(0.005)
    enqueue(redis_url, *jobs_of(device, 500))
    with slow_line(redis_server.port, 0.01) as line, at_work(f"redis://127.0.0.1:{line.port}/0", device, lease=30):
        Referee(redis_url).collect(500)
    # 0.98 on a quiet machine; a worker that does not claim ahead has 0.3.
    assert device.busy / (device.ended - device.began) >= 0.6
    assert len(device.measured) == 500


@pytest.mark.slow
@pytest.mark.parametrize(("lane", "least", "most"), [("bots", 20, 110), ("people", 1, 10)])
def test_no_more_is_in_hand_than_this_batch_and_the_next(
    redis_url: str, redis_server: Redis, lane: str, least: int, most: int
) -> None:
    """A batch is half a second's work at the pace so far, and a fiftieth of a second's while people play; the pace
    is never above a hundred a second."""
    in_hand: list[int] = []
    device = Device(0.01, lambda _: in_hand.append(held(redis_server, "device", lane)))
    with at_work(redis_url, device):
        enqueue(redis_url, *jobs_of(device, 300, lane))
        Referee(redis_url).collect(300)
    after_the_first = in_hand[20:]  # which are claimed before it is known who plays, and how quick the judge is
    assert least <= max(after_the_first)
    assert median(after_the_first) <= most  # on a busy machine two batches may be done before the first is told


def test_a_person_waits_for_two_short_batches_of_a_program_at_most(redis_url: str) -> None:
    device = Device(0.01)
    with at_work(redis_url, device):
        referee = Referee(redis_url)
        enqueue(redis_url, Job("first", "device", "arena", "hello", TEXT, "people"))
        referee.collect(1)
        enqueue(redis_url, *jobs_of(device, 400, "bots"))
        eventually(lambda: len(device.measured) > 50, what="work")
        waited: list[int] = []
        for i in range(5):
            before = len(device.measured)
            enqueue(redis_url, Job(f"p{i}", "device", "arena", f"person {i}", TEXT, "people"))
            eventually(lambda i=i: f"person {i}" in device.measured, what="the person's move")  # type: ignore[misc]
            waited.append(device.measured.index(f"person {i}") - before)
    assert median(waited) <= 10, "on a busy machine a move may take long to come into the queue"


def test_told_to_stop_it_hands_in_what_is_done_and_gives_back_the_rest(redis_url: str, redis_server: Redis) -> None:
    device = Device(0.02)
    with at_work(redis_url, device, lease=30) as stop:
        enqueue(redis_url, *jobs_of(device, 200))
        eventually(lambda: len(device.measured) > 30, what="work")
        stop.set()
    done = Referee(redis_url).collect(len(device.measured))
    assert sorted(done) == sorted(f"k{prefix.split()[1]}" for prefix in device.measured)
    heir = RedisClaims(redis_url, "heir", (device.identity,), 30)
    given = heir.claim(500, block=0.01) + heir.claim(500, block=0.01)
    assert len(given) == 200 - len(device.measured)
    assert {claim.delivery for claim in given} == {1}
    assert ask(redis_url, lambda queue: queue.workers()) == []


@pytest.mark.parametrize(("kept", "measured"), [(4, 5), (1, 5), (0, 1)])
def test_a_batch_is_dropped_only_when_all_of_it_is_lost(redis_url: str, kept: int, measured: int) -> None:
    device = Device(0)
    enqueue(redis_url, *jobs_of(device, 5))
    worker = Worker(Settings(redis_url=redis_url, lease=60), [cast(Judge, device)])
    RedisClaims(redis_url, "first", ("device",), 60).create_groups()
    batch = worker.claims.claim(5, block=1)
    worker.leases.take(batch[len(batch) - kept :])  # as after a pause: the others' lease has lapsed
    worker.step(batch, threading.Event())
    worker.close()
    assert len(device.measured) == measured
    assert Referee(redis_url).collect(measured)


def test_a_worker_that_finds_its_own_claim_stale_does_not_do_it_twice(redis_url: str) -> None:
    enqueue(redis_url, *jobs_of(Device(0), 1))
    claims = RedisClaims(redis_url, "paused", ("device",), LEASE)
    claims.create_groups()
    late = claims.claim(1, block=1)
    time.sleep(2 * LEASE)  # stopped for longer than a lease, before it could see to what it was given
    leases = LeaseKeeper(claims, LEASE)
    try:
        assert leases.take(late) == late
        again = claims.claim(1, block=0.01)
        assert [(claim.entry, claim.delivery) for claim in again] == [(late[0].entry, 2)]
        assert leases.take(again) == []
        assert leases.owns(late[0])
    finally:
        leases.close()
        claims.close()


def test_results_that_redis_did_not_take_are_kept_and_not_measured_again(own_redis: Redis) -> None:
    device = Device(0.01)
    with at_work(own_redis.url, device, lease=30):
        enqueue(own_redis.url, *jobs_of(device, 100, "bots"))
        eventually(lambda: len(device.measured) > 20, what="work")
        own_redis.stop(signal.SIGKILL)
        eventually(lambda: len(device.measured) > 40, what="work while Redis is away")
        own_redis.start()
        Referee(own_redis.url).collect(100)
    assert sorted(device.measured) == sorted({f"ship {i}" for i in range(100)})


@pytest.mark.slow
@pytest.mark.parametrize("how", ["READONLY", "NOPERM"])
def test_results_that_redis_refuses_for_longer_than_a_lease_are_kept(own_redis: Redis, how: str) -> None:
    refuse = ["REPLICAOF", "127.0.0.1", "1"] if how == "READONLY" else ["ACL", "SETUSER", "default", "-@write"]
    allow = ["REPLICAOF", "NO", "ONE"] if how == "READONLY" else ["ACL", "SETUSER", "default", "+@all"]
    device = Device(0.01)
    with at_work(own_redis.url, device), own_redis.client as client:
        enqueue(own_redis.url, *jobs_of(device, 30))
        eventually(lambda: device.measured, what="work")
        client.execute_command(*refuse)
        time.sleep(2 * LEASE)
        in_hand = len(device.measured)
        client.execute_command(*allow)
        results = Referee(own_redis.url, twice=True).collect(30)
    assert in_hand >= 8, "what was in hand is measured"
    assert all(result.failure is None for result in results.values())


@pytest.mark.slow
def test_entries_of_the_same_id_in_two_lanes_are_both_looked_after(redis_url: str, redis_server: Redis) -> None:
    device = Device(4 * LEASE)
    with redis_server.client as client:
        for lane, number in (("people", 0), ("bots", 1)):
            fields = {"key": f"k{number}", "profile": "arena", "prefix": f"ship {number}", "text": TEXT}
            client.xadd(stream("device", lane), fields, id="7-7")
    other = RedisClaims(redis_url, "other", ("device",), LEASE)
    other.create_groups()
    with at_work(redis_url, device):
        eventually(lambda: held(redis_server, "device") + held(redis_server, "device", "bots") == 2, what="both")
        end = time.monotonic() + 3 * LEASE
        while time.monotonic() < end:
            assert other.claim(8, block=0.01) == []
        Referee(redis_url).collect(2)


# --- Texts to be written ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_judge_prompt_tokens_and_seed_give_the_same_text(redis_url: str, pocket: Judge) -> None:
    texts = [text_of(pocket, "w1"), text_of(pocket, "w2"), text_of(pocket, "w3", seed="another seed")]
    with at_work(redis_url, pocket):
        enqueue(redis_url, *texts)
        first = Referee(redis_url).collect(3)
    with at_work(redis_url, pocket):
        enqueue(redis_url, *reversed(texts), *jobs_of(pocket, 20))
        second = Referee(redis_url).collect(23)
    assert first["w1"].text == first["w2"].text != first["w3"].text
    assert first["w1"].text
    assert all((second[key].text, second[key].build) == (each.text, each.build) for key, each in first.items())
    assert first["w1"].build == pocket.build


@pytest.mark.slow
def test_a_text_that_cannot_be_written_is_a_failure_that_says_why(
    redis_url: str, pocket: Judge, tmp_path: Path
) -> None:
    nameless = Judge.load(tiny.write_gpt2(tmp_path, bos=False), device="cpu", need_bos=False)
    with at_work(redis_url, pocket), at_work(redis_url, nameless):
        enqueue(redis_url, text_of(pocket, "w1", tokens=pocket.context), text_of(nameless, "w2"), text_of(pocket, "w3"))
        found = Referee(redis_url).collect(3)
    assert found["w1"].failure is not None
    assert "The judge cannot write this: " in found["w1"].failure
    assert f"do not fit the judge's context of {pocket.context}: shorten the prompt" in found["w1"].failure
    assert found["w2"].failure is not None
    assert "has no token to begin with" in found["w2"].failure
    assert found["w1"].text is found["w2"].text is None
    assert found["w3"].text, "the worker goes on"


@pytest.mark.slow
def test_a_long_text_is_kept_while_it_is_written_and_holds_nobody_up(
    redis_url: str, redis_server: Redis, pocket: Judge
) -> None:
    other = RedisClaims(redis_url, "other", (pocket.identity,), LEASE)
    other.create_groups()
    with at_work(redis_url, pocket):
        enqueue(redis_url, text_of(pocket, "w1", tokens=240), text_of(pocket, "w2"))
        eventually(lambda: held(redis_server, pocket.identity, "people-writing") == 1, what="a text in hand")
        referee = Referee(redis_url)
        for i, job in enumerate(jobs_of(pocket, 3)):
            enqueue(redis_url, job)
            referee.collect(i + 1)
        assert referee.order == ["k0", "k1", "k2"], "the text is not done yet"
        assert held(redis_server, pocket.identity, "people-writing") == 1
        referee.collect(5)
    assert referee.order[3:] == ["w1", "w2"]
    assert len(pocket.tokens.ids(referee.results["w1"].text or "")) > 100


@pytest.mark.slow
def test_a_text_that_takes_longer_than_a_lease_is_not_given_to_another(
    redis_url: str, redis_server: Redis, pocket: Judge
) -> None:
    lease = 1.0
    other = RedisClaims(redis_url, "other", (pocket.identity,), lease)
    other.create_groups()
    with at_work(redis_url, pocket, lease=lease):
        enqueue(redis_url, text_of(pocket, "w1", tokens=480))
        eventually(lambda: held(redis_server, pocket.identity, "people-writing") == 1, what="a text in hand")
        end = time.monotonic() + 3 * lease
        while time.monotonic() < end:
            assert other.claim(8, block=0.2) == []
        assert held(redis_server, pocket.identity, "people-writing") == 1, "it is being written still"
