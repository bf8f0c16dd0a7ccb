"""The queue where workers are not believed: who gets no work, and how what they hold goes to others at once."""

from collections.abc import Collection, Iterable
from typing import Any

from redis.exceptions import ResponseError

from server.queue.messages import ALL_LANES, DISTRUSTED, JUDGES, check_lane, index, party, stream

# Puts what this worker holds into its lane again, as if it were new: nobody has to wait for a lease. What is let go of
# comes before what is added, so that a full Redis takes it. KEYS: the lane's stream, the index. ARGV: the lane, the
# worker, entries.
HAND_BACK = """
for i = 3, #ARGV do
  local held = redis.pcall('XPENDING', KEYS[1], 'workers', ARGV[i], ARGV[i], 1, ARGV[2])
  local found = held[1] and redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  if found then
    redis.call('XACK', KEYS[1], 'workers', ARGV[i])
    redis.call('XDEL', KEYS[1], ARGV[i])
    local id = redis.call('XADD', KEYS[1], '*', unpack(found[2]))
    for field = 1, #found[2], 2 do
      if found[2][field] == 'key' then redis.call('HSET', KEYS[2], found[2][field + 1], ARGV[1] .. ' ' .. id) end
    end
  end
end
"""


async def keep_out(redis: Any, names: Collection[str]) -> None:
    """These workers, and tokens of lent ones, get no work from now on, and no others are kept from it. What they hold
    goes to others at once."""
    known = {raw.decode() for raw in await redis.smembers(DISTRUSTED)}
    if new := set(names) - known:
        await redis.sadd(DISTRUSTED, *new)
        await hand_back(redis, new)
    if trusted := known - set(names):
        await redis.srem(DISTRUSTED, *trusted)


async def hand_back(redis: Any, names: Collection[str]) -> None:
    """What these workers, or those with these tokens, hold is for others at once."""
    for judge in await redis.hkeys(JUDGES):
        for lane in ALL_LANES:
            for worker in await _holding(redis, stream(judge.decode(), lane), names):
                await _hand_back(redis, judge.decode(), lane, worker)


async def _holding(redis: Any, name: str, names: Collection[str]) -> list[str]:
    try:
        found = await redis.xinfo_consumers(name, "workers")
    except ResponseError:  # no such stream, or nobody has ever read it
        return []
    workers = [each["name"].decode() for each in found if each["pending"]]
    return [worker for worker in workers if worker in names or party(worker) in names]


async def _hand_back(redis: Any, judge: str, lane: str, worker: str) -> None:
    name = stream(judge, lane)
    held = await redis.xpending_range(name, "workers", "-", "+", 10_000, worker)
    for start in range(0, len(held), 500):
        entries = [each["message_id"] for each in held[start : start + 500]]
        await redis.eval(HAND_BACK, 2, name, index(judge), lane, worker, *entries)


async def forget_checks(redis: Any, workers: Iterable[str]) -> None:
    """Nobody is to measure what these were to measure again: they are gone."""
    judges = [raw.decode() for raw in await redis.hkeys(JUDGES)]
    names = [stream(judge, check_lane(worker)) for judge in judges for worker in workers]
    if names:
        await redis.delete(*names)
