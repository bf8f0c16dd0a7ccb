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
from typing import Any, Self

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

# Adds a part where the one before ends, and nothing elsewhere. Returns how many bytes there are now.
ADD = """
if redis.call('STRLEN', KEYS[1]) == tonumber(ARGV[1]) then redis.call('APPEND', KEYS[1], ARGV[2]) end
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


class Announcer:
    """One worker's words. Blocking; raises a `RedisError` where Redis is away."""

    def __init__(self, client: Any, worker: str) -> None:
        self._redis = client
        self._worker = worker
        self._hello = client.register_script(HELLO)
        self._add = client.register_script(ADD)
        self._part = 4 * SMALLEST_PART  # bytes

    def announce(
        self, judges: Sequence[Introduction], build: str, rates: Mapping[str, float], *, seconds: float
    ) -> bool:
        """Say hello, then send for about so many seconds what Redis lacks. False where some of it is still to be
        sent."""
        deadline = time.monotonic() + seconds
        said = {"judges": [judge.judge for judge in judges], "build": build, "rates": {**rates}}
        lacking = self._hello(keys=[WORKERS, JUDGES], args=[self._worker, json.dumps(said)])
        unknown = {raw.decode() for raw in lacking}
        return all(self._introduce(judge, deadline) for judge in judges if judge.judge in unknown)

    def _introduce(self, judge: Introduction, deadline: float) -> bool:
        key = tokenizer_key(judge.digest)
        there = self._redis.strlen(key)
        while there < len(judge.tokenizer):
            if time.monotonic() >= deadline:
                return False
            there = self._send(key, there, judge.tokenizer[there : there + self._part])
        self._redis.hsetnx(JUDGES, judge.judge, judge.facts)
        return True

    def _send(self, key: str, start: int, part: bytes) -> int:
        began = time.monotonic()
        try:
            return int(self._add(keys=[key], args=[start, part]))
        except AWAY:
            began -= 2 * SLOW  # the line may have been too slow for so much
            raise
        finally:
            took = time.monotonic() - began
            factor = 2.0 if took < QUICK else 0.5 if took > SLOW else 1.0
            self._part = int(min(max(self._part * factor, SMALLEST_PART), LARGEST_PART))
