"""Which rows a board is read from: those of now, or those of the moment when the host froze it."""

from dataclasses import dataclass

from server.arena.callers import Caller
from server.db.boards import FrozenRating, FrozenStanding, RatingAfter, RatingRow, Standing, StandingRow
from server.db.models import Competition


@dataclass(frozen=True, slots=True)
class BoardRows:
    """standing: everybody's best. rating: what ranks where players are rated."""

    standing: type[StandingRow]
    rating: type[RatingRow]


LIVE = BoardRows(Standing, RatingAfter)
FROZEN = BoardRows(FrozenStanding, FrozenRating)


def shown_to(caller: Caller, competition: Competition) -> BoardRows:
    """What the caller may see of the boards of a competition, also of all that is worked out from them."""
    return LIVE if competition.frozen_at is None or caller.watches(competition.id) else FROZEN


def event_of(competition: Competition, rows: BoardRows) -> int | None:
    """The event since which boards read from these rows are as they are: whatever changes them has one. None for what
    only hosts see of frozen boards, which has none."""
    return None if competition.frozen_at is not None and rows is LIVE else competition.last_event
