"""Rate limits that several API processes share: one bucket a participant, in Redis."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from server.http.rate_limit import FORGET, Buckets
from server.queue.messages import RedisError, connection_options, rate_key

log = structlog.get_logger()

SHARES = 64  # a process takes that part of a burst at a time, and asks again when it is spent
ANSWERS_WITHIN = 0.5  # seconds for Redis to answer: a transaction waits for it
ONCE = Retry(NoBackoff(), 0)
ALONE = 5.0  # seconds for which a process counts by itself, once Redis did not answer

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


class SharedBuckets:
    """A token bucket for each participant, the same one for all processes of a Redis. Each process takes some tokens
    ahead, so that it asks once for many moves; where Redis is away, each counts by itself."""

    def __init__(self, url: str, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        quick = {"socket_timeout": ANSWERS_WITHIN, "socket_connect_timeout": ANSWERS_WITHIN, "retry": ONCE}
        self._redis = redis.Redis.from_url(url, **connection_options() | quick)
        self._script = self._redis.register_script(TAKE)
        self._rate, self._burst = rate, burst
        self._ahead = max(1, burst // SHARES)
        self._clock = clock
        self._alone = Buckets(rate, burst, clock)
        self._alone_until = float("-inf")
        self._held: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, participant: str, amount: int) -> float:
        """How much was missing; where nothing was, the amount is spent."""
        if self._spend_held(participant, amount):
            return 0.0
        if self._clock() < self._alone_until:
            return self._alone.take(participant, amount)
        wanted = max(amount, self._ahead)
        try:
            given, left = self._script(keys=[rate_key(participant)], args=[self._rate, self._burst, amount, wanted])
        except RedisError as error:
            log.warning("limits.alone", error=str(error))
            self._alone_until = self._clock() + ALONE
            return self._alone.take(participant, amount)
        if not given:
            return max(1e-6, amount - float(left))
        self._hold(participant, given - amount)
        return 0.0

    def close(self) -> None:
        self._redis.close()

    def _spend_held(self, participant: str, amount: int) -> bool:
        with self._lock:
            held = self._held.get(participant, 0)
            if held < amount:
                return False
            self._held[participant] = held - amount
            return True

    def _hold(self, participant: str, amount: int) -> None:
        with self._lock:
            self._held[participant] = self._held.pop(participant, 0) + amount
            if len(self._held) > FORGET:
                self._held.popitem(last=False)
