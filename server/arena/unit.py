"""What a use case is given: one transaction, on behalf of whoever asks."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.arena.callers import Caller
from server.arena.outbox import Outbox
from server.arena.workforce import Workforce
from server.db.session import now
from server.errors import unauthorized
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction, what it leaves to be done after the commit, and for whom it is.

    asked_by: None for a visitor, where visitors are let in. workforce: the workers known to this process.
    """

    session: Session
    outbox: Outbox
    asked_by: Caller | None
    settings: Settings
    workforce: Workforce

    @property
    def caller(self) -> Caller:
        """Raises `RequestError` (401) for a visitor."""
        if self.asked_by is None:
            raise unauthorized("This needs a token: send 'Authorization: Bearer …' with the token that joining gave.")
        return self.asked_by

    @property
    def now(self) -> datetime:
        """The database's clock, the same throughout the transaction."""
        return now(self.session)
