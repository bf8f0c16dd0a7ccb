"""The rows by which workers are watched: what was measured again, who differed, and whom nobody believes any more."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.db.columns import Base, Counter
from server.db.states import Blamed
from server.db.work import QueuedWork


class Check(QueuedWork, Base):
    """A measurement made again by another worker. `key` is the digest of the measurement's key and the number.

    number: 2, or 3 where the first two differ. lane: that of the worker who is asked; empty while nobody is.
    """

    __tablename__ = "checks"
    __table_args__ = (Index("ix_checks_state_queued_at", "state", "queued_at"),)

    measurement: Mapped[str] = mapped_column(ForeignKey("measurements.key"), index=True)
    number: Mapped[int]
    bits: Mapped[bytes | None] = mapped_column(LargeBinary)


class Difference(Base):
    """Workers that said of one measurement what cannot both be right.

    said: of each worker its name, its build, and the bits in all. stopped: those who are not believed any more.
    """

    __tablename__ = "differences"

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    judge: Mapped[str] = mapped_column(ForeignKey("judges.identity"))
    said: Mapped[list[Any]]
    stopped: Mapped[list[Any]]


class Distrusted(Base):
    """Who gets no work, and whose results are not taken: a worker (a lent one by its token) or a build.

    by: the id of the host's token who said so, or `server` where workers differed.
    mended: what they measured is measured again by others.
    """

    __tablename__ = "distrusted"

    kind: Mapped[Blamed] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    mended: Mapped[bool] = mapped_column(default=False)
