"""How often somebody may join: wrong codes of an address, and newcomers of a competition. Counted by each process.

Moves are counted by participant and never by address, since a class sits behind one. Whoever guesses codes is nobody
yet. So that a guesser holds up no class at the same address, a code that was right there once is never refused there.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import structlog

from games.sentences import say
from server.errors import limited
from server.http.rate_limit import Buckets

log = structlog.get_logger()

GUESSES, GUESSES_A_SECOND = 100, 1.0
JOINS, JOINS_A_SECOND = 300, 5.0
REMEMBERED = 10_000  # right codes, each with an address
TELL_EVERY = 60.0  # seconds between two words in the log about guesses


class JoinLimits:
    """Who joins says which code, and from where."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guesses = Buckets(GUESSES_A_SECOND, GUESSES, clock)
        self._joins = Buckets(JOINS_A_SECOND, JOINS, clock)
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._told = -math.inf

    def try_code(self, address: str, code: str) -> None:
        """Before it is known whether there is such a code. Raises `RequestError` (429) where too many were wrong."""
        place = _place(address)
        if (place, code) in self._right:
            return
        short = self._guesses.take(place, 1)
        if short > 0:
            self._tell(place)
            told = say("Too many join codes from your network were wrong. Wait a little, or sign in with your key.")
            raise limited("codes", told, math.ceil(short / GUESSES_A_SECOND))

    def was_right(self, address: str, code: str) -> None:
        """There is such a code, so that it was no guess."""
        place = _place(address)
        if (place, code) not in self._right:
            self._guesses.give_back(place, 1)
            self._right[place, code] = None
            if len(self._right) > REMEMBERED:
                self._right.popitem(last=False)

    def come(self, competition: str) -> None:
        """Somebody is about to join. Raises `RequestError` (429) where many others just did."""
        short = self._joins.take(competition, 1)
        if short > 0:
            told = say("Many are joining this competition at this moment. Try again in a few seconds.")
            raise limited("joins", told, math.ceil(short / JOINS_A_SECOND))

    def _tell(self, place: str) -> None:
        if self._clock() - self._told >= TELL_EVERY:
            self._told = self._clock()
            log.warning("join.codes_guessed", address=place)


def _place(address: str) -> str:
    """Whose an address is: of IPv6, everybody has 2**64 of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address) or parsed.ipv4_mapped:
        return address
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
