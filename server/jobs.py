"""The queue: what is in Redis, and the only code that knows its names and formats.

Redis holds no truth. A job is the doorbell of a row in `measurements`; all of this may be wiped at any moment and is
put back by the sweeper.

    xa:<judge>:<lane>      stream of measurements, group "workers". Lanes: people, people-rest, bots, bots-rest; a
                           participant's entries beyond 32 pending go to the -rest lane. Of texts to be written:
                           people-writing, bots-writing, so that they are handed out one at a time
    xa:<judge>:index       hash: key → "<lane> <entry id>", so that putting a job in twice does nothing
    xa:results             stream of results, group "referees"
    xa:judges, xa:workers  hashes: what workers announced
    xa:bell                pub/sub: which submissions and competitions changed
"""

import json
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

LANES = ("people", "people-rest", "bots", "bots-rest")
PEOPLE_LANES, BOT_LANES = LANES[:2], LANES[2:]
WRITING_LANES = ("people-writing", "bots-writing")
ALL_LANES = LANES + WRITING_LANES
FIRST_OF_ONE = 32  # pending entries of one participant that may stand before another's first
ALONE_FROM = 3  # at this delivery an entry is measured alone
LAST_DELIVERY = 5  # at this one the failure is its result
WORKER_SEEN = 10.0  # seconds after which a silent worker counts as gone

JUDGES, WORKERS, RESULTS, BELL = "xa:judges", "xa:workers", "xa:results", "xa:bell"
AWAY = (RedisConnectionError, RedisTimeoutError)

Entry = tuple[bytes, dict[bytes, bytes] | None]  # id and fields; None: deleted

# Adds an entry unless the key's entry still exists: idempotent, in one step.
ENQUEUE = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  local lane, id = string.match(known, '^(%S+) (%S+)$')
  if #redis.call('XRANGE', ARGV[2] .. lane, id, id) == 1 then return 0 end
end
local id = redis.call('XADD', ARGV[2] .. ARGV[3], '*', unpack(ARGV, 4))
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. id)
return 1
"""

# Is the key's entry still there? (read or not)
PRESENT = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return 0 end
local lane, id = string.match(known, '^(%S+) (%S+)$')
return #redis.call('XRANGE', ARGV[2] .. lane, id, id)
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A measurement to be made."""

    key: str
    judge: str
    profile: str
    prefix: str
    text: str
    lane: str


@dataclass(frozen=True, slots=True)
class Writing:
    """A text to be written by a judge: `tokens` tokens after `prompt`. The same of everything gives the same text."""

    key: str
    judge: str
    prompt: str
    tokens: int
    seed: str
    lane: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: `bits` (float32, little-endian, one a scored token), `text` (written) or `failure`."""

    key: str
    build: str
    bits: bytes | None = None
    failure: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """A live worker: which judges it serves and how many measurements a second it makes."""

    id: str
    judges: tuple[str, ...]
    build: str
    rate: float


@dataclass(frozen=True, slots=True)
class Bell:
    """What changed, after a commit. Ringing twice, or for nothing, is harmless."""

    submissions: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    competitions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


def stream(judge: str, lane: str) -> str:
    return f"xa:{judge}:{lane}"


def _lanes(texts: bool) -> tuple[str, ...]:
    return ALL_LANES if texts else LANES


def index(judge: str) -> str:
    return f"xa:{judge}:index"


class Queue:
    """The server's side. Async; every method raises a `RedisError` where Redis is away."""

    def __init__(self, url: str, *, lease: float) -> None:
        self._redis: Any = redis.asyncio.Redis.from_url(url, **_options())
        self._lease_ms = int(lease * 1000)
        self._enqueue = self._redis.register_script(ENQUEUE)
        self._present = self._redis.register_script(PRESENT)

    async def close(self) -> None:
        await self._redis.aclose()

    async def ping(self) -> None:
        await self._redis.ping()

    async def enqueue(self, jobs: Sequence[Job | Writing]) -> int:
        """Put jobs in the queue; returns how many were not in it already."""
        added = 0
        for chunk in _chunks(jobs, 500):
            pipe = self._redis.pipeline(transaction=False)
            for job in chunk:
                lane, fields = _written_down(job)
                await self._enqueue(
                    keys=[index(job.judge)], args=[job.key, stream(job.judge, ""), lane, *fields], client=pipe
                )
            added += sum(await pipe.execute())
        return added

    async def missing(self, judge: str, keys: Sequence[str]) -> list[str]:
        """Those of `keys` that have neither an entry nor a result on its way."""
        gone: list[str] = []
        for chunk in _chunks(keys, 500):
            pipe = self._redis.pipeline(transaction=False)
            for key in chunk:
                await self._present(keys=[index(judge)], args=[key, stream(judge, "")], client=pipe)
            gone += [key for key, here in zip(chunk, await pipe.execute(), strict=True) if not here]
        # An entry turns into its result in one step, so whoever is in neither, looked at in this order, is lost.
        on_its_way = {fields[b"key"].decode() for _, fields in await self._redis.xrange(RESULTS)} if gone else set()
        return [key for key in gone if key not in on_its_way]

    async def results(self, consumer: str, count: int, *, block: float) -> list[tuple[str, Result]]:
        """Up to `count` results, stale ones first; waits at most `block` seconds for the first."""
        try:
            _, stale, *_ = await self._redis.xautoclaim(
                RESULTS, "referees", consumer, min(self._lease_ms, 5000), "0-0", count=count
            )
            if stale:
                return await self._results(stale)
            answer = await self._redis.xreadgroup(
                "referees", consumer, {RESULTS: ">"}, count=count, block=max(1, int(block * 1000))
            )
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            await _create_group(self._redis, RESULTS, "referees")
            return []
        return await self._results(answer[0][1]) if answer else []

    async def _results(self, entries: Iterable[Entry]) -> list[tuple[str, Result]]:
        read: list[tuple[str, Result]] = []
        for entry_id, fields in entries:
            result = _read_result(fields) if fields else None
            if result is not None:
                read.append((entry_id.decode(), result))
            else:  # claimed after somebody deleted it, or not written by any worker of ours
                await self.settled([entry_id.decode()])
        return read

    async def settled(self, ids: Sequence[str]) -> None:
        """These results are committed: forget them."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xack(RESULTS, "referees", *ids)
        pipe.xdel(RESULTS, *ids)
        await pipe.execute()

    async def leave(self, consumer: str) -> None:
        """A referee stops: drop its name, if nothing is left in its hands."""
        for known in await self._redis.xinfo_consumers(RESULTS, "referees"):
            if known["name"] == consumer.encode() and known["pending"] == 0:
                await self._redis.xgroup_delconsumer(RESULTS, "referees", consumer)

    async def ring(self, bell: Bell) -> None:
        await self._redis.publish(BELL, json.dumps(asdict(bell)))

    async def bells(self) -> AsyncGenerator[Bell | None]:
        """Every bell from now on; first a None, when listening has begun."""
        async with self._redis.pubsub() as listener:
            await listener.subscribe(BELL)
            async for message in listener.listen():
                if message["type"] == "subscribe":
                    yield None
                elif message["type"] == "message" and (bell := _read_bell(message["data"])):
                    yield bell

    async def workers(self) -> list[Worker]:
        """Workers heard of in the last ten seconds, by Redis' clock."""
        seconds, _ = await self._redis.time()
        found = []
        for worker_id, raw in (await self._redis.hgetall(WORKERS)).items():
            said = json.loads(raw)
            if seconds - said["seen"] <= WORKER_SEEN:
                found.append(Worker(worker_id.decode(), tuple(said["judges"]), said["build"], said["rate"]))
        return found

    async def judges(self, known: Iterable[str]) -> list[dict[str, Any]]:
        """What workers announced of judges that are not among `known`."""
        identities = {raw.decode() for raw in await self._redis.hkeys(JUDGES)} - set(known)
        return [json.loads(raw) for identity in sorted(identities) if (raw := await self._redis.hget(JUDGES, identity))]

    async def depth(self, judge: str) -> int:
        """Entries of a judge that no worker has finished."""
        return int(sum([await self._redis.xlen(stream(judge, lane)) for lane in ALL_LANES]))


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in a worker's hands. delivery: how often it was handed out, this time included."""

    stream: str
    entry: str
    delivery: int
    job: Job | Writing

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
    _checked: float = field(init=False, default=float("-inf"))
    _owed: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._redis = redis.Redis.from_url(self.url, **_options())

    def announce(self, infos: Sequence[dict[str, Any]], build: str, rate: float) -> None:
        """Say that this worker lives, and what its judges are."""
        pipe = self._redis.pipeline(transaction=False)
        for info in infos:
            pipe.hsetnx(JUDGES, info["identity"], json.dumps(info))
        seen = int(self._redis.time()[0])
        pipe.hset(WORKERS, self.worker, json.dumps({"judges": self.judges, "build": build, "rate": rate, "seen": seen}))
        pipe.execute()

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
            for judge in self.judges:
                if new := self._new(judge, count, texts):
                    return new
            return self._wait(block, texts)
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
        pipe = self._redis.pipeline(transaction=True)
        for claim, result in done:
            pipe.xadd(RESULTS, _result_fields(result))
            pipe.xack(claim.stream, "workers", claim.entry)
            pipe.xdel(claim.stream, claim.entry)
            pipe.hdel(index(claim.job.judge), claim.job.key)
        pipe.execute()

    def _stale(self, count: int, texts: bool) -> list[Claim]:
        """Jobs whose lease lapsed. One that is to be measured alone is claimed alone: its neighbours' deliveries
        must not grow because it crashes workers."""
        idle = int(self.lease * 1000)
        for judge in self.judges:
            for lane in _lanes(texts):
                name, most = stream(judge, lane), count if lane in LANES else 1
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
            self._redis.xack(name, "workers", *deleted)
        return self._read(judge, lane, claimed, deliveries)

    def _new(self, judge: str, count: int, texts: bool) -> list[Claim]:
        # What bots are owed is carried over, so that they get their eighth also where batches are small.
        self._owed = min(self._owed + count / 8, count)
        for_people = count - int(self._owed)
        found: list[Claim] = []
        plan = [(lane, for_people) for lane in PEOPLE_LANES] + [(lane, count) for lane in (*BOT_LANES, *PEOPLE_LANES)]
        for lane, limit in plan:
            if limit > len(found):
                found += self._next(judge, lane, limit - len(found))
        self._owed = max(0.0, self._owed - sum(claim.job.lane in BOT_LANES for claim in found))
        if texts:
            found += self._next(judge, WRITING_LANES[0], 1) or self._next(judge, WRITING_LANES[1], 1)
        return found

    def _next(self, judge: str, lane: str, count: int) -> list[Claim]:
        answer = self._redis.xreadgroup("workers", self.worker, {stream(judge, lane): ">"}, count=count)
        return self._read(judge, lane, answer[0][1]) if answer else []

    def _wait(self, block: float, texts: bool) -> list[Claim]:
        """The first job of any lane, as soon as it is there."""
        lanes = {stream(judge, lane): (judge, lane) for judge in self.judges for lane in _lanes(texts)}
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
            job = _read_job(judge, lane, fields)
            if job is None:
                self._drop(judge, lane, entry, fields)
            else:
                claims.append(Claim(stream(judge, lane), entry.decode(), (deliveries or {}).get(entry, 1), job))
        return claims

    def _drop(self, judge: str, lane: str, entry: bytes, fields: dict[bytes, bytes]) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.xack(stream(judge, lane), "workers", entry)
        pipe.xdel(stream(judge, lane), entry)
        pipe.hdel(index(judge), fields.get(b"key", b""))
        pipe.execute()


def _written_down(job: Job | Writing) -> tuple[str, list[str]]:
    """The lane and the fields of an entry. Which fields they are tells what is to be done."""
    fields = {name: str(value) for name, value in asdict(job).items() if name not in ("judge", "lane")}
    lane = job.lane if isinstance(job, Job) else WRITING_LANES[job.lane in BOT_LANES]
    return lane, [part for field in fields.items() for part in field]


def _read_job(judge: str, lane: str, raw: dict[bytes, bytes]) -> Job | Writing | None:
    """The job; None where these are not the fields of one."""
    try:
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        if lane in LANES:
            return Job(judge=judge, lane=lane, **fields)
        tokens = int(fields.pop("tokens"))
        return Writing(judge=judge, lane=lane.removesuffix("-writing"), tokens=tokens, **fields)
    except (TypeError, ValueError, KeyError):  # other fields, not UTF-8, not a number
        return None


def _result_fields(result: Result) -> dict[str, str | bytes]:
    fields: dict[str, str | bytes] = {"key": result.key, "build": result.build}
    if result.bits is not None:
        return fields | {"bits": result.bits}
    if result.text is not None:
        return fields | {"text": result.text}
    return fields | {"failure": result.failure or "unknown"}


def _read_result(fields: dict[bytes, bytes]) -> Result | None:
    """The result; None where these are not the fields of one. Every text in it is one that a database takes."""
    if b"key" not in fields or b"build" not in fields:
        return None

    def said(name: bytes) -> str | None:
        return _text(fields[name]) if name in fields else None

    return Result(_text(fields[b"key"]), _text(fields[b"build"]), fields.get(b"bits"), said(b"failure"), said(b"text"))


def _read_bell(data: bytes) -> Bell | None:
    """The bell; None where this is none, so that whoever rings nonsense silences nobody."""
    try:
        return Bell(**{name: tuple(map(str, rung)) for name, rung in json.loads(data).items()})
    except (ValueError, TypeError, AttributeError):
        return None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\0", "\ufffd")


async def _create_group(client: Any, name: str, group: str) -> None:
    try:
        await client.xgroup_create(name, group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def _create_group_now(client: Any, name: str, group: str) -> None:
    try:
        client.xgroup_create(name, group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def _options() -> dict[str, Any]:
    return {"protocol": 2, "socket_timeout": 10, "socket_connect_timeout": 5, "health_check_interval": 15}


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


__all__ = ["AWAY", "Bell", "Claim", "Claims", "Job", "Queue", "RedisError", "Result", "Worker", "Writing"]
