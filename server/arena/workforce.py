"""The workers that were heard of lately."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.queue.messages import Worker


@dataclass(frozen=True, slots=True)
class Workforce:
    workers: Sequence[Worker] = ()

    def judges(self) -> list[str]:
        """The judges at work, those that the first worker names first in front."""
        return list(dict.fromkeys(judge for worker in self.workers for judge in worker.judges))

    def default_judge(self) -> str | None:
        """What is meant where nobody says which."""
        return next(iter(self.judges()), None)

    def serving(self, judge: str) -> list[Worker]:
        return [worker for worker in self.workers if judge in worker.judges]

    def expected_wait(self, judge: str, queue_position: int | None) -> float | None:
        """Seconds until that position of the judge's queue is reached; None where nobody is at work there."""
        rate = sum(worker.rate for worker in self.serving(judge))
        return round(queue_position / rate, 1) if queue_position is not None and rate > 0 else None
