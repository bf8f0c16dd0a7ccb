"""The rows of scores that are worked out beside those that count, until a host applies or drops them."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.db.columns import Base
from server.db.states import RescoringState


class Rescoring(Base):
    """The scores of a round under other judges or another profile, worked out beside those that count.

    judges: slot → identity.
    """

    __tablename__ = "rescorings"

    id: Mapped[str] = mapped_column(primary_key=True)
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"), index=True)
    judges: Mapped[dict[str, Any]]
    profile: Mapped[str]
    state: Mapped[RescoringState] = mapped_column(index=True)
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RescoredPlay(Base):
    """A play of a rescoring. done: nothing of it is missing any more. reason: why it has no other score, and keeps the
    one that it has. The rest is what the engine said of it."""

    __tablename__ = "rescored_plays"

    rescoring_id: Mapped[str] = mapped_column(ForeignKey("rescorings.id"), primary_key=True)
    play_id: Mapped[str] = mapped_column(ForeignKey("plays.id"), primary_key=True, index=True)
    done: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None]
    events: Mapped[list[Any]]
    build: Mapped[str | None]


class Rescore(Base):
    """The score of a submission in a rescoring; none where its play keeps the one that it has.

    replaced: the millibits that counted until the rescoring was applied.
    """

    __tablename__ = "rescores"

    rescoring_id: Mapped[str] = mapped_column(ForeignKey("rescorings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(
        ForeignKey("submissions.number"), primary_key=True, autoincrement=False, index=True
    )
    millibits: Mapped[int] = mapped_column(BigInteger)
    replaced: Mapped[int | None] = mapped_column(BigInteger)
    passage_millibits: Mapped[int | None] = mapped_column(BigInteger)
    rewards: Mapped[dict[str, Any]]


def id_of_second(round_id: str, judge: str) -> str:
    """What the rescoring by a round's second judge is called: one for each round and judge, so that it is begun once in
    all processes."""
    return f"res_{hashlib.sha256(f'{round_id} {judge}'.encode()).hexdigest()[:16]}"
