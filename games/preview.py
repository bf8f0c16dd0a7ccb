"""What can be told of a move before it is made, without a judge, and without telling what only making it tells.

A preview runs the program on from the move, but only on what the player knows by then: the move and the registers that
the seat sees. What hangs on anything else (a measurement, a draw, a passage that is still to come, a register that is
hidden) is not computed at all, nor is what hangs on that. So no number of previews is worth a move.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from games import limits
from games.compiler.ensure import Ensure
from games.compiler.expression import Step
from games.compiler.needs import Needs
from games.engine import Lookup, advance, started, step
from games.program import Program
from games.protocol import MAIN, Event, Log, Move, NeedMove, Reason, Setup
from games.runtime.state import Play, PlayEnded, Suspended, out_of_budget
from games.syntax.names import visible
from games.values.text import Text

#: Units of work that a preview may take beyond the play so far: a quarter of what a play may, about ten milliseconds.
WORK = limits.WORK // 4


@dataclass(frozen=True, slots=True)
class Preview:
    """tokens: of the move as it was given. kept: what the limit leaves of it. events: what the player would be told.
    refused: would the move be asked for again? reason: why the play would end, where it would. open: does more hang on
    what only making the move tells?"""

    tokens: int
    limit: int
    kept: str
    events: tuple[Event, ...]
    refused: bool
    reason: Reason | None
    open: bool


class NotAsked(Exception):
    """No move of that seat is awaited."""


class _Trial(Play):
    """A play that tries its last move. reached: is it made? known: the registers whose values the player knows then.
    least: how many events there were before. most: the work it may have taken in the end."""

    __slots__ = ("known", "least", "most", "reached")

    reached: bool
    known: frozenset[str]
    least: int
    most: int

    def next_move(self, seat: str, seen: Sequence[str], limit: int) -> Move | None:
        move = super().next_move(seat, seen, limit)
        if move is not None and self.used == len(self.moves):
            self.reached, self.least, self.most = True, len(self.events), self.work + WORK
            self.known = frozenset(visible(seat, self.named, self.revealed.get(seat, ())))
        return move

    def spend(self, units: int) -> None:
        super().spend(units)
        if self.reached and self.work > self.most:
            raise out_of_budget("units of work", WORK)

    def told_again(self) -> bool:
        """Has a condition failed since the move?"""
        return any(event.type == "ensure_failed" for event in self.events[self.least :])

    def knows(self, needs: Needs) -> bool:
        return not needs.playing and needs.registers <= self.known


def preview(program: Program, setup: Setup, log: Log, lookup: Lookup, seat: str, move: str) -> Preview:
    """What the player of `seat` may be told of `move` as the next one of the play.

    Raises NotAsked where the play does not wait for a move of that seat, on what ``lookup`` knows.
    """
    effect, log = advance(program, setup, log, lookup)
    if not isinstance(effect, NeedMove) or effect.seat != seat:
        raise NotAsked
    play = started(_Trial, program, setup, Log((*log.moves, Move(seat, move)), log.bits))
    play.reached = False
    reason, is_open = None, False
    try:
        is_open = _run(program, play, effect.register)
    except Suspended:  # another move is asked for
        pass
    except PlayEnded as end:
        is_open = end.type == "budget"
        reason = None if is_open else Reason(end.type, end.detail, end.line, end.column)
    tokens = len(play.ends(MAIN, move))
    told = tuple([event for event in play.events[play.least :] if event.seat == seat])
    kept = play.registers[effect.register]
    kept_text = kept.text if isinstance(kept, Text) else ""
    return Preview(tokens, effect.limit, kept_text, told, play.told_again(), reason, is_open)


def _run(program: Program, play: _Trial, register: str) -> bool:
    """Runs the program as far as a preview may; does more hang on what it may not tell?"""
    index, is_open = 0, False
    while index < len(program.instructions):
        if not play.reached:
            index = step(program, play, index)
            play.known = play.known | {register} if play.reached else frozenset()
            continue
        instruction = program.instructions[index]
        known = play.knows(instruction.needs)
        match instruction.name:
            case "elicit":
                return is_open
            case "ensure" if not known:
                _fails(play, instruction.run)
                return True
            case "replay" if not known:
                return True
            case "assign":
                play.known = play.known | instruction.writes if known else play.known - instruction.writes
        if known or instruction.name == "beacon":
            index = step(program, play, index)
            if play.told_again():
                return is_open
        else:
            is_open, index = True, index + 1
    return is_open


def _fails(play: _Trial, ensure: Step) -> None:
    """Tells which of the conditions that may be told do not hold."""
    assert isinstance(ensure, Ensure)
    told = replace(ensure, conditions=[each for each in ensure.conditions if play.knows(each.needs)])
    if told.conditions:
        told(play)
