"""How often a participant may do something. Per participant, never per address: a class sits behind one."""

import math
import threading
import time
from collections.abc import Callable

from games.sentences import say
from server.errors import limited

FORGET = 10_000  # participants remembered


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

    def close(self) -> None:
        """Nothing is open."""


class Rates:
    """What participants may spend. take: spends an amount, or returns how much was missing."""

    def __init__(self, rate: float, take: Callable[[str, int], float]) -> None:
        self._rate = rate
        self._take = take

    def spend(self, participant: str, amount: int = 1) -> None:
        """Raises `RequestError` (429) when the participant has been too quick."""
        short = self._take(participant, amount)
        if short > 0:
            raise limited(
                "requests",
                say("At most {rate} moves, measurements and games a second are taken.", rate=f"{self._rate:g}"),
                math.ceil(short / self._rate),
            )
