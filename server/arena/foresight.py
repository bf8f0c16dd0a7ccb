"""Where a play will stand after a move, found out before the transaction that takes the move.

A write holds up all others where there is one writer (SQLite), so that the engine runs before it, on what can be read.
The transaction looks whether it is still this play that was foreseen, and runs the engine itself where it is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from games import limits
from games.engine import advance, replay
from games.protocol import Effect, Log, Measurement, Move, NeedBits
from server.arena import measurements
from server.arena.measurements import Question
from server.arena.round_setup import RoundSetup

MOST_WORK = limits.WORK  # units, of the plays that are looked at together, beside the last of them


@dataclass(frozen=True, slots=True)
class Foreseen:
    """moves: of which this was foreseen. log: with what the house has said since, and the bits that were known. effect:
    what the play needs then. revision: of its round."""

    moves: tuple[Move, ...]
    log: Log
    effect: Effect
    revision: str


@dataclass(slots=True)
class Foresight:
    """Where several plays will stand. What is known is looked up for all of them at once, as far as they need it at
    their beginning.

    begun_with: units of work that its plays took to begin.
    """

    session: Session
    begun_with: int = 0
    _begun: dict[str, tuple[RoundSetup, Log, Effect | Exception]] = field(default_factory=dict)
    _known: dict[str, list[float] | None] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Has it taken as much work as others should wait for?"""
        return self.begun_with > MOST_WORK

    def begin(self, name: str, setup: RoundSetup, moves: Sequence[Move]) -> None:
        """Add a play with these moves, which is called so from now on."""
        log = Log(tuple(moves))
        effect: Effect | Exception
        try:
            effect = replay(setup.program, setup.setup, log)
            self.begun_with += effect.work
        except Exception as defect:
            effect = defect
        self._begun[name] = (setup, log, effect)

    def end(self) -> dict[str, Foreseen | Exception]:
        """Of each play that was added, or what the engine raised, which is a defect of ours; not of the last ones where
        they take more work than others should wait for."""
        begun = self._begun.values()
        asked = [(setup, effect.measurements) for setup, _, effect in begun if isinstance(effect, NeedBits)]
        self._look_up(question_of(setup, each).key for setup, set_ in asked for each in set_)
        found: dict[str, Foreseen | Exception] = {}
        taken = 0
        for name, (setup, log, effect) in self._begun.items():
            if taken > MOST_WORK:
                break
            found[name] = each = effect if isinstance(effect, Exception) else self._ended(setup, log, effect)
            taken += each.effect.work if isinstance(each, Foreseen) else 0
        return found

    def _ended(self, setup: RoundSetup, log: Log, effect: Effect) -> Foreseen | Exception:
        try:
            return self._foreseen(setup, log, effect)
        except DBAPIError:
            raise
        except Exception as defect:
            return defect

    def _foreseen(self, setup: RoundSetup, log: Log, effect: Effect) -> Foreseen:
        def known(asked: Sequence[Measurement]) -> Mapping[Measurement, list[float]]:
            keys = {each: question_of(setup, each).key for each in asked}
            self._look_up(keys.values())
            return {each: bits for each, key in keys.items() if (bits := self._known[key]) is not None}

        effect, seen = advance(setup.program, setup.setup, log, known, effect)
        return Foreseen(log.moves, Log(seen.moves, dict(seen.bits)), effect, setup.revision)

    def _look_up(self, keys: Iterable[str]) -> None:
        new = set(keys) - self._known.keys()
        self._known |= dict.fromkeys(new) | measurements.known_bits(self.session, new)


def foreseen(session: Session, setup: RoundSetup, moves: Sequence[Move]) -> Foreseen:
    foresight = Foresight(session)
    foresight.begin("", setup, moves)
    found = foresight.end()[""]
    if isinstance(found, Exception):
        raise found
    return found


def question_of(setup: RoundSetup, asked: Measurement) -> Question:
    """What the engine asks for, with the judge that the round has for it."""
    return Question(setup.identities[asked.judge], asked.profile, asked.prefix, asked.text)
