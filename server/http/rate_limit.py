"""How often a participant may do something. Per participant, never per address: a class sits behind one."""

import math
import threading
import time
from collections.abc import Callable

from games.sentences import say
from server.errors import limited

FORGET = 10_000  # participants remembered


class Rates:
    """A token bucket for each participant: `burst` at once, `rate` a second after that. Of this process."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        """How many participants are remembered."""
        return len(self._buckets)

    def spend(self, participant: str, amount: int = 1) -> None:
        """Raises `RequestError` (429) when the participant has been too quick."""
        with self._lock:
            short = self._take(participant, amount)
        if short > 0:
            raise limited(
                "requests",
                say("At most {rate} moves, measurements and games a second are taken.", rate=f"{self._rate:g}"),
                math.ceil(short / self._rate),
            )

    def _take(self, participant: str, amount: int) -> float:
        """How much was missing; where nothing was, the amount is spent."""
        now = self._clock()
        left, at = self._buckets.pop(participant, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate)
        short = amount - left
        self._buckets[participant] = (left if short > 0 else left - amount, now)
        if len(self._buckets) > FORGET:
            del self._buckets[next(iter(self._buckets))]
        return short
