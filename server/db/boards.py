"""The rows that boards are read from: bests and ratings, as they are and as they were when a host froze them."""

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.db.columns import Base, Counter


class StandingRow:
    """A player's best submission in a round. Only millibits rank; equal ones are listed by acceptance number."""

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    player_id: Mapped[str] = mapped_column(ForeignKey("players.id"), primary_key=True)
    millibits: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(ForeignKey("submissions.number"))


class Standing(StandingRow, Base):
    """The best by now."""

    __tablename__ = "standings"
    __table_args__ = (
        Index("ix_standings_board", "round_id", "millibits", "number"),
        Index("ix_standings_player_id", "player_id"),
    )


class FrozenStanding(StandingRow, Base):
    """The best when the host froze the boards of the round's competition."""

    __tablename__ = "frozen_standings"
    __table_args__ = (
        Index("ix_frozen_standings_board", "round_id", "millibits", "number"),
        Index("ix_frozen_standings_player_id", "player_id"),
    )


class RatingRow:
    """A player's rating in a round, after the play of a submission. plays: how many are in it. points: thousandths of
    mu - 3 sigma."""

    number: Mapped[int] = mapped_column(ForeignKey("submissions.number"), primary_key=True, autoincrement=False)
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"))
    player_id: Mapped[str] = mapped_column(ForeignKey("players.id"))
    mu: Mapped[float]
    sigma: Mapped[float]
    plays: Mapped[int]
    points: Mapped[int | None]


class RatingAfter(RatingRow, Base):
    """A player's rating in a round after one of their plays: a row for each of the two submissions of a play.

    first: the lowest number in the play; plays are rated in that order. points: in the
    player's newest row of the round; null in those before.
    """

    __tablename__ = "ratings"
    __table_args__ = (
        Index("ix_ratings_round_id_points", "round_id", "points"),
        Index("ix_ratings_round_id_first", "round_id", "first"),
        Index("ix_ratings_player_id_round_id_first", "player_id", "round_id", "first"),
    )

    first: Mapped[int] = mapped_column(Counter)


class FrozenRating(RatingRow, Base):
    """The newest when the host froze the boards of the round's competition."""

    __tablename__ = "frozen_ratings"
    __table_args__ = (
        Index("ix_frozen_ratings_round_id_points", "round_id", "points"),
        Index("ix_frozen_ratings_player_id", "player_id"),
    )


class Unrated(Base):
    """From the play on whose lowest submission number is `first`, a round's ratings are to be worked out."""

    __tablename__ = "unrated"

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    first: Mapped[int] = mapped_column(ForeignKey("submissions.number"), primary_key=True, autoincrement=False)
