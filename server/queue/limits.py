"""Rate limits that several API processes share: one bucket a participant, in Redis. Blocking."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from server.queue.messages import connection_options, rate_key

ANSWERS_WITHIN = 0.5  # seconds: a transaction waits for it
ONCE = Retry(NoBackoff(), 0)

# A token bucket, by Redis' clock. KEYS: the bucket. ARGV: rate, burst, what is needed, what would be taken.
# Returns what was given (nothing where it is less than needed), and what is left, as text.
TAKE = """
local rate, burst, need, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = tonumber(known[1]) or burst
local since = math.max(0, now - (tonumber(known[2]) or now))
left = math.min(burst, left + since * rate)
local given = 0
if left >= need then given = math.max(need, math.min(wanted, math.floor(left))) end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left - given), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - left + given) / rate * 1000) + 1000)
return {given, string.format('%.6f', left - given)}
"""


class Limit:
    """`burst` at once, `rate` a second after that, for each participant."""

    def __init__(self, url: str, rate: float, burst: int) -> None:
        quick = {"socket_timeout": ANSWERS_WITHIN, "socket_connect_timeout": ANSWERS_WITHIN, "retry": ONCE}
        self._redis = redis.Redis.from_url(url, **connection_options() | quick)
        self._script = self._redis.register_script(TAKE)
        self._limits = rate, burst

    def take(self, participant: str, need: int, wanted: int) -> tuple[int, float]:
        """How much was given: none, or from `need` to `wanted`; and how much is left. Raises `RedisError`."""
        given, left = self._script(keys=[rate_key(participant)], args=[*self._limits, need, wanted])
        return int(given), float(left)

    def close(self) -> None:
        self._redis.close()
