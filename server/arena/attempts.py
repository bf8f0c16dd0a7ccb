"""How often a player has played a round, and may still."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from games.sentences import say
from server.db.models import Attempt, Round
from server.db.session import Undone, insert
from server.errors import RequestError

Seat = tuple[str, str]  # round, player


class Attempts:
    """The attempts that one transaction reserves. Those that were used before stay as they are until it is over."""

    def __init__(self, session: Session, seats: Collection[Seat]) -> None:
        self._session = session
        self._new: dict[Seat, tuple[int, int | None]] = {}  # how many, of how many
        here = tuple_(Attempt.round_id, Attempt.player_id).in_(sorted(seats))
        query = select(Attempt.round_id, Attempt.player_id, Attempt.used).where(here)
        locked = query.order_by(Attempt.round_id, Attempt.player_id).with_for_update()
        self._used = {(row.round_id, row.player_id): row.used for row in session.execute(locked)} if seats else {}

    def reserve(self, round_: Round, player: str) -> None:
        """One more. Raises `RequestError` where none is left."""
        seat = (round_.id, player)
        count, _ = self._new.get(seat, (0, None))
        if round_.attempts is not None and self._used.get(seat, 0) + count >= round_.attempts:
            raise RequestError(
                "no-attempts-left",
                409,
                "No attempts left",
                say(
                    "The one attempt of this round is used.",
                    "All {count} attempts of this round are used.",
                    count=round_.attempts,
                ),
                limit="attempts",
            )
        self._new[seat] = (count + 1, round_.attempts)

    def write(self) -> None:
        """Raises `Undone` where another process has used up some of them: those of a player who had used none are
        held by nobody."""
        for limit in {limit for _, limit in self._new.values()}:
            values = [
                {"round_id": round_id, "player_id": player, "used": count}
                for (round_id, player), (count, of) in sorted(self._new.items())
                if of == limit
            ]
            if len(self._reserved(limit, values)) < len(values):
                raise Undone

    def _reserved(self, limit: int | None, values: Sequence[dict[str, Any]]) -> Sequence[int]:
        statement = insert(self._session, Attempt)
        more = Attempt.used + statement.excluded.used
        statement = statement.on_conflict_do_update(
            index_elements=["round_id", "player_id"],
            set_={"used": more},
            where=None if limit is None else more <= limit,
        )
        return self._session.scalars(statement.returning(Attempt.used), values).all()


def reserve_attempt(session: Session, round_: Round, player: str) -> None:
    """One attempt. Raises `RequestError` where none is left."""
    reserved = Attempts(session, [(round_.id, player)])
    reserved.reserve(round_, player)
    reserved.write()


def attempts_left(session: Session, round_: Round, player: str | None) -> int | None:
    """How often a player may still submit; None where there is no limit."""
    if round_.attempts is None or player is None:
        return None
    attempt = session.get(Attempt, (round_.id, player))
    return max(0, round_.attempts - (attempt.used if attempt else 0))


def used(session: Session, player: str) -> dict[str, int]:
    """Round → how many attempts the player has used there; rounds without any are left out."""
    rows = session.execute(select(Attempt.round_id, Attempt.used).where(Attempt.player_id == player))
    return {row.round_id: row.used for row in rows}


def give_back(session: Session, round_: Round, player: str) -> None:
    """The attempt does not count."""
    session.execute(
        update(Attempt)
        .where(Attempt.round_id == round_.id, Attempt.player_id == player, Attempt.used > 0)
        .values(used=Attempt.used - 1)
    )
