"""What rows have in common that a worker fills in."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.db.states import WorkState


class QueuedWork:
    """What a row has that a worker fills in: its way through the queue. tries: how often it was put in it again.

    worker: who filled it in.
    """

    key: Mapped[str] = mapped_column(primary_key=True)
    judge: Mapped[str] = mapped_column(ForeignKey("judges.identity"))
    state: Mapped[WorkState]
    build: Mapped[str | None]
    worker: Mapped[str | None]
    failure: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    lane: Mapped[str]
    queued_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    def settle(self, build: str | None, failure: str | None, at: datetime) -> None:
        """It is done, or cannot be: `failure` says why."""
        self.state = WorkState.FAILED if failure else WorkState.KNOWN
        self.build, self.failure, self.finished_at = build, failure, at

    def retry(self, at: datetime) -> None:
        """It failed, and is to be done once more."""
        self.state, self.failure, self.finished_at = WorkState.PENDING, None, None
        self.tries, self.queued_at = 0, at
