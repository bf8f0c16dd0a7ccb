"""The engine: what a play needs next, found by running its program from the first line on what is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from games import limits
from games.errors import SetupError
from games.program import Program
from games.protocol import PROFILES, Effect, Log, Measurement, NeedBits, Setup
from games.runtime import generation
from games.runtime.state import Play, PlayEnded, Suspended, out_of_budget
from games.sentences import counted

P = TypeVar("P", bound=Play)


def replay(program: Program, setup: Setup, log: Log) -> Effect:
    """What the play needs next: a move, a set of measurements, or nothing because it is over.

    Pure: the same program, setup and log always give the same effect, and the events of an effect begin with those
    of every earlier one of the same play. The log's moves are texts that ``games.values.text.accept`` gave back. Where
    the log has none for a seat of the house, the house makes it: it stands among the moves of the effect.
    Rewards are not rounded (see ``games.values.bits.millibits``).

    Raises SetupError where the setup is not one for this program, LogError where the log cannot be of this play.
    """
    check_setup(program, setup)
    play = started(Play, program, setup, log)
    try:
        run(program, play)
    except Suspended as suspended:
        effect: Effect = suspended.effect
    except PlayEnded as end:
        effect = play.broken_off(end)
    else:
        effect = play.finish()
    return replace(effect, work=play.work, moves=play.moves)


#: Gives the bits, one number for each scored token, of those of the measurements that are known.
Lookup = Callable[[Sequence[Measurement]], Mapping[Measurement, Sequence[float]]]

#: How often a play is replayed because more of it has become known, before bits are looked up one by one: a play that
#: measures after every line would else be replayed as often as it has lines. And units of work: a play that takes much
#: is replayed once more, not four times.
RESTARTS, RESTART_WORK = 4, limits.WORK // 4


def advance(
    program: Program, setup: Setup, log: Log, lookup: Lookup, effect: Effect | None = None
) -> tuple[Effect, Log]:
    """As far as the play goes on what is known: what it needs then, and its log with all that was looked up and what
    the house has said.

    ``lookup`` is asked once for each set of measurements that the play comes to, and after ``RESTARTS`` of them, or
    ``RESTART_WORK``, for each measurement when it comes up. ``NeedBits`` comes back where it knows only a part of a
    set; it then holds the others, and none of the events that hang on them is shown. Everything else is as ``replay``
    says it, with the work of all that was replayed, and what ``lookup`` raises goes through. effect: what an earlier
    call said of this log.
    """
    work = 0
    for _ in range(RESTARTS):
        effect = effect or replay(program, setup, log)
        work += effect.work
        log = Log(effect.moves, log.bits)
        if not isinstance(effect, NeedBits):
            return replace(effect, work=work), log
        log = Log(log.moves, {**log.bits, **lookup(effect.measurements)})
        missing = tuple([each for each in effect.measurements if each not in log.bits])
        if missing:
            return replace(effect, measurements=missing, work=work), log
        effect = None
        if work > RESTART_WORK:
            break
    log = Log(log.moves, _LookedUp(log.bits, lookup))
    effect = replay(program, setup, log)
    return replace(effect, work=work + effect.work), Log(effect.moves, log.bits)


class _LookedUp(dict[Measurement, Sequence[float]]):
    """Bits that are looked up when they are wanted."""

    def __init__(self, known: Mapping[Measurement, Sequence[float]], lookup: Lookup) -> None:
        super().__init__(known)
        self._lookup = lookup

    def get(self, measurement: Measurement, default: Any = None) -> Any:
        if measurement not in self:
            self.update(self._lookup((measurement,)))
        return super().get(measurement, default)


def started(of: type[P], program: Program, setup: Setup, log: Log) -> P:
    """A play of the given class, before its first line."""
    play = of(program.seats, program.registers, setup, log)
    if program.generations:
        play.generated = generation.values(program.generations, setup)
    return play


def run(program: Program, play: Play) -> None:
    """Runs the program to its end; stops by Suspended or PlayEnded."""
    index = 0
    while index < len(program.instructions):
        index = step(program, play, index)
    if play.unknown:
        raise play.need_bits()


def step(program: Program, play: Play, index: int) -> int:
    """Runs one instruction; which one comes next."""
    instruction = program.instructions[index]
    try:
        play.lines += 1
        play.work += instruction.work
        if play.lines > limits.LINES:
            raise out_of_budget("executed lines", limits.LINES)
        if play.work > limits.WORK:
            raise out_of_budget("units of work", limits.WORK)
        play.line = instruction.line
        target = instruction.run(play)
    except PlayEnded as end:
        raise end.at(instruction.line, instruction.column) from None
    return index + 1 if target is None else target


def check_setup(program: Program, setup: Setup) -> None:
    """Raises SetupError where the setup is not one for this program."""
    if len(setup.passages) != program.passages:
        raise SetupError(f"the game needs {counted(program.passages, 'passage')}, the round has {len(setup.passages)}")
    if setup.profile not in PROFILES:
        raise SetupError(f"found the profile {setup.profile!r}, expected one of {', '.join(PROFILES)}")
    if strange := [seat for seat in setup.house if seat not in program.seats]:
        raise SetupError(f"the house has the seat {strange[0]!r}, which the game does not ask")
    missing = [slot for slot in program.judges if slot not in setup.judges]
    if missing:
        raise SetupError(f"the game measures with the judges {', '.join(missing)}, which the round does not name")
    if program.generations and generation.needed(program.generations, setup) is not None:
        raise SetupError("the texts that a judge writes for this game are not all written yet")
