"""The queue for workers that the API asks on behalf of: a lent worker is believed about nothing but its measurements.

It has the names that it was given, hands in results of what it holds and of nothing else, and fills no memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.queue.claiming import Claim, Claiming
from server.queue.introductions import Introductions
from server.queue.messages import (
    ALONE_FROM,
    CHECK_LANE,
    RESULTS,
    WORKERS,
    Result,
    check_lane,
    index,
    lent_key,
    outcome,
    stream,
)

DAY = 24 * 3600
INTRODUCED = 512 * 2**20  # bytes of tokenizers that may come with one token in a day
OF_A_JUDGE = 4 * 2**20  # as so many bytes counts a judge that is written down,
OF_A_NAME = 32 * 2**10  # and as so many a worker that was not heard of before

# Hands in what the worker holds: the job says whose result it is, not the worker. Returns, from 0, the places of what
# it does not hold. ARGV: the worker, then of each result stream, entry, index, build, field and value. What is let go
# of comes before what is added, so that a full Redis drains.
PUBLISH_HELD = """
local refused = {}
for i = 2, #ARGV, 6 do
  local name, entry = ARGV[i], ARGV[i + 1]
  local held = redis.pcall('XPENDING', name, 'workers', entry, entry, 1, ARGV[1])
  local found = held[1] and redis.call('XRANGE', name, entry, entry)[1]
  local key
  for field = 1, found and #found[2] or 0, 2 do
    if found[2][field] == 'key' then key = found[2][field + 1] end
  end
  if key then
    redis.call('XACK', name, 'workers', entry)
    redis.call('XDEL', name, entry)
    redis.call('HDEL', ARGV[i + 2], key)
    redis.call('XADD', KEYS[1], '*', 'worker', ARGV[1], 'key', key, 'build', ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
  else
    table.insert(refused, (i - 2) / 6)
  end
end
return refused
"""

# Counts what came with a token today. Returns 0 where that is too much. KEYS: the count. ARGV: more, at most, seconds.
SPEND = """
local spent = tonumber(redis.call('GET', KEYS[1]) or '0') + tonumber(ARGV[1])
if spent > tonumber(ARGV[2]) then return 0 end
if redis.call('INCRBY', KEYS[1], ARGV[1]) == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands: by what a worker names what it holds."""

    judge: str
    lane: str  # of the stream, so one of ALL_LANES, or CHECK_LANE
    entry: str


class LentClaiming(Claiming):
    """The side of one lent worker."""

    async def recall(self, count: int, *, texts: bool) -> list[Claim]:
        """What this worker holds: an answer with it may have been lost on its way. Not a delivery."""
        found: list[Claim] = []
        for judge in self.judges:
            for lane in self.lanes(texts=texts):
                found += await self._held(judge, lane, count - len(found)) if len(found) < count else []
        return found

    def held_at(self, place: Place) -> tuple[str, str]:
        """Stream and entry. Only what the worker itself is to check can be meant by it."""
        lane = check_lane(self.worker) if place.lane == CHECK_LANE else place.lane
        return stream(place.judge, lane), place.entry

    async def _held(self, judge: str, lane: str, count: int) -> list[Claim]:
        name = stream(judge, lane)
        held = await self.redis.xpending_range(name, "workers", "-", "+", count, self.worker)
        # What may take a worker down comes alone, after a lease.
        mine = {each["message_id"]: each["times_delivered"] for each in held if each["times_delivered"] < ALONE_FROM}
        entries = [one for entry in mine for one in await self.redis.xrange(name, entry, entry)]
        return await self._read(judge, lane, entries, mine)

    async def hand_in(self, done: Sequence[tuple[Place, Result]]) -> list[int]:
        """Results of what this worker holds, as `PUBLISH_HELD` says. What key a result has counts for nothing."""
        said: list[str | bytes] = []
        for place, result in done:
            said += (*self.held_at(place), index(place.judge), result.build, *outcome(result))
        return [int(each) for each in await self.redis.eval(PUBLISH_HELD, 1, RESULTS, self.worker, *said)]


class LentIntroductions(Introductions):
    """What a lent worker makes known, as far as it may."""

    def __init__(self, client: Any, worker: str, token: str) -> None:
        super().__init__(client, worker)
        self._client = client
        self._name = worker
        self._token = token

    async def may_appear(self) -> bool:
        """Is it known, or one more? Counts it."""
        return bool(await self._client.hexists(WORKERS, self._name)) or await self.may_add(OF_A_NAME)

    async def may_add(self, size: int) -> bool:
        """So many bytes more of a tokenizer? Counts them."""
        return bool(await self._client.eval(SPEND, 1, lent_key(self._token), size, INTRODUCED, DAY))

    async def may_enter(self) -> bool:
        """One judge more? Counts it."""
        return await self.may_add(OF_A_JUDGE)
