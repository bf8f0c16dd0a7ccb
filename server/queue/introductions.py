"""How a worker makes itself and its judges known: a few words every two seconds, and a tokenizer once.

A tokenizer may be twelve megabytes, and a worker's line slow. So it lies in Redis under its digest, whichever judges
have it, and comes in parts, each sent when the one before has arrived: whoever was cut off goes on where Redis is, two
workers with the same one share the work, and between two parts there is time to say that this worker lives. A judge is
written down only when its tokenizer is there.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from server.queue.immediate import at_once
from server.queue.messages import AWAY, JUDGES, WORKERS, tokenizer_key

# `seen` is the moment at which Redis writes this, however long it was on its way. Behind a deletion also a full Redis
# takes it. Returns the judges that Redis lacks.
HELLO = """
redis.call('HDEL', KEYS[1], ARGV[1])
local said = string.sub(ARGV[2], 1, -2) .. ', "seen": ' .. redis.call('TIME')[1] .. '}'
redis.call('HSET', KEYS[1], ARGV[1], said)
local lacking = {}
for _, judge in ipairs(cjson.decode(ARGV[2])['judges']) do
  if redis.call('HEXISTS', KEYS[2], judge) == 0 then table.insert(lacking, judge) end
end
return lacking
"""

# Adds a part where the one before ends, and nothing elsewhere; none makes no key. Returns how many bytes there are now.
ADD = """
if ARGV[2] ~= '' and redis.call('STRLEN', KEYS[1]) == tonumber(ARGV[1]) then
  redis.call('APPEND', KEYS[1], ARGV[2])
end
return redis.call('STRLEN', KEYS[1])
"""

SMALLEST_PART, LARGEST_PART = 4096, 2**20  # bytes
QUICK, SLOW = 0.25, 0.5  # seconds that a part takes: below, the next is larger, above, smaller


@dataclass(frozen=True, slots=True)
class Introduction:
    """A judge as it is announced. facts: JSON, with the tokenizer's digest in it."""

    judge: str
    facts: str
    digest: str
    tokenizer: bytes

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Self:
        """From what `judge.judge.Judge.info` says."""
        tokenizer = str(info["tokenizer_json"]).encode()
        digest = hashlib.sha256(tokenizer).hexdigest()
        facts = {name: value for name, value in info.items() if name != "tokenizer_json"}
        return cls(info["identity"], json.dumps({**facts, "tokenizer": digest}), digest, tokenizer)


class Book(Protocol):
    """Where workers and judges are written down. Every method raises a `RedisError` where the queue is away."""

    async def hello(self, judges: Sequence[str], build: str, rates: Mapping[str, float]) -> set[str]:
        """This worker lives. Returns those of its judges that are not written down yet."""
        ...

    async def add(self, digest: str, start: int, part: bytes) -> int:
        """A part of a tokenizer, from byte `start` on; where something else ends there it is left out. Returns how
        many bytes are there now."""
        ...

    async def enter(self, judge: str, facts: str) -> None:
        """Write a judge down whose tokenizer is there."""
        ...


class Introductions:
    """The `Book` that is in Redis."""

    def __init__(self, client: Any, worker: str) -> None:
        self._redis = client
        self._worker = worker

    async def hello(self, judges: Sequence[str], build: str, rates: Mapping[str, float]) -> set[str]:
        said = json.dumps({"judges": [*judges], "build": build, "rates": {**rates}})
        return {raw.decode() for raw in await self._redis.eval(HELLO, 2, WORKERS, JUDGES, self._worker, said)}

    async def add(self, digest: str, start: int, part: bytes) -> int:
        return int(await self._redis.eval(ADD, 1, tokenizer_key(digest), start, part))

    async def enter(self, judge: str, facts: str) -> None:
        await self._redis.hsetnx(JUDGES, judge, facts)


class Announcer:
    """One worker's words. Blocking, so its book must be one that does not wait for anything but an answer."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._part = 4 * SMALLEST_PART  # bytes

    def announce(
        self, judges: Sequence[Introduction], build: str, rates: Mapping[str, float], *, seconds: float
    ) -> bool:
        """Say hello, then send for about so many seconds what is lacking. False where some of it is still to be
        sent."""
        deadline = time.monotonic() + seconds
        unknown = at_once(self._book.hello([judge.judge for judge in judges], build, rates))
        return all(self._introduce(judge, deadline) for judge in judges if judge.judge in unknown)

    def _introduce(self, judge: Introduction, deadline: float) -> bool:
        there = at_once(self._book.add(judge.digest, 0, b""))
        while there < len(judge.tokenizer):
            if time.monotonic() >= deadline:
                return False
            there = self._send(judge.digest, there, judge.tokenizer[there : there + self._part])
        at_once(self._book.enter(judge.judge, judge.facts))
        return True

    def _send(self, digest: str, start: int, part: bytes) -> int:
        began = time.monotonic()
        try:
            return at_once(self._book.add(digest, start, part))
        except AWAY:
            began -= 2 * SLOW  # the line may have been too slow for so much
            raise
        finally:
            took = time.monotonic() - began
            factor = 2.0 if took < QUICK else 0.5 if took > SLOW else 1.0
            self._part = int(min(max(self._part * factor, SMALLEST_PART), LARGEST_PART))
