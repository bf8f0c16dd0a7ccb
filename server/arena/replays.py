"""A finished play run once more, to see what it hangs on."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from games import engine
from games.errors import GamesError
from games.protocol import JudgeFacts, Log, Move
from games.protocol import Measurement as Asked
from server.arena import measurements
from server.arena.round_setup import RoundSetup
from server.db.models import Measurement, Play


@dataclass(slots=True)
class Replayed:
    """A play that was run once more, and what was looked up for that. draws: does its seed decide anything? ends: by
    slot and text."""

    moves: Sequence[Move]
    draws: bool
    ends: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    rows: dict[Asked, Measurement] = field(default_factory=dict)


def replayed(session: Session, setup: RoundSetup, moves: Sequence[Move]) -> Replayed:
    noted = Replayed(moves, setup.program.draws)

    def lookup(asked: Sequence[Asked]) -> dict[Asked, list[float]]:
        found = measurements.known_rows(session, setup.identities, asked)
        noted.rows |= found
        return {each: measurements.bits(row) for each, row in found.items()}

    judges = {slot: _noting(noted, slot, facts) for slot, facts in setup.setup.judges.items()}
    with suppress(GamesError):  # moves were deleted with their player: `_leads_to` will tell
        engine.advance(setup.program, replace(setup.setup, judges=judges), Log(tuple(moves)), lookup)
    return noted


def _noting(noted: Replayed, slot: str, facts: JudgeFacts) -> JudgeFacts:
    def ends(text: str) -> Sequence[int]:
        found = facts.ends(text)
        noted.ends[slot, text] = list(found)
        return found

    return replace(facts, ends=ends)


def counted(play: Play) -> tuple[Move, ...]:
    """A play's moves as they counted, which no other judge cuts again."""
    told = [event for event in play.events if event["type"] == "move"]
    return tuple(Move(event["seat"], event["text"], event["cut"]) for event in told)
