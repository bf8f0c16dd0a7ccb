"""Claims, leases and results: what is asked of Redis on the worker's side of the queue, and in which order.

Written once, for a client that is awaited: the API has one of those, and asks on behalf of workers that are lent over
HTTP. A worker beside Redis has a blocking one, by `server.queue.immediate`.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError, ResponseError

from server.queue.messages import (
    ALL_LANES,
    ALONE_FROM,
    BEGIN_ANEW,
    BOT_LANES,
    DISTRUSTED,
    PEOPLE_LANES,
    RESULTS,
    WORKERS,
    WRITING_LANES,
    AnyJob,
    Entry,
    NotLetIn,
    Result,
    check_lane,
    index,
    outcome,
    party,
    read_job,
    served_lanes,
    stream,
)

# What is new in these streams, in their order, each as far as there are fewer in all than its limit. What is claimed is
# nobody else's for a lease: it is kept also where Redis refuses the next stream.
# KEYS: streams. ARGV: the worker, then the limits. Returns numbers of streams, each with its entries.
CLAIM = """
local found, count = {}, 0
for i, name in ipairs(KEYS) do
  local most = tonumber(ARGV[i + 1]) - count
  if most > 0 then
    local got = redis.pcall('XREADGROUP', 'GROUP', 'workers', ARGV[1], 'COUNT', most, 'STREAMS', name, '>')
    if got and got.err then
      if count == 0 then return got end
      return found
    end
    if got then
      found[#found + 1] = {i, got[1][2]}
      count = count + #got[1][2]
    end
  end
end
return found
"""

# What is let go of comes before what is added: behind a deletion Redis refuses no addition, so that a full one drains.
# ARGV: the worker, then of each result stream, entry, index, key, build, field and value.
PUBLISH = """
for i = 2, #ARGV, 7 do
  local name, entry, index, key = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  redis.call('XACK', name, 'workers', entry)
  redis.call('XDEL', name, entry)
  redis.call('HDEL', index, key)
  redis.call('XADD', KEYS[1], '*', 'worker', ARGV[1], 'key', key, 'build', unpack(ARGV, i + 4, i + 6))
end
"""

# Not a transaction, in which a full Redis refuses everything.
DROP = """
redis.call('XACK', KEYS[1], 'workers', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[2])
"""

# Starts the leases of those entries again that this worker holds; what others hold by now is theirs.
RENEW = """
for i = 2, #ARGV, 2 do
  local held = redis.pcall('XPENDING', ARGV[i], 'workers', ARGV[i + 1], ARGV[i + 1], 1, ARGV[1])
  if held[1] then redis.call('XCLAIM', ARGV[i], 'workers', ARGV[1], 0, ARGV[i + 1], 'JUSTID') end
end
"""

# Lets others have those entries at once that this worker holds. This delivery does not count. ARGV: the worker, for how
# long an entry is then to be idle, streams and entries.
RELEASE = """
for i = 3, #ARGV, 2 do
  local held = redis.pcall('XPENDING', ARGV[i], 'workers', ARGV[i + 1], ARGV[i + 1], 1, ARGV[1])
  if held[1] then
    local delivered = math.max(0, held[1][4] - 1)
    redis.call('XCLAIM', ARGV[i], 'workers', ARGV[1], 0, ARGV[i + 1],
      'IDLE', ARGV[2], 'RETRYCOUNT', delivered, 'JUSTID')
  end
end
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in a worker's hands. delivery: how often it was handed out, this time included."""

    stream: str
    entry: str
    delivery: int
    job: AnyJob

    @property
    def alone(self) -> bool:
        return self.delivery >= ALONE_FROM


@dataclass(slots=True)
class Claiming:
    """One worker's side of the queue. Every method raises a `RedisError` where Redis is away."""

    redis: Any
    worker: str
    judges: tuple[str, ...]
    lease: float
    _checked: float = field(init=False, default=float("-inf"))
    _owed: float = field(init=False, default=0.0)
    _idle: bool = field(init=False, default=False)  # it listened in vain: what there is comes while it listens again

    async def leave(self) -> None:
        """Take this worker's name off every list. What it still held can be claimed at once."""
        await self.redis.hdel(WORKERS, self.worker)
        for judge in self.judges:
            await self.redis.delete(stream(judge, check_lane(self.worker)))  # for another worker
            for lane in ALL_LANES:
                name = stream(judge, lane)
                held = await self.redis.xpending_range(name, "workers", "-", "+", 10_000, self.worker)
                await self.release([(name, entry["message_id"].decode()) for entry in held])
                if not held:
                    await self.redis.xgroup_delconsumer(name, "workers", self.worker)

    async def release(self, held: Iterable[tuple[str, str]]) -> None:
        """Let others have these at once, by stream and entry; this delivery does not count."""
        if said := [part for each in held for part in each]:
            await self.redis.eval(RELEASE, 0, self.worker, int(self.lease * 1000) + 1, *said)

    async def claim(self, count: int, *, block: float, texts: bool = True) -> list[Claim]:
        """Up to `count` measurements of one judge and, if `texts`, one text to be written, or one job that is to be
        done alone.

        Stale jobs first; then new ones, people's before bots', but at least one measurement in eight a bot's. Waits
        at most `block` seconds for the first. Raises `NotLetIn` where nobody believes this worker.
        """
        await self.refuse_distrusted()
        return await self.claim_now(count, texts=texts) or await self.wait(count, block=block, texts=texts)

    async def refuse_distrusted(self) -> None:
        """Raises `NotLetIn` where nobody believes this worker."""
        if any(await self.redis.smismember(DISTRUSTED, [self.worker, party(self.worker)])):
            raise NotLetIn("a host of this server, or a comparison with other workers, has stopped this worker")

    def lanes(self, *, texts: bool) -> tuple[str, ...]:
        """Those that this worker serves."""
        return (*served_lanes(texts), check_lane(self.worker))

    async def claim_now(self, count: int, *, texts: bool) -> list[Claim]:
        """The same without waiting: what is stale, and what is new unless it was listened for in vain before."""
        try:
            return await self._stale_or_new(count, texts)
        except ResponseError as error:
            await self._create_what_lacks(error)
        return await self._stale_or_new(count, texts)

    async def _stale_or_new(self, count: int, texts: bool) -> list[Claim]:
        if time.monotonic() - self._checked > self.lease / 4 and (stale := await self._stale(count, texts)):
            return stale
        for judge in () if self._idle else self.judges:
            if new := await self._new(judge, count, texts):
                return new
        return []

    async def wait(self, count: int, *, block: float, texts: bool) -> list[Claim]:
        """The first that comes within `block` seconds, and whatever came with it."""
        return await self.with_others(await self.listen(block=block, texts=texts), count, texts=texts)

    async def listen(self, *, block: float, texts: bool) -> list[Claim]:
        """The first job of any lane, as soon as it is there. Whoever cancels this claims nothing."""
        lanes = {stream(judge, lane): (judge, lane) for judge in self.judges for lane in self.lanes(texts=texts)}
        try:
            answer = await self.redis.xreadgroup(
                "workers", self.worker, dict.fromkeys(lanes, ">"), count=1, block=max(1, int(block * 1000))
            )
        except ResponseError as error:
            await self._create_what_lacks(error)
            return []
        found: list[Claim] = []
        for name, entries in answer or ():
            found += await self._read(*lanes[name.decode()], entries)
        return found

    async def with_others(self, found: list[Claim], count: int, *, texts: bool) -> list[Claim]:
        """What was listened for, and whatever came with it while nobody looked."""
        if self._idle and 0 < len(found) < count:
            with suppress(RedisError):
                found += await self._new(found[0].job.judge, count - len(found), texts=False)
        self._idle = texts and not found
        return found

    async def _create_what_lacks(self, error: ResponseError) -> None:
        if not str(error).startswith("NOGROUP"):
            raise error
        await self.create_groups()

    async def create_groups(self) -> None:
        for judge in self.judges:
            for lane in self.lanes(texts=True):
                await self._create_group(stream(judge, lane))

    async def _create_group(self, name: str) -> None:
        try:
            await self.redis.xgroup_create(name, "workers", id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def renew(self, held: Iterable[tuple[str, str]]) -> None:
        """Start these leases again, by stream and entry, as far as they are still this worker's. Not a delivery."""
        if said := [part for each in held for part in each]:
            await self.redis.eval(RENEW, 0, self.worker, *said)

    async def publish(self, done: Sequence[tuple[Claim, Result]]) -> None:
        """Hand in results and let go of their jobs, in one step and one round trip."""
        said: list[str | bytes] = [self.worker]
        for claim, result in done:
            said += (claim.stream, claim.entry, index(claim.job.judge), claim.job.key, result.build, *outcome(result))
        await self.redis.eval(PUBLISH, 1, RESULTS, *said)

    async def _stale(self, count: int, texts: bool) -> list[Claim]:
        """Jobs whose lease lapsed. One that is to be measured alone is claimed alone: its neighbours' deliveries
        must not grow because it crashes workers."""
        idle = int(self.lease * 1000)
        for judge in self.judges:
            for lane in self.lanes(texts=texts):
                name, most = stream(judge, lane), 1 if lane in WRITING_LANES else count
                await self.redis.eval(BEGIN_ANEW, 1, name, "workers")
                lapsed = await self.redis.xpending_range(name, "workers", "-", "+", most, idle=idle)
                gentle = [e for e in lapsed if e["times_delivered"] < ALONE_FROM - 1]
                for chosen in (gentle, *([e] for e in lapsed if e not in gentle)):
                    if claimed := await self._claim_stale(judge, lane, chosen, idle):
                        return claimed
        self._checked = time.monotonic()
        return []

    async def _claim_stale(self, judge: str, lane: str, lapsed: list[dict[str, Any]], idle: int) -> list[Claim]:
        if not lapsed:
            return []
        name = stream(judge, lane)
        deliveries = {e["message_id"]: e["times_delivered"] + 1 for e in lapsed}
        claimed = await self.redis.xclaim(name, "workers", self.worker, idle, list(deliveries))
        deleted = [entry for entry, fields in claimed if fields is None]
        if deleted:
            with suppress(RedisError):
                await self.redis.xack(name, "workers", *deleted)
        return await self._read(judge, lane, claimed, deliveries)

    async def _new(self, judge: str, count: int, texts: bool) -> list[Claim]:
        # What bots are owed is carried over, so that they get their eighth also where batches are small.
        self._owed = min(self._owed + count / 8, count)
        for_people = count - int(self._owed)
        # Out of what bots get: people do not wait for it, and it is not put off for ever.
        checks = check_lane(self.worker)
        plan = [(lane, for_people) for lane in PEOPLE_LANES]
        plan += [(lane, count) for lane in (checks, *BOT_LANES, *PEOPLE_LANES)]
        found = await self._first(judge, plan)
        self._owed = max(0.0, self._owed - sum(claim.job.lane not in PEOPLE_LANES for claim in found))
        if texts:
            try:
                found += await self._first(judge, [(lane, 1) for lane in WRITING_LANES])
            except RedisError:
                if not found:
                    raise
        return found

    async def _first(self, judge: str, plan: Sequence[tuple[str, int]]) -> list[Claim]:
        """What is new in these lanes, in their order, each as far as there are fewer in all than its limit."""
        names = [stream(judge, lane) for lane, _ in plan]
        answer = await self.redis.eval(CLAIM, len(names), *names, self.worker, *(limit for _, limit in plan))
        found: list[Claim] = []
        for number, entries in answer:
            told = [(entry, dict(zip(fields[::2], fields[1::2], strict=True))) for entry, fields in entries]
            found += await self._read(judge, plan[number - 1][0], told)
        return found

    async def _read(
        self, judge: str, lane: str, entries: Iterable[Entry], deliveries: Mapping[bytes, int] | None = None
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
                    await self._drop(judge, lane, entry, fields)
            else:
                claims.append(Claim(stream(judge, lane), entry.decode(), (deliveries or {}).get(entry, 1), job))
        return claims

    async def _drop(self, judge: str, lane: str, entry: bytes, fields: dict[bytes, bytes]) -> None:
        await self.redis.eval(DROP, 2, stream(judge, lane), index(judge), entry, fields.get(b"key", b""))
