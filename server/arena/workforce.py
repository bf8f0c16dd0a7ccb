"""The workers that were heard of lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from server.queue.announced import Ignored
from server.queue.messages import Lane, Worker

MOVE_EVERY = 20.0  # seconds: how often somebody in a class sends a move, about; most moves need one measurement


@dataclass(frozen=True, slots=True)
class Workforce:
    """troubles: what keeps work from reaching them, in words. lanes: judge → lane → how much is in it. ignored: what
    some have announced lately and nobody understood. last_served: judge → when a worker of it was last heard of.
    kept_out: workers that nobody believes, and that are there."""

    workers: Sequence[Worker] = ()
    troubles: tuple[str, ...] = ()
    lanes: Mapping[str, Mapping[str, Lane]] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    last_served: Mapping[str, datetime] = field(default_factory=dict)
    kept_out: Sequence[Worker] = ()

    def judges(self) -> list[str]:
        """The judges at work, those that the first worker names first in front, and those of lent machines last."""
        own_first = sorted(self.workers, key=lambda worker: worker.lent)
        return list(dict.fromkeys(judge for worker in own_first for judge in worker.judges))

    def default_judge(self) -> str | None:
        """What is meant where nobody says which."""
        return next(iter(self.judges()), None)

    def serving(self, judge: str) -> list[Worker]:
        return [worker for worker in self.workers if judge in worker.judges]

    def rate(self, judge: str) -> float | None:
        """Measurements a second by all who serve a judge; None where nobody has measured with it yet."""
        return round(sum(worker.rates.get(judge, 0.0) for worker in self.serving(judge)), 3) or None

    def class_size(self, judge: str) -> int | None:
        """How many players can move as often as people in a class do without waiting for one another."""
        rate = self.rate(judge)
        return None if rate is None else max(1, round(rate * MOVE_EVERY))

    def expected_wait(self, judge: str, queue_position: int | None) -> float | None:
        """Seconds until that position of the judge's queue is reached; None where nobody is at work there."""
        rate = self.rate(judge)
        return round(queue_position / rate, 1) if queue_position is not None and rate is not None else None
