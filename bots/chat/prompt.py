"""What a language model is told: the rules, what it sees, and what its earlier moves earned, token by token."""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.strategy import View
from xentarena.events import AnyEvent
from xentarena.telling import BITS, Figures, happened, seen, wanted

SYSTEM = (
    "You play a word game. Another language model, the judge, reads texts and measures in bits how much each token"
    " surprises it. Read the rules, look at what earlier moves earned, and make a better move. You may think first. End"
    " your answer with one line that begins with MOVE: and has your move and nothing else."
)
REMINDER = "That had no move that counts. Answer with one line, for example:\nMOVE: {example}"
EXAMPLE = "a few words of your own"
BEST, LAST = 3, 5  # of the earlier plays that are told: the best, and the last


@dataclass(frozen=True, slots=True)
class Played:
    """An earlier play of this player's. bits: None where it was not scored, and `why` says why."""

    moves: Sequence[str]
    bits: float | None
    why: str
    events: Sequence[AnyEvent]


def question(
    view: View, moves: Sequence[str], played: Sequence[Played], refused: str | None, figures: Figures = BITS
) -> str:
    """moves: that were made in this play. refused: what the rules had against the last proposal."""
    parts = [f"# {view.title}", view.rules, "## What you see", *seen(view.registers, view.passages)]
    if played:
        parts += ["## Your earlier plays", *[_told(each, figures) for each in _worth_telling(played)]]
    if moves or view.events:
        parts += ["## This play so far", *[f"You wrote: {move}" for move in moves], *happened(view.events, figures)]
    if refused is not None:
        parts.append(f"Your last proposal cannot be played. {refused}")
    parts.append(f"{wanted(view.register, view.limit)} {_aim(played, figures)}End with a line MOVE: {EXAMPLE}")
    return "\n\n".join(part for part in parts if part)


def _aim(played: Sequence[Played], figures: Figures) -> str:
    scored = [each.bits for each in played if each.bits is not None]
    return f"Your best so far is {figures.total(max(scored))}: beat it with other words. " if scored else ""


def _worth_telling(played: Sequence[Played]) -> list[Played]:
    """The best and the last, in order of play, none twice."""
    numbers = range(len(played))
    scored = [number for number in numbers if played[number].bits is not None]
    best = sorted(scored, key=lambda number: -(played[number].bits or 0.0))[:BEST]
    return [played[number] for number in sorted({*best, *numbers[-LAST:]})]


def _told(play: Played, figures: Figures) -> str:
    moves = " / ".join(play.moves)
    if play.bits is None:
        return f"{moves!r} was not scored: {play.why}"
    return "\n".join([f"{moves!r} earned {figures.total(play.bits)}.", *happened(play.events, figures)])
