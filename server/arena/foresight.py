"""Where a play will stand after a move, found out before the transaction that takes the move.

A write holds up all others where there is one writer (SQLite), so that the engine runs before it, on what can be read.
The transaction looks whether it is still this play that was foreseen, and runs the engine itself where it is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from games.engine import advance
from games.protocol import Effect, Log, Move
from server.arena import measurements
from server.arena.round_setup import RoundSetup


@dataclass(frozen=True, slots=True)
class Foreseen:
    """log: the moves, and the bits that were known. effect: what the play needs then. revision: of its round."""

    log: Log
    effect: Effect
    revision: str


def foreseen(session: Session, setup: RoundSetup, moves: Sequence[Move]) -> Foreseen:
    known = partial(measurements.known, session, setup.identities)
    effect, log = advance(setup.program, setup.setup, Log(tuple(moves)), known)
    return Foreseen(Log(log.moves, dict(log.bits)), effect, setup.revision)
