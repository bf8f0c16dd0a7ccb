"""The queue's contract, on a real Redis: nothing is lost, nothing is doubled, and nobody waits behind a flood."""

import time
from collections.abc import Iterator, Sequence
from functools import partial

import pytest
from redis.exceptions import ResponseError

from server.queue.introductions import Introduction
from server.queue.messages import (
    LANE_BYTES,
    LAST_DELIVERY,
    ChangeNotice,
    GenerationJob,
    Job,
    NotTaken,
    Result,
    index,
    stream,
)
from server.queue.server import Queue
from server.queue.worker import RedisClaims
from tests.support.queue import LEASE, ask, enqueue
from tests.support.services import Redis
from tests.support.workers import FakeJudge

JUDGE = "judge-1"


def job(key: str, lane: str = "people") -> Job:
    return Job(key, JUDGE, "arena", "a prefix", f"the text of {key} – ünïcode", lane)


def results(url: str, consumer: str = "referee") -> Sequence[tuple[str, Result]]:
    async def work(queue: Queue) -> Sequence[tuple[str, Result]]:
        return await queue.results(consumer, 64, block=0.1) or await queue.results(consumer, 64, block=0.1)

    return ask(url, work)


@pytest.fixture
def claims(redis_url: str) -> Iterator[RedisClaims]:
    made = RedisClaims(redis_url, "worker-1", (JUDGE,), LEASE)
    made.create_groups()
    yield made
    made.close()


@pytest.fixture
def other(redis_url: str) -> Iterator[RedisClaims]:
    made = RedisClaims(redis_url, "worker-2", (JUDGE,), LEASE)
    yield made
    made.close()


def test_a_job_comes_out_as_it_went_in(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, job("k1"))
    (claim,) = claims.claim(8, block=0.1)
    assert claim.job == job("k1")
    assert claim.delivery == 1


def test_a_key_that_is_in_the_queue_is_not_added_again(redis_url: str, claims: RedisClaims) -> None:
    assert enqueue(redis_url, job("k1"), job("k1", "bots")) == 1
    assert enqueue(redis_url, job("k1")) == 0
    claims.claim(8, block=0.1)
    assert enqueue(redis_url, job("k1")) == 0, "also not while a worker holds it"


def test_of_jobs_in_the_middle_of_which_writes_are_refused_those_are_told_that_were_taken(own_redis: Redis) -> None:
    with own_redis.client as client:
        client.execute_command("ACL", "SETUSER", "default", "resetkeys", "~xa:*:index", "~xa:*:people")
    mixed = [job("k1"), job("k2", "bots"), job("k3"), *(job(f"m{i}") for i in range(600)), job("k4", "bots")]
    with pytest.raises(NotTaken, match="access") as refused:
        enqueue(own_redis.url, *mixed)
    taken = [each.key for each in mixed[:500] if each.lane == "people"]
    assert list(refused.value.added) == taken, "and it goes no further"
    with own_redis.client as client:
        client.execute_command("ACL", "SETUSER", "default", "allkeys")
    assert enqueue(own_redis.url, *mixed) == len(mixed) - len(taken), "nothing is in it twice"


def test_of_an_away_redis_it_is_told_that_it_took_nothing(own_redis: Redis) -> None:
    own_redis.stop()
    with pytest.raises(NotTaken) as refused:
        enqueue(own_redis.url, job("k1"))
    assert list(refused.value.added) == []


def test_a_lane_takes_so_many_bytes_and_half_of_them_from_those_that_waited(own_redis: Redis) -> None:
    large = "x" * 2**20
    bots = [Job(f"b{i}", JUDGE, "arena", "", large, "bots") for i in range(80)]
    half, whole = (bound // len(large) for bound in (LANE_BYTES // 2, LANE_BYTES))
    first = enqueue(own_redis.url, *bots)
    assert half <= first <= half + 2
    assert enqueue(own_redis.url, *bots) == 0
    assert enqueue(own_redis.url, job("k1"), job("k2", "bots-rest")) == 2, "other lanes have bounds of their own"
    again = ask(own_redis.url, lambda queue: queue.enqueue(bots, waited=True))
    assert again == [each.key for each in bots[first : first + len(again)]], "those that are first in order"
    assert whole <= first + len(again) <= whole + 2
    assert ask(own_redis.url, lambda queue: queue.missing(JUDGE, [each.key for each in bots])) == [
        each.key for each in bots[first + len(again) :]
    ]


def test_a_full_redis_drains(own_redis: Redis) -> None:
    claims = RedisClaims(own_redis.url, "w1", (JUDGE,), LEASE)
    claims.announce([], "cpu", {})
    claims.create_groups()
    enqueue(own_redis.url, *(job(f"k{i}") for i in range(200)))
    assert results(own_redis.url) == []
    with own_redis.client as client:
        client.xadd(stream(JUDGE, "people"), {"key": "nonsense"})
        client.hset("xa:workers", "w1", "not heard of for long")
        client.config_set("maxmemory", 1)
        settled = 0
        while taken := claims.claim(50, block=0.01):
            claims.publish_all([(claim, Result(claim.job.key, "cpu", bits=b"\0" * 80)) for claim in taken])
            done = [entry for entry, _ in results(own_redis.url)]
            ask(own_redis.url, partial(Queue.settled, ids=done))
            settled += len(done)
        assert (settled, client.xlen(stream(JUDGE, "people")), client.xlen("xa:results")) == (200, 0, 0)
        assert not client.exists(index(JUDGE))
        claims.announce([], "cpu", {})
        assert [worker.id for worker in ask(own_redis.url, Queue.workers)] == ["w1"], "and who works is known"


def test_a_finished_job_can_be_asked_for_again(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, job("k1"))
    (claim,) = claims.claim(8, block=0.1)
    claims.publish(claim, Result("k1", "cpu", bits=b"\0" * 8))
    assert enqueue(redis_url, job("k1")) == 1


def test_publishing_leaves_a_result_and_no_job(redis_url: str, redis_server: Redis, claims: RedisClaims) -> None:
    enqueue(redis_url, job("k1"))
    (claim,) = claims.claim(8, block=0.1)
    claims.publish(claim, Result("k1", "cpu", bits=b"\1\2\3\4"))
    ((_, result),) = results(redis_url)
    assert result == Result("k1", "cpu", bits=b"\1\2\3\4", worker="worker-1")
    with redis_server.client as client:
        assert client.xlen(stream(JUDGE, "people")) == 0
        assert client.xpending(stream(JUDGE, "people"), "workers")["pending"] == 0


def test_a_job_whose_worker_died_goes_to_the_next_with_its_deliveries_counted(
    redis_url: str, claims: RedisClaims, other: RedisClaims
) -> None:
    enqueue(redis_url, job("k1"))
    claims.claim(8, block=0.1)
    assert other.claim(8, block=0.01) == [], "the lease still holds"
    time.sleep(LEASE * 1.2)
    (claim,) = other.claim(8, block=0.01)
    assert (claim.job.key, claim.delivery) == ("k1", 2)


def test_a_renewed_lease_holds_and_is_no_delivery(redis_url: str, claims: RedisClaims, other: RedisClaims) -> None:
    enqueue(redis_url, job("k1"))
    held = claims.claim(8, block=0.1)
    for _ in range(4):
        time.sleep(LEASE / 2)
        claims.renew(held)
    assert other.claim(8, block=0.01) == []
    time.sleep(LEASE * 1.2)
    (claim,) = other.claim(8, block=0.01)
    assert claim.delivery == 2


def test_what_is_given_back_can_be_claimed_at_once_and_does_not_count(
    redis_url: str, claims: RedisClaims, other: RedisClaims
) -> None:
    enqueue(redis_url, job("k1"))
    claims.give_back(claims.claim(8, block=0.1))
    (claim,) = other.claim(8, block=0.01)
    assert claim.delivery == 1


def test_a_worker_that_leaves_gives_back_what_it_held(redis_url: str, claims: RedisClaims, other: RedisClaims) -> None:
    enqueue(redis_url, job("k1"), job("k2"))
    claims.claim(8, block=0.1)
    claims.leave()
    assert {claim.job.key for claim in other.claim(8, block=0.01)} == {"k1", "k2"}


def test_from_the_third_delivery_on_a_job_comes_alone_and_its_neighbours_do_not_age(
    redis_url: str, claims: RedisClaims
) -> None:
    enqueue(redis_url, *(job(f"k{i}") for i in range(5)))
    claims.claim(8, block=0.1)
    time.sleep(LEASE * 1.2)
    assert len(claims.claim(8, block=0.01)) == 5, "the second delivery is still a batch"
    seen: list[tuple[str, int]] = []
    for _ in range(3):  # k0 crashes every worker that takes it
        time.sleep(LEASE * 1.2)
        (claim,) = claims.claim(8, block=0.01)
        seen.append((claim.job.key, claim.delivery))
    assert seen == [("k0", 3), ("k0", 4), ("k0", LAST_DELIVERY)]
    claims.publish(claim, Result("k0", "cpu", failure="it crashes"))
    deliveries = []
    for _ in range(4):
        (claim,) = claims.claim(8, block=0.01)
        deliveries.append(claim.delivery)
        claims.publish(claim, Result(claim.job.key, "cpu", bits=b""))
    assert deliveries == [3, 3, 3, 3]


def test_people_come_first_but_every_eighth_is_a_bots(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, *(job(f"b{i}", "bots") for i in range(20)), *(job(f"p{i}") for i in range(20)))
    lanes = [claim.job.lane for claim in claims.claim(16, block=0.1)]
    assert (lanes.count("people"), lanes.count("bots")) == (14, 2)


def test_bots_get_their_eighth_also_when_batches_are_of_one(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, *(job(f"b{i}", "bots") for i in range(10)), *(job(f"p{i}") for i in range(40)))
    lanes = [claims.claim(1, block=0.1)[0].job.lane for _ in range(32)]
    assert lanes.count("bots") == 4
    assert lanes[0] == "people"


def test_the_overflow_of_one_participant_waits_behind_everyone_elses_first(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, *(job(f"r{i}", "people-rest") for i in range(3)), job("other"))
    assert next(claim.job.key for claim in claims.claim(3, block=0.1)) == "other"


def test_a_wiped_redis_is_noticed_and_taken_up_again(redis_url: str, redis_server: Redis, claims: RedisClaims) -> None:
    enqueue(redis_url, job("k1"))
    with redis_server.client as client:
        client.flushall()
    assert ask(redis_url, lambda queue: queue.missing(JUDGE, ["k1"])) == ["k1"]
    assert claims.claim(8, block=0.01) == [], "the groups are made again"
    enqueue(redis_url, job("k1"))
    assert [claim.job.key for claim in claims.claim(8, block=0.1)] == ["k1"]


def test_a_result_on_its_way_is_not_missing(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, job("k1"), job("k2"), job("k3"))
    first, *_ = claims.claim(2, block=0.1)
    claims.publish(first, Result(first.job.key, "cpu", bits=b""))
    assert ask(redis_url, lambda queue: queue.missing(JUDGE, ["k1", "k2", "k3", "k4"])) == ["k4"]


def test_an_unsettled_result_goes_to_another_referee_and_a_settled_one_to_none(
    redis_url: str, claims: RedisClaims
) -> None:
    enqueue(redis_url, job("k1"))
    (claim,) = claims.claim(8, block=0.1)
    claims.publish(claim, Result("k1", "cpu", failure="broken"))
    assert len(results(redis_url, "dies")) == 1
    assert results(redis_url, "lives") == []
    time.sleep(LEASE * 1.2)
    ((entry, _),) = results(redis_url, "lives")
    ask(redis_url, lambda queue: queue.settled([entry]))
    time.sleep(LEASE * 1.2)
    assert results(redis_url, "lives") == []


def test_announcements_tell_who_is_there(redis_url: str, claims: RedisClaims) -> None:
    info = {**FakeJudge().info(), "identity": JUDGE}
    claims.announce([Introduction.of(info)], "cpu", {JUDGE: 12.5})
    (worker,) = ask(redis_url, lambda queue: queue.workers())
    assert (worker.judges, worker.rates) == ((JUDGE,), {JUDGE: 12.5})
    (found,) = ask(redis_url, lambda queue: queue.judges([])).judges
    assert found.items() >= info.items()
    assert ask(redis_url, lambda queue: queue.judges([JUDGE])).judges == []
    claims.leave()
    assert ask(redis_url, lambda queue: queue.workers()) == []


@pytest.mark.parametrize("said", ["", "{", "[]", "null", "3", '{"identity": "x", "name": "tiny"}', b"\xff"])
def test_what_is_no_announcement_hides_no_other(
    redis_url: str, redis_server: Redis, claims: RedisClaims, said: str
) -> None:
    info = {**FakeJudge().info(), "identity": JUDGE}
    claims.announce([Introduction.of(info)], "cpu", {})
    with redis_server.client as client:
        client.hset("xa:judges", "x", said)
        client.hset("xa:workers", "x", said)
    (found,) = ask(redis_url, lambda queue: queue.judges([])).judges
    assert found.items() >= info.items()
    (worker,) = ask(redis_url, lambda queue: queue.workers())
    assert worker.judges == (JUDGE,)


def test_a_bell_reaches_everyone_who_listens(redis_url: str) -> None:
    async def work(queue: Queue) -> ChangeNotice | None:
        bells = queue.notices()
        assert await anext(bells) is None, "listening has begun"
        await queue.notify(ChangeNotice(submissions=("s1",), competitions=("c1",)))
        heard = await anext(bells)
        await bells.aclose()
        return heard

    assert ask(redis_url, work) == ChangeNotice(submissions=("s1",), competitions=("c1",))


def test_the_depth_counts_every_lane(redis_url: str, claims: RedisClaims) -> None:
    enqueue(redis_url, *(job(lane, lane) for lane in ("people", "people-rest", "bots", "bots-rest")))
    assert ask(redis_url, lambda queue: queue.depth(JUDGE)) == 4


def writing(key: str, lane: str = "people") -> GenerationJob:
    return GenerationJob(key, JUDGE, f"a prompt for {key} – ünïcode\n", 12, f"seed of {key}\ngenerate\n0", lane)


@pytest.mark.parametrize("lane", ["people", "bots"])
def test_a_text_to_be_written_comes_out_as_it_went_in(redis_url: str, claims: RedisClaims, lane: str) -> None:
    assert enqueue(redis_url, writing("w1", lane), writing("w1", lane)) == 1
    (claim,) = claims.claim(8, block=0.1)
    assert claim.job == writing("w1", lane)
    assert ask(redis_url, lambda queue: queue.depth(JUDGE)) == 1


@pytest.mark.parametrize("text", ["once upon a time – ünïcode", ""])
def test_a_written_text_comes_back_and_leaves_no_job(redis_url: str, claims: RedisClaims, text: str) -> None:
    enqueue(redis_url, writing("w1"))
    (claim,) = claims.claim(8, block=0.1)
    claims.publish(claim, Result("w1", "cpu", text=text))
    ((_, result),) = results(redis_url)
    assert result == Result("w1", "cpu", text=text, worker="worker-1")
    assert ask(redis_url, lambda queue: queue.depth(JUDGE)) == 0
    assert ask(redis_url, lambda queue: queue.missing(JUDGE, ["w1", "w2"])) == ["w2"]
    assert enqueue(redis_url, writing("w1")) == 1


def test_texts_are_handed_out_one_at_a_time_beside_measurements_and_peoples_first(
    redis_url: str, claims: RedisClaims
) -> None:
    enqueue(redis_url, writing("b1", "bots"), *(writing(f"w{i}") for i in range(2)), *(job(f"k{i}") for i in range(9)))
    keys = [[claim.job.key for claim in claims.claim(4, block=0.1)] for _ in range(4)]
    assert keys == [["k0", "k1", "k2", "k3", "w0"], ["k4", "k5", "k6", "k7", "w1"], ["k8", "b1"], []]


def test_a_text_whose_worker_died_is_claimed_again_alone_and_counted(
    redis_url: str, claims: RedisClaims, other: RedisClaims
) -> None:
    enqueue(redis_url, writing("w1"), writing("w2"))
    for _ in range(2):
        claims.claim(8, block=0.1)
    found = []
    for delivery in range(2, LAST_DELIVERY + 1):
        time.sleep(LEASE * 1.2)
        pair = [other.claim(8, block=0.01), other.claim(8, block=0.01)]
        assert [[claim.delivery for claim in claimed] for claimed in pair] == [[delivery], [delivery]]
        found = sorted(claim.job.key for claimed in pair for claim in claimed)
    assert found == ["w1", "w2"]


def test_a_text_that_is_given_back_can_be_claimed_at_once(
    redis_url: str, claims: RedisClaims, other: RedisClaims
) -> None:
    enqueue(redis_url, writing("w1"), writing("w2"))
    claims.give_back(claims.claim(8, block=0.1))
    claims.claim(8, block=0.1)
    claims.leave()
    taken = other.claim(8, block=0.01) + other.claim(8, block=0.01)
    assert sorted((claim.job.key, claim.delivery) for claim in taken) == [("w1", 1), ("w2", 1)]


UNREADABLE: dict[str, tuple[str, dict[str, str | bytes]]] = {
    "a field too many": ("people", {"profile": "arena", "prefix": "a", "text": "b", "colour": "blue"}),
    "a field too few": ("people", {"profile": "arena", "prefix": "a"}),
    "not UTF-8": ("people", {"profile": "arena", "prefix": b"\xff", "text": "b"}),
    "a text to be written in a lane of measurements": ("people", {"prompt": "a", "tokens": "1", "seed": "s"}),
    "a measurement in a lane of texts": ("people-writing", {"profile": "arena", "prefix": "a", "text": "b"}),
    "tokens that are no number": ("people-writing", {"prompt": "a", "tokens": "many", "seed": "s"}),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_entry_that_nobody_can_read_is_dropped_and_its_row_counts_as_lost(
    redis_url: str, redis_server: Redis, claims: RedisClaims, what: str
) -> None:
    lane, fields = UNREADABLE[what]
    name = stream(JUDGE, lane)
    with redis_server.client as client:
        entry = client.xadd(name, {"key": "k1", **fields})
        client.hset(index(JUDGE), "k1", f"{lane} {entry.decode()}")
        enqueue(redis_url, job("k2"))
        assert ask(redis_url, lambda queue: queue.missing(JUDGE, ["k1"])) == []
        claimed = claims.claim(8, block=0.1) + claims.claim(8, block=0.1)
        assert [claim.job.key for claim in claimed] == ["k2"]
        assert client.xlen(name) == (lane == "people")
        assert client.xpending(name, "workers")["pending"] == (lane == "people")
    assert ask(redis_url, lambda queue: queue.missing(JUDGE, ["k1"])) == ["k1"]


def test_an_unreadable_entry_of_a_dead_worker_is_dropped_too(
    redis_url: str, redis_server: Redis, claims: RedisClaims
) -> None:
    with redis_server.client as client:
        client.xadd(stream(JUDGE, "people"), {"nonsense": "1"})
        client.xreadgroup("workers", "dead", {stream(JUDGE, "people"): ">"})
        time.sleep(LEASE * 1.2)
        assert claims.claim(8, block=0.01) == []
        assert client.xlen(stream(JUDGE, "people")) == 0


def test_nothing_that_came_while_a_worker_was_idle_is_claimed_and_dropped(redis_url: str, claims: RedisClaims) -> None:
    """What a worker claims and does not know of would wait for a whole lease."""
    assert claims.claim(1, block=0.01) == []  # now it listens to all lanes
    enqueue(redis_url, *(job(f"k{i}") for i in range(4)))
    for count in (1, 2, 1):
        assert len(claims.claim(count, block=0.1)) == count
    assert claims.claim(4, block=0.01) == []


def test_what_is_claimed_is_kept_where_redis_refuses_the_next_lane(own_redis: Redis) -> None:
    claims = RedisClaims(own_redis.url, "w1", (JUDGE,), 60)
    try:
        claims.create_groups()
        enqueue(own_redis.url, job("k0"))
        assert len(claims.claim(1, block=0.1)) == 1  # what is stale was looked for, and is not soon again
        enqueue(own_redis.url, job("k1"), job("k2"), job("k3", "bots-rest"))
        with own_redis.client as client:
            client.set(stream(JUDGE, "bots"), "no stream")
            assert {claim.job.key for claim in claims.claim(8, block=0.1)} == {"k1", "k2"}
            with pytest.raises(ResponseError, match="WRONGTYPE"):
                claims.claim(8, block=0.1)
            client.delete(stream(JUDGE, "bots"))
        assert [claim.job.key for claim in claims.claim(8, block=0.1)] == ["k3"]
    finally:
        claims.close()
