"""Where a play will stand after a move, found out before the transaction that takes the move.

A write holds up all others where there is one writer (SQLite), so that the engine runs before it, on what can be read.
The transaction looks whether it is still this play that was foreseen, and runs the engine itself where it is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    """log: the moves, and the bits that were known. effect: what the play needs then. revision: of its round."""

    log: Log
    effect: Effect
    revision: str


@dataclass(slots=True)
class Foresight:
    """Where several plays will stand. What is known is looked up for all of them at once, as far as they need it at
    their beginning.

    work: units that it has taken so far.
    """

    session: Session
    work: int = 0
    _begun: list[tuple[RoundSetup, Log, Effect]] = field(default_factory=list)
    _known: dict[str, list[float] | None] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Has it taken as much work as others should wait for?"""
        return self.work > MOST_WORK

    def begin(self, setup: RoundSetup, moves: Sequence[Move]) -> None:
        """Add a play with these moves."""
        log = Log(tuple(moves))
        effect = replay(setup.program, setup.setup, log)
        self.work += effect.work
        self._begun.append((setup, log, effect))

    def end(self) -> list[Foreseen]:
        """Of each play that was added, in order; not of the last ones where it gets full before."""
        asked = [(setup, effect.measurements) for setup, _, effect in self._begun if isinstance(effect, NeedBits)]
        self._look_up(question_of(setup, each).key for setup, set_ in asked for each in set_)
        found: list[Foreseen] = []
        for setup, log, effect in self._begun:
            if found and self.full:
                break
            found.append(self._foreseen(setup, log, effect))
            self.work += found[-1].effect.work - effect.work
        return found

    def _foreseen(self, setup: RoundSetup, log: Log, effect: Effect) -> Foreseen:
        def known(asked: Sequence[Measurement]) -> Mapping[Measurement, list[float]]:
            keys = {each: question_of(setup, each).key for each in asked}
            self._look_up(keys.values())
            return {each: bits for each, key in keys.items() if (bits := self._known[key]) is not None}

        effect, log = advance(setup.program, setup.setup, log, known, effect)
        return Foreseen(Log(log.moves, dict(log.bits)), effect, setup.revision)

    def _look_up(self, keys: Iterable[str]) -> None:
        new = set(keys) - self._known.keys()
        self._known |= dict.fromkeys(new) | measurements.known_bits(self.session, new)


def foreseen(session: Session, setup: RoundSetup, moves: Sequence[Move]) -> Foreseen:
    foresight = Foresight(session)
    foresight.begin(setup, moves)
    return foresight.end()[0]


def question_of(setup: RoundSetup, asked: Measurement) -> Question:
    """What the engine asks for, with the judge that the round has for it."""
    return Question(setup.identities[asked.judge], asked.profile, asked.prefix, asked.text)
