"""Asking a language model, with patience and within a limit that holds.

Trouble     an answer that did not come, or is none; it says whether asking again may help
NoAnswer    given up: the endpoint failed for too long, or the limit would be passed
"""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from time import monotonic, sleep
from typing import Any, Protocol

from bots.journal import WASTED, Journal
from xentarena.errors import ArenaError

RETRIES = 6  # tries of one question
LONGEST_PAUSE = 60.0  # seconds between two of them, also where an endpoint asks for more
AROUND = 32  # tokens that a message may take beside its text
KEPT = 20_000  # characters of a reply that are kept: its end, where the move stands


@dataclass(frozen=True, slots=True)
class Question:
    """messages: of role and content, in turn. most: tokens of the answer. temperature: None: the endpoint's own."""

    system: str
    messages: tuple[Mapping[str, str], ...]
    most: int
    temperature: float | None

    @property
    def worst(self) -> int:
        """The most tokens that it can take to read: no token is less than a byte."""
        texts = [self.system, *(each["content"] for each in self.messages)]
        return sum(len(text.encode("utf-8", "replace")) + AROUND for text in texts)


@dataclass(frozen=True, slots=True)
class Reply:
    """read, written: tokens; None where the endpoint does not say."""

    text: str
    read: int | None = None
    written: int | None = None


class Trouble(Exception):
    """again: may asking again help? pause: seconds until then, if the endpoint says. paid: may it cost all the same?"""

    def __init__(self, why: str, *, again: bool, pause: float | None = None, paid: bool = False) -> None:
        super().__init__(why)
        self.again, self.pause, self.paid = again, pause, paid


class NoAnswer(ArenaError):
    """Nothing came, and nothing will: its text says why."""


class Provider(Protocol):
    """Whoever runs the model."""

    def ask(self, question: Question) -> Reply:
        """One try. Raises `Trouble`."""


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens, in whatever money."""

    read: float = 0.0
    written: float = 0.0

    def of(self, read: int, written: int) -> float:
        return (read * self.read + written * self.written) / 1e6


@dataclass(slots=True)
class Meter:
    """What one model has used, over all its games, and the most that it may. To be shared between threads.

    A question is asked only where even its dearest answer stays within the limits: a token read for every byte, and as
    many written as were allowed. So they hold whatever an endpoint does; near them it ends early.
    """

    price: Price = field(default_factory=Price)
    tokens: int | None = None
    cost: float | None = None
    read: int = 0
    written: int = 0
    _held: list[tuple[int, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, question: Question) -> tuple[int, int]:
        """Set the dearest answer aside. Raises `NoAnswer` where that is too much."""
        dearest = (question.worst, question.most)
        with self._lock:
            reads, writes = (
                sum(column) for column in zip((self.read, self.written), dearest, *self._held, strict=True)
            )
            if self.tokens is not None and reads + writes > self.tokens:
                raise NoAnswer(
                    f"The limit of {self.tokens:,} tokens would not hold: {self.read + self.written:,} used."
                )
            used = self.price.of(self.read, self.written)
            if self.cost is not None and self.price.of(reads, writes) > self.cost:
                raise NoAnswer(f"The limit of {self.cost:g} on the cost would not hold: {used:.4f} used.")
            self._held.append(dearest)
        return dearest

    def settle(self, held: tuple[int, int], read: int, written: int) -> None:
        """What a question took in the end."""
        with self._lock:
            self._held.remove(held)
            self.read += read
            self.written += written


@dataclass(slots=True)
class Asking:
    """Asks until there is an answer. Every reply is in the journal before it is used; what stands there is not asked
    again. retries: tries of one question."""

    provider: Provider
    meter: Meter
    journal: Journal
    retries: int = RETRIES
    pause: Callable[[float], object] = sleep

    def ask(self, question: Question) -> str:
        """The end of what the model says. Raises `NoAnswer`."""
        return str(self.journal.once("reply", lambda: self._asked(question))["text"])

    def _asked(self, question: Question) -> dict[str, Any]:
        begun, troubles = monotonic(), list[str]()
        for attempt in range(self.retries):
            held = self.meter.hold(question)
            used = (0, 0)
            try:
                reply = self.provider.ask(question)
                used = (_known(reply.read, held[0]), _known(reply.written, held[1]))
                break
            except Trouble as trouble:
                troubles.append(str(trouble))
                if trouble.paid:
                    used = held
                    self.journal.write(WASTED, {"why": str(trouble), **self._used(used)})
                if not trouble.again or attempt + 1 == self.retries:
                    raise NoAnswer(f"The model did not answer: {trouble}") from trouble
                pause = _pause(attempt) if trouble.pause is None else trouble.pause
            finally:
                self.meter.settle(held, *used)
            self.pause(min(pause, LONGEST_PAUSE))
        told = {"question": asdict(question), "text": reply.text[-KEPT:], "characters": len(reply.text)}
        return told | self._used(used) | {"seconds": round(monotonic() - begun, 3), "troubles": troubles}

    def _used(self, used: tuple[int, int]) -> dict[str, float]:
        return {"read": used[0], "written": used[1], "cost": self.meter.price.of(*used)}


def _known(said: int | None, dearest: int) -> int:
    """Where an endpoint does not say what was used, it counts as much as it could have been."""
    return dearest if said is None else said


def _pause(attempt: int) -> float:
    """Seconds before the next try, where nobody says: longer each time, and not in step with others."""
    return min(LONGEST_PAUSE, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
