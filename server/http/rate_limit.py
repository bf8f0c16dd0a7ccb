"""How often a participant may do something. Per participant, never per address: a class sits behind one."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

from games.sentences import say
from server.errors import limited
from server.queue.limits import Limit
from server.queue.messages import RedisError

log = structlog.get_logger()

FORGET = 10_000  # participants remembered
SHARES = 64  # a process takes that part of a burst at a time, and asks again when it is spent
ALONE = 5.0  # seconds for which a process counts by itself, once Redis did not answer


class Buckets:
    """A token bucket for each participant: `burst` at once, `rate` a second after that."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        """How many participants are remembered."""
        return len(self._buckets)

    def take(self, participant: str, amount: int) -> float:
        """How much was missing; where nothing was, the amount is spent."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.pop(participant, (float(self._burst), now))
            left = min(self._burst, left + (now - at) * self._rate)
            short = amount - left
            self._buckets[participant] = (left if short > 0 else left - amount, now)
            if len(self._buckets) > FORGET:
                del self._buckets[next(iter(self._buckets))]
        return max(0.0, short)

    def left(self, participant: str) -> float:
        """How much can be spent at once now."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(participant, (float(self._burst), now))
            return min(float(self._burst), left + (now - at) * self._rate)

    def give_back(self, participant: str, amount: int) -> None:
        """What was spent for nothing."""
        with self._lock:
            if participant in self._buckets:
                left, at = self._buckets[participant]
                self._buckets[participant] = (min(self._burst, left + amount), at)

    def close(self) -> None:
        """Nothing is open."""


class SharedBuckets:
    """The same buckets for all processes of a Redis. Each process takes some tokens ahead, so that it asks once for
    many moves; where Redis is away, each counts by itself."""

    def __init__(self, url: str, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = Limit(url, rate, burst)
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
        try:
            given, left = self._limit.take(participant, amount, max(amount, self._ahead))
        except RedisError as error:
            log.warning("limits.alone", error=str(error))
            self._alone_until = self._clock() + ALONE
            return self._alone.take(participant, amount)
        if not given:
            return max(1e-6, amount - left)
        self._hold(participant, given - amount)
        return 0.0

    def left(self, participant: str) -> float:
        """How much can be spent at once now, at this process."""
        if self._clock() >= self._alone_until:
            try:
                _, left = self._limit.take(participant, 0, 0)
            except RedisError as error:
                log.warning("limits.alone", error=str(error))
                self._alone_until = self._clock() + ALONE
            else:
                return self._held.get(participant, 0) + left
        return self._alone.left(participant)

    def close(self) -> None:
        self._limit.close()

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


class Rates:
    """What participants may spend, by their buckets."""

    def __init__(self, rate: float, buckets: Buckets | SharedBuckets) -> None:
        self.rate = rate
        self._buckets = buckets

    def left(self, participant: str) -> float:
        """How much can be spent at once now."""
        return self._buckets.left(participant)

    def spend(self, participant: str, amount: int = 1) -> None:
        """Raises `RequestError` (429) when the participant has been too quick."""
        short = self._buckets.take(participant, amount)
        if short > 0:
            raise limited(
                "requests",
                say("At most {rate} moves, measurements and games a second are taken.", rate=f"{self.rate:g}"),
                math.ceil(short / self.rate),
            )
