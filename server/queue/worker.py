"""The worker's side of the queue: claims, leases, results."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from server.queue.introductions import Announcer, Introduction
from server.queue.messages import (
    ALL_LANES,
    ALONE_FROM,
    BEGIN_ANEW,
    BOT_LANES,
    LANES,
    PEOPLE_LANES,
    RESULTS,
    WORKERS,
    WRITING_LANES,
    Entry,
    GenerationJob,
    Job,
    Result,
    connection_options,
    index,
    outcome,
    read_job,
    served_lanes,
    stream,
)

# What is let go of comes before what is added: behind a deletion Redis refuses no addition, so that a full one drains.
PUBLISH = """
for i = 1, #ARGV, 7 do
  local name, entry, index, key = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  redis.call('XACK', name, 'workers', entry)
  redis.call('XDEL', name, entry)
  redis.call('HDEL', index, key)
  redis.call('XADD', KEYS[1], '*', 'key', key, 'build', unpack(ARGV, i + 4, i + 6))
end
"""

# Not a transaction, in which a full Redis refuses everything.
DROP = """
redis.call('XACK', KEYS[1], 'workers', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[2])
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in a worker's hands. delivery: how often it was handed out, this time included."""

    stream: str
    entry: str
    delivery: int
    job: Job | GenerationJob

    @property
    def alone(self) -> bool:
        return self.delivery >= ALONE_FROM


@dataclass(slots=True)
class Claims:
    """The worker's side. Blocking; every method raises a `RedisError` where Redis is away."""

    url: str
    worker: str
    judges: tuple[str, ...]
    lease: float
    _redis: Any = field(init=False)
    _announcer: Announcer = field(init=False)
    _checked: float = field(init=False, default=float("-inf"))
    _owed: float = field(init=False, default=0.0)
    _idle: bool = field(init=False, default=False)  # it listened in vain: what there is comes while it listens again

    def __post_init__(self) -> None:
        self._redis = redis.Redis.from_url(self.url, **connection_options())
        self._announcer = Announcer(self._redis, self.worker)

    def announce(
        self,
        judges: Sequence[Introduction],
        build: str,
        rates: Mapping[str, float],
        *,
        seconds: float = float("inf"),
    ) -> bool:
        """Say that this worker lives, what its judges are, and how many measurements a second each makes; then send
        for about so many seconds what Redis lacks of them. False where some of it is still to be sent."""
        return self._announcer.announce(judges, build, rates, seconds=seconds)

    def close(self) -> None:
        self._redis.close()

    def leave(self) -> None:
        """Take this worker's name off every list. What it still held can be claimed at once."""
        self._redis.hdel(WORKERS, self.worker)
        for judge in self.judges:
            for lane in ALL_LANES:
                name = stream(judge, lane)
                held = self._redis.xpending_range(name, "workers", "-", "+", 10_000, self.worker)
                for entry in held:
                    self._release(name, entry)
                if not held:
                    self._redis.xgroup_delconsumer(name, "workers", self.worker)

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Let others have these at once; this delivery does not count."""
        for claim in claims:
            self._release(claim.stream, {"message_id": claim.entry, "times_delivered": claim.delivery})

    def _release(self, name: str, entry: dict[str, Any]) -> None:
        self._redis.xclaim(
            name,
            "workers",
            self.worker,
            0,
            [entry["message_id"]],
            idle=int(self.lease * 1000) + 1,
            retrycount=max(0, entry["times_delivered"] - 1),
            justid=True,
        )

    def claim(self, count: int, *, block: float, texts: bool = True) -> list[Claim]:
        """Up to `count` measurements of one judge and, if `texts`, one text to be written, or one job that is to be
        done alone.

        Stale jobs first; then new ones, people's before bots', but at least one measurement in eight a bot's. Waits
        at most `block` seconds for the first.
        """
        try:
            if time.monotonic() - self._checked > self.lease / 4 and (stale := self._stale(count, texts)):
                return stale
            for judge in () if self._idle else self.judges:
                if new := self._new(judge, count, texts):
                    return new
            found = self._wait(block, texts)
            if self._idle and 0 < len(found) < count:  # whatever came with the first
                with suppress(RedisError):
                    found += self._new(found[0].job.judge, count - len(found), texts=False)
            self._idle = texts and not found
            return found
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self.create_groups()
            return []

    def create_groups(self) -> None:
        for judge in self.judges:
            for lane in ALL_LANES:
                _create_group_now(self._redis, stream(judge, lane), "workers")

    def renew(self, claims: Sequence[Claim]) -> None:
        """Start the leases of these claims again. Not a delivery."""
        pipe = self._redis.pipeline(transaction=False)
        for claim in claims:
            pipe.xclaim(claim.stream, "workers", self.worker, 0, [claim.entry], justid=True)
        pipe.execute()

    def publish(self, claim: Claim, result: Result) -> None:
        """Hand in a result and let go of its job, in one step."""
        self.publish_all([(claim, result)])

    def publish_all(self, done: Sequence[tuple[Claim, Result]]) -> None:
        """Hand in results and let go of their jobs, in one step and one round trip."""
        said: list[str | bytes] = []
        for claim, result in done:
            said += (claim.stream, claim.entry, index(claim.job.judge), claim.job.key, result.build, *outcome(result))
        self._redis.eval(PUBLISH, 1, RESULTS, *said)

    def _stale(self, count: int, texts: bool) -> list[Claim]:
        """Jobs whose lease lapsed. One that is to be measured alone is claimed alone: its neighbours' deliveries
        must not grow because it crashes workers."""
        idle = int(self.lease * 1000)
        for judge in self.judges:
            for lane in served_lanes(texts):
                name, most = stream(judge, lane), count if lane in LANES else 1
                self._redis.eval(BEGIN_ANEW, 1, name, "workers")
                lapsed = self._redis.xpending_range(name, "workers", "-", "+", most, idle=idle)
                gentle = [e for e in lapsed if e["times_delivered"] < ALONE_FROM - 1]
                for chosen in (gentle, *([e] for e in lapsed if e not in gentle)):
                    if claimed := self._claim_stale(judge, lane, chosen, idle):
                        return claimed
        self._checked = time.monotonic()
        return []

    def _claim_stale(self, judge: str, lane: str, lapsed: list[dict[str, Any]], idle: int) -> list[Claim]:
        if not lapsed:
            return []
        name = stream(judge, lane)
        deliveries = {e["message_id"]: e["times_delivered"] + 1 for e in lapsed}
        claimed = self._redis.xclaim(name, "workers", self.worker, idle, list(deliveries))
        deleted = [entry for entry, fields in claimed if fields is None]
        if deleted:
            with suppress(RedisError):
                self._redis.xack(name, "workers", *deleted)
        return self._read(judge, lane, claimed, deliveries)

    def _new(self, judge: str, count: int, texts: bool) -> list[Claim]:
        """What is claimed is nobody else's for a lease: it is kept also where Redis refuses the next lane."""
        found: list[Claim] = []
        try:
            self._claim_new(found, judge, count, texts)
        except RedisError:
            if not found:
                raise
        return found

    def _claim_new(self, found: list[Claim], judge: str, count: int, texts: bool) -> None:
        # What bots are owed is carried over, so that they get their eighth also where batches are small.
        self._owed = min(self._owed + count / 8, count)
        for_people = count - int(self._owed)
        plan = [(lane, for_people) for lane in PEOPLE_LANES] + [(lane, count) for lane in (*BOT_LANES, *PEOPLE_LANES)]
        for lane, limit in plan:
            if limit > len(found):
                found += self._next(judge, lane, limit - len(found))
        self._owed = max(0.0, self._owed - sum(claim.job.lane in BOT_LANES for claim in found))
        if texts:
            found += self._next(judge, WRITING_LANES[0], 1) or self._next(judge, WRITING_LANES[1], 1)

    def _next(self, judge: str, lane: str, count: int) -> list[Claim]:
        answer = self._redis.xreadgroup("workers", self.worker, {stream(judge, lane): ">"}, count=count)
        return self._read(judge, lane, answer[0][1]) if answer else []

    def _wait(self, block: float, texts: bool) -> list[Claim]:
        """The first job of any lane, as soon as it is there."""
        lanes = {stream(judge, lane): (judge, lane) for judge in self.judges for lane in served_lanes(texts)}
        answer = self._redis.xreadgroup(
            "workers", self.worker, dict.fromkeys(lanes, ">"), count=1, block=max(1, int(block * 1000))
        )
        if not answer:
            return []
        return [claim for name, entries in answer for claim in self._read(*lanes[name.decode()], entries)]

    def _read(
        self, judge: str, lane: str, entries: Iterable[Entry], deliveries: dict[bytes, int] | None = None
    ) -> list[Claim]:
        """Entries as claims. One that cannot be read is dropped: if it was the doorbell of a row, the sweeper rings
        again."""
        claims = []
        for entry, fields in entries:
            if not fields:  # deleted while it was pending
                continue
            job = read_job(judge, lane, fields)
            if job is None:
                with suppress(RedisError):
                    self._drop(judge, lane, entry, fields)
            else:
                claims.append(Claim(stream(judge, lane), entry.decode(), (deliveries or {}).get(entry, 1), job))
        return claims

    def _drop(self, judge: str, lane: str, entry: bytes, fields: dict[bytes, bytes]) -> None:
        self._redis.eval(DROP, 2, stream(judge, lane), index(judge), entry, fields.get(b"key", b""))


def _create_group_now(client: Any, name: str, group: str) -> None:
    try:
        client.xgroup_create(name, group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
