"""The rows of the lab: what people had judges try outside any game, and where a host has closed it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.db.columns import Base
from server.db.states import LabExperiment
from server.db.work import QueuedWork


class Experiment(QueuedWork, Base):
    """A reading that somebody asked for. `key` is the digest of judge, asker, kind and question.

    asker: a player's id, or the id of a token that is no player's: what one has asked, nobody else can find. question:
    what is asked, by the parameters of its kind. answer: bytes, as the kind packs them, once known.
    """

    __tablename__ = "experiments"
    __table_args__ = (
        Index("ix_experiments_state_judge_queued_at", "state", "judge", "queued_at"),
        Index("ix_experiments_asker_state", "asker", "state"),
    )

    asker: Mapped[str]
    kind: Mapped[str]
    question: Mapped[dict[str, Any]]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)


class ClosedLab(Base):
    """A competition whose host has closed the lab to its players."""

    __tablename__ = "closed_labs"

    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    closed_at: Mapped[datetime]


class ClosedExperiment(Base):
    """One of the lab's experiments that a host has closed to players, whether or not the lab is open."""

    __tablename__ = "closed_experiments"

    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    experiment: Mapped[LabExperiment] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
