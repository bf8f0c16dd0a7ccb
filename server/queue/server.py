"""The server's side of the queue: jobs in, results and news out."""

import hashlib
import json
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from server.queue import trust
from server.queue.announced import (
    IGNORED_FOR,
    LARGEST_TOKENIZER,
    MOST_IGNORED,
    Heard,
    Ignored,
    Introduced,
    read_judge,
    read_workers,
)
from server.queue.lent import LentClaiming, LentIntroductions
from server.queue.messages import (
    ALL_LANES,
    BEGIN_ANEW,
    DISTRUSTED,
    IGNORED,
    JUDGES,
    LANE_BYTES,
    NOTICES,
    RESULTS,
    SERVED,
    WORKERS,
    WRITTEN,
    AnyJob,
    ChangeNotice,
    Entry,
    Lane,
    NotTaken,
    Result,
    Worker,
    chunks,
    connection_options,
    entry_fields,
    index,
    read_notice,
    read_result,
    stream,
    tokenizer_key,
)

# Adds an entry unless the key's entry still exists (0) or the lane is full (-1): idempotent, in one step. How large a
# lane is Redis guesses by its first entries, in no time; who may not ask has no bound.
ENQUEUE = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  local lane, id = string.match(known, '^(%S+) (%S+)$')
  if #redis.call('XRANGE', ARGV[2] .. lane, id, id) == 1 then return 0 end
end
local used = redis.pcall('MEMORY', 'USAGE', ARGV[2] .. ARGV[3])
if type(used) == 'number' and used > tonumber(ARGV[4]) then return -1 end
local id = redis.call('XADD', ARGV[2] .. ARGV[3], '*', unpack(ARGV, 5))
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. id)
return 1
"""


# Not a transaction, in which a full Redis refuses everything.
SETTLE = """
redis.call('XACK', KEYS[1], 'referees', unpack(ARGV))
redis.call('XDEL', KEYS[1], unpack(ARGV))
"""


# Is the key's entry still there? (read or not)
PRESENT = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return 0 end
local lane, id = string.match(known, '^(%S+) (%S+)$')
return #redis.call('XRANGE', ARGV[2] .. lane, id, id)
"""


class Queue:
    """The server's side. Async; every method raises a `RedisError` where Redis is away."""

    def __init__(self, url: str, *, lease: float) -> None:
        self._redis: Any = redis.asyncio.Redis.from_url(url, **connection_options())
        self._lease_ms = int(lease * 1000)
        self._enqueue = self._redis.register_script(ENQUEUE)
        self._present = self._redis.register_script(PRESENT)

    async def close(self) -> None:
        await self._redis.aclose()

    def lent(self, worker: str, judges: tuple[str, ...]) -> LentClaiming:
        """The worker's side, for one that asks by the API."""
        return LentClaiming(self._redis, worker, judges, self._lease_ms / 1000)

    def introductions(self, worker: str, token: str) -> LentIntroductions:
        return LentIntroductions(self._redis, worker, token)

    async def try_write(self) -> None:
        """Raises a `RedisError` where Redis takes no work: it is asked to take something as it takes a job."""
        await self._redis.xadd(WRITTEN, {"by": "readyz"}, maxlen=1, approximate=False)
        await self._redis.expire(WRITTEN, 60)

    async def enqueue(self, jobs: Sequence[AnyJob], *, waited: bool = False) -> list[str]:
        """Put jobs in the queue; returns the keys of those that are in it now and were not before. Raises `NotTaken`.

        What finds its lane full is left out. waited: these waited for room; half of it is theirs alone, so that what
        comes later does not push in.
        """
        added, most = list[str](), LANE_BYTES if waited else LANE_BYTES // 2
        for chunk in chunks(jobs, 500):
            try:
                answers = await self._put_in(chunk, most)
            except RedisError as error:
                raise NotTaken(str(error), added) from error
            added += [job.key for job, answer in zip(chunk, answers, strict=True) if answer == 1]
            if refusal := next((answer for answer in answers if isinstance(answer, RedisError)), None):
                raise NotTaken(str(refusal), added)
        return added

    async def _put_in(self, jobs: Sequence[AnyJob], most: int) -> list[int | RedisError]:
        async with self._redis.pipeline(transaction=False) as pipe:  # gives its connection back whatever happens
            for job in jobs:
                lane, fields = entry_fields(job)
                args: list[str | int] = [job.key, stream(job.judge, ""), lane, most, *fields]
                await self._enqueue(keys=[index(job.judge)], args=args, client=pipe)
            answers: list[int | RedisError] = await pipe.execute(raise_on_error=False)
            return answers

    async def missing(self, judge: str, keys: Sequence[str]) -> list[str]:
        """Those of `keys` that have neither an entry nor a result on its way."""
        gone: list[str] = []
        for chunk in chunks(keys, 500):
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in chunk:
                    await self._present(keys=[index(judge)], args=[key, stream(judge, "")], client=pipe)
                gone += [key for key, here in zip(chunk, await pipe.execute(), strict=True) if not here]
        # An entry turns into its result in one step, so whoever is in neither, looked at in this order, is lost.
        on_its_way = {fields[b"key"].decode() for _, fields in await self._redis.xrange(RESULTS)} if gone else set()
        return [key for key in gone if key not in on_its_way]

    async def results(self, consumer: str, count: int, *, block: float) -> list[tuple[str, Result]]:
        """Up to `count` results, stale ones first; waits at most `block` seconds for the first."""
        try:
            await self._redis.eval(BEGIN_ANEW, 1, RESULTS, "referees")
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
            result = read_result(fields) if fields else None
            if result is not None:
                read.append((entry_id.decode(), result))
            else:  # claimed after somebody deleted it, or not written by any worker of ours
                await self.settled([entry_id.decode()])
        return read

    async def settled(self, ids: Sequence[str]) -> None:
        """These results are committed: forget them."""
        await self._redis.eval(SETTLE, 1, RESULTS, *ids)

    async def leave(self, consumer: str) -> None:
        """A referee stops: drop its name, if nothing is left in its hands."""
        for known in await self._redis.xinfo_consumers(RESULTS, "referees"):
            if known["name"] == consumer.encode() and known["pending"] == 0:
                await self._redis.xgroup_delconsumer(RESULTS, "referees", consumer)

    async def rewrite(self) -> None:
        """Write the append-only file anew, without what is in the queue no longer."""
        await self._redis.bgrewriteaof()

    async def notify(self, notice: ChangeNotice) -> None:
        await self._redis.publish(NOTICES, json.dumps(asdict(notice)))

    async def notices(self) -> AsyncGenerator[ChangeNotice | None]:
        """Every notice from now on; first a None, when listening has begun."""
        async with self._redis.pubsub() as listener:
            await listener.subscribe(NOTICES)
            async for message in listener.listen():
                if message["type"] == "subscribe":
                    yield None
                elif message["type"] == "message" and (notice := read_notice(message["data"])):
                    yield notice

    async def workers(self) -> Sequence[Worker]:
        """Workers heard of in the last ten seconds, by Redis' clock."""
        return (await self.heard()).workers

    async def heard(self) -> Heard:
        """The same, and what was announced that is no announcement; that is dropped, and who was silent for long."""
        seconds, _ = await self._redis.time()
        heard, gone = read_workers(await self._hash(WORKERS), seconds)
        if gone:
            with suppress(RedisError):  # a full one
                await self._redis.hdel(WORKERS, *gone)
            await trust.forget_checks(self._redis, [name.decode(errors="replace") for name in gone])
        names = {raw.decode() for raw in await self._redis.smembers(DISTRUSTED)}
        out = [each for each in heard.workers if names & {each.id, each.party}]
        return replace(heard, workers=[each for each in heard.workers if each not in out], kept_out=out)

    async def keep_out(self, names: Collection[str]) -> None:
        """As `trust.keep_out`."""
        await trust.keep_out(self._redis, names)

    async def hand_back(self, names: Collection[str]) -> None:
        """As `trust.hand_back`."""
        await trust.hand_back(self._redis, names)

    async def forget_checks(self, workers: Iterable[str]) -> None:
        """As `trust.forget_checks`."""
        await trust.forget_checks(self._redis, workers)

    async def last_served(self, at_work: Collection[str]) -> dict[str, datetime]:
        """Judge → when a worker of it was last heard of, by Redis' clock; lost with Redis. at_work: those who are
        served now, which is noted."""
        seconds, _ = await self._redis.time()
        if at_work:
            with suppress(RedisError):  # a full one
                await self._redis.hset(SERVED, mapping=dict.fromkeys(at_work, seconds))
        said = await self._hash(SERVED)
        return {
            judge.decode(): datetime.fromtimestamp(int(raw), UTC)
            for judge, raw in said.items()
            if raw.isdigit() and int(raw) <= seconds
        }

    async def judges(self, known: Iterable[str]) -> Introduced:
        """What workers announced of judges that are not among `known`.

        What cannot be read, or has lost its tokenizer, is dropped: the worker that has the judge says it again.
        """
        there = {identity.encode() for identity in known}
        said = {identity: raw for identity, raw in (await self._hash(JUDGES)).items() if identity not in there}
        found = {identity: await self._whole(read_judge(identity, raw)) for identity, raw in sorted(said.items())}
        dropped = [identity for identity, info in found.items() if not isinstance(info, dict)]
        await self.drop_judges(dropped)
        judges = [info for info in found.values() if isinstance(info, dict)]
        return Introduced(judges, [info for info in found.values() if isinstance(info, Ignored)])

    async def drop_judges(self, identities: Sequence[str | bytes]) -> None:
        """Forget what was announced of these."""
        if identities:
            await self._redis.hdel(JUDGES, *identities)

    async def tell_ignored(self, ignored: Sequence[Ignored]) -> tuple[Ignored, ...]:
        """Let every process know of these; returns what was ignored in the last ten minutes, the newest first."""
        seconds, _ = await self._redis.time()
        try:
            entries = await self._redis.xrevrange(IGNORED, min=f"{int(seconds - IGNORED_FOR) * 1000}-0")
        except ResponseError as error:
            await self._make_room(IGNORED, error)
            entries = []
        lately = dict.fromkeys(Ignored(fields[b"who"].decode(), fields[b"reason"].decode()) for _, fields in entries)
        new = [each for each in dict.fromkeys(ignored) if each not in lately][:MOST_IGNORED]
        for each in new:
            with suppress(RedisError):  # a full one
                fields = {"who": each.who, "reason": each.reason}
                await self._redis.xadd(IGNORED, fields, maxlen=MOST_IGNORED, approximate=False)
        return (*reversed(new), *lately)[:MOST_IGNORED]

    async def _whole(self, info: dict[str, Any] | Ignored) -> dict[str, Any] | Ignored | None:
        """The same with its tokenizer; None where Redis does not have it."""
        if isinstance(info, Ignored):
            return info
        key = tokenizer_key(info["tokenizer"])
        try:
            if await self._redis.strlen(key) > LARGEST_TOKENIZER:
                return Ignored(info["identity"], f"its tokenizer has more than {LARGEST_TOKENIZER:,} bytes")
            raw = await self._redis.get(key) or b""
        except ResponseError as error:
            await self._make_room(key, error)
            raw = b""
        if hashlib.sha256(raw).hexdigest() != info["tokenizer"]:
            await self._redis.delete(key)
            return None
        try:
            return {**info, "tokenizer_json": raw.decode()}
        except UnicodeDecodeError:
            return Ignored(info["identity"], "its tokenizer is not UTF-8")

    async def _hash(self, name: str) -> dict[bytes, bytes]:
        """A hash that workers write."""
        try:
            found: dict[bytes, bytes] = await self._redis.hgetall(name)
        except ResponseError as error:
            await self._make_room(name, error)
            return {}
        return found

    async def _make_room(self, name: str, error: ResponseError) -> None:
        """What is of another type there is not ours."""
        if not str(error).startswith("WRONGTYPE"):
            raise error
        await self._redis.delete(name)

    async def lanes(self, judges: Sequence[str]) -> dict[str, dict[str, Lane]]:
        """Judge → lane → how much is in it."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for judge in judges:
                for lane in ALL_LANES:
                    pipe.xlen(stream(judge, lane))
                    pipe.xpending(stream(judge, lane), "workers")
            found = iter(await pipe.execute(raise_on_error=False))
        return {judge: {lane: _lane(next(found), next(found)) for lane in ALL_LANES} for judge in judges}

    async def depth(self, judge: str) -> int:
        """Entries of a judge that no worker has finished."""
        return int(sum([await self._redis.xlen(stream(judge, lane)) for lane in ALL_LANES]))


def _lane(length: int | RedisError, pending: dict[str, int] | RedisError) -> Lane:
    """Of what Redis says. Where no worker has ever been there is no group, and none has taken anything."""
    if isinstance(length, RedisError):
        raise length
    return Lane(length, 0 if isinstance(pending, RedisError) else pending["pending"])


async def _create_group(client: Any, name: str, group: str) -> None:
    try:
        await client.xgroup_create(name, group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
