"""What can be known before anybody plays: do the texts of a round fit its judges, and is there a trap in a game?"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from games import engine, limits
from games.errors import SetupError
from games.program import Program
from games.protocol import MAIN, JudgeFacts, Log, Measurement, Move, Setup
from games.runtime.generation import requests
from games.runtime.state import Play, PlayEnded, Suspended
from games.values import bits
from games.values.bits import Measured
from games.values.text import Text, unwanted_character

#: What the players of the trial say: a word that no passage holds, so that it is taken out of nothing.
_ANYTHING = "qzx"
BACKWARD = "backward"


class _TooLong(Exception):
    """A text of the round that no judge could read, whatever the players do."""


class _Trial(Play):
    """A play in which players say anything, every ``ensure`` holds, and the judges' answers are all zeros.

    fixed: what it measured that no move has flowed into, in order. helped: texts of the round that are measured behind
    what a move has flowed into. glued: the lines that measure a text of the round right after a player's words. over:
    how it went over a budget, if it did.
    """

    __slots__ = ("fixed", "glued", "helped", "over")

    over: PlayEnded | None
    fixed: dict[Measurement, None]
    helped: dict[str, None]
    glued: dict[int, None]

    def next_move(self, seat: str, seen: Sequence[str], limit: int) -> Move | None:
        self.used += 1
        return Move(seat, _ANYTHING) if self.used <= limits.MOVES else None

    def passes(self, conditions: Sequence[bool]) -> bool:
        return True

    def measured(self, slot: str, profile: str, text: Text, leave_first: bool) -> Measured:
        tokens = self.tokens(slot, profile, text.text, leave_first)
        length, context = 1, self.setup.judges[slot].context
        if not text.from_move:
            length += len(tokens.ends)
        if text.prefix and not text.prefix_from_move:
            length += len(self.ends(slot, text.prefix))
        if length > context:
            reader = "the judge" if slot == MAIN else f"the judge {slot!r}"
            raise _TooLong(
                f"the round's own texts are {length:,} tokens long there, and {reader} reads {context:,} "
                f"at once; give shorter passages or another judge"
            )
        if tokens.count() and not text.from_move and not (text.prefix and text.prefix_from_move):
            self.fixed[Measurement(slot, profile, text.prefix, text.text)] = None
        if text.prefix_from_move and not text.from_move:
            self.helped[text.text] = None
        if text.prefix.endswith(_ANYTHING) and not text.from_move and text.text[:1].strip():
            self.glued[self.line] = None
        return bits.zeros(tokens)


def _check_directions(setup: Setup) -> None:
    """A game that asks a judge called backward compares two readers of one text, one from either end."""
    if BACKWARD not in setup.judges:
        return
    for slot, wanted in ((MAIN, "forward"), (BACKWARD, BACKWARD)):
        found = setup.judges[slot].direction
        if found != wanted:
            raise SetupError(
                f"the slot {slot!r} of this game takes a judge that reads {wanted}; this one reads {found}"
            )


def check_round(program: Program, setup: Setup) -> None:
    """Refuses a round that nobody could play: passages that are no texts, or too long for a judge by themselves, and
    a judge that reads from the wrong end.

    Raises SetupError, naming the line that would measure too much. What the moves add is not counted.
    """
    engine.check_setup(program, setup)
    _check_directions(setup)
    for number, passage in enumerate(setup.passages, start=1):
        unwanted = unwanted_character(passage)
        if unwanted:
            raise SetupError(f"passage {number} holds {unwanted[1]} at character {unwanted[0] + 1}")
        if len(passage) > limits.TEXT_CHARACTERS:
            most = f"{limits.TEXT_CHARACTERS:,} are the most"
            raise SetupError(f"passage {number} is {len(passage):,} characters long, {most}")
    trial = _tried(program, setup)
    if trial.over and not trial.used:  # before anybody has said anything, so that nobody can play it
        raise SetupError(f"line {trial.over.line}: {trial.over.detail} before the first move")


def fixed_measurements(program: Program, setup: Setup) -> list[Measurement]:
    """What a play of this round measures whatever the players say, as far as can be foreseen. Raises SetupError."""
    return list(_tried(program, setup).fixed)


def bases(program: Program, setup: Setup) -> list[Measurement]:
    """Of the texts that the game measures with a player's words and without them, the measurement without: the first of
    each text by the main judge. Knowing it gives no move away, which a game that asks for a text's bits cannot say."""
    trial = _tried(program, setup)
    found: dict[str, Measurement] = {}
    for each in trial.fixed:
        if each.judge == MAIN and each.text in trial.helped:
            found.setdefault(each.text, each)
    return list(found.values())


def _tried(program: Program, setup: Setup) -> _Trial:
    trial = engine.started(_Trial, program, setup, Log())
    trial.fixed, trial.glued, trial.helped, trial.over = {}, {}, {}, None
    try:
        engine.run(program, trial)
    except _TooLong as problem:
        raise SetupError(f"line {trial.line}: {problem}") from None
    except Suspended:
        pass  # from this line on the play hangs on what the players say, and pauses by itself where it must
    except PlayEnded as end:
        trial.over = end if end.type == "budget" else None
    return trial


class Advice(NamedTuple):
    """Something in a program that works, and is hardly meant."""

    line: int
    message: str


def warnings(program: Program) -> list[Advice]:
    """What whoever writes a game would want to know before somebody plays it."""
    facts = JudgeFacts(lambda text: [word.end() for word in re.finditer(r"\s*\S+|\s+$", text)], 1_000_000)
    setup = Setup(
        passages=tuple(f"Passage {number} of some words." for number in range(program.passages)),
        seed="seed",
        judges=dict.fromkeys(program.judges, facts),
    )
    written = tuple("Words of a judge." for _ in requests(program.generations, setup))
    trial = _tried(program, replace(setup, generated=written))
    over = trial.over and Advice(trial.over.line or 1, f"{trial.over.detail} here, when the players say a word each")
    glued = [
        Advice(
            line,
            "measures a passage right after a player's words, with nothing between them: the seam costs the passage's "
            "first token more than good words save, and a full stop at the end is worth bits by itself; measure both "
            'sides in one frame, as in xent(s | "Topic: \\n") - xent(s | "Topic: " + x + "\\n")',
        )
        for line in trial.glued
    ]
    return [*glued, over] if over else glued
