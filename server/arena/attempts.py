"""How often a player has played a round, and may still."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from games.sentences import say
from server.db.models import Attempt, Round
from server.db.session import insert
from server.errors import RequestError


def reserve_attempt(session: Session, round_: Round, player: str) -> None:
    statement = insert(session, Attempt).values(round_id=round_.id, player_id=player, used=1)
    reserved = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["round_id", "player_id"],
            set_={"used": Attempt.used + 1},
            where=None if round_.attempts is None else Attempt.used < round_.attempts,
        ).returning(Attempt.used)
    ).one_or_none()
    if reserved is None:
        raise RequestError(
            "no-attempts-left",
            409,
            "No attempts left",
            say("All {number} attempts of this round are used.", number=round_.attempts),
            limit="attempts",
        )


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
