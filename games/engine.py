"""The engine: what a play needs next, found by running its program from the first line on what is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from games import limits
from games.errors import SetupError
from games.program import Program
from games.protocol import PROFILES, Effect, Log, Measurement, NeedBits, Setup
from games.runtime import generation
from games.runtime.state import Play, PlayEnded, Suspended, out_of_budget

P = TypeVar("P", bound=Play)


def replay(program: Program, setup: Setup, log: Log) -> Effect:
    """What the play needs next: a move, a set of measurements, or nothing because it is over.

    Pure: the same program, setup and log always give the same effect, and the events of an effect begin with those
    of every earlier one of the same play. The log's moves are texts that ``games.values.text.accept`` gave back.
    Rewards are not rounded (see ``games.values.bits.millibits``).

    Raises SetupError where the setup is not one for this program, LogError where the log cannot be of this play.
    """
    check_setup(program, setup)
    play = started(Play, program, setup, log)
    try:
        run(program, play)
    except Suspended as suspended:
        return suspended.effect
    except PlayEnded as end:
        return play.broken_off(end)
    return play.finish()


#: Gives the bits, one number for each scored token, of those of the measurements that are known.
Lookup = Callable[[Sequence[Measurement]], Mapping[Measurement, Sequence[float]]]


def advance(program: Program, setup: Setup, log: Log, lookup: Lookup) -> tuple[Effect, Log]:
    """As far as the play goes on what is known: what it needs then, and its log with all that was looked up.

    ``lookup`` is asked once for each set of measurements that the play comes to. ``NeedBits`` comes back where it knows
    only a part of one; it then holds the others, and none of the events that hang on them is shown. Everything else is
    as ``replay`` says it, and what ``lookup`` raises goes through.
    """
    while True:
        effect = replay(program, setup, log)
        if not isinstance(effect, NeedBits):
            return effect, log
        log = Log(log.moves, {**log.bits, **lookup(effect.measurements)})
        missing = tuple([each for each in effect.measurements if each not in log.bits])
        if missing:
            return replace(effect, measurements=missing), log


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
        play.work += 100
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
        raise SetupError(f"the game needs {program.passages} passages, the round has {len(setup.passages)}")
    if setup.profile not in PROFILES:
        raise SetupError(f"found the profile {setup.profile!r}, expected one of {', '.join(PROFILES)}")
    missing = [slot for slot in program.judges if slot not in setup.judges]
    if missing:
        raise SetupError(f"the game measures with the judges {', '.join(missing)}, which the round does not name")
    if program.generations and generation.needed(program.generations, setup) is not None:
        raise SetupError("the texts that a judge writes for this game are not all written yet")
