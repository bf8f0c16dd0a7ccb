"""What a language model is told: the rules, what it sees, and what its earlier moves earned, token by token."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bots.strategy import View
from xentarena.events import AnyEvent, EnsureFailed, Reveal, Reward, Shown, ShownBits

SYSTEM = (
    "You play a word game. Another language model, the judge, reads texts and measures in bits how much each token"
    " surprises it. Read the rules, look at what earlier moves earned, and make a better move. You may think first. End"
    " your answer with one line that begins with MOVE: and has your move and nothing else."
)
REMINDER = "That had no move that counts. Answer with one line, for example:\nMOVE: {example}"
EXAMPLE = "a few words of your own"
BEST, LAST = 3, 5  # of the earlier plays that are told: the best, and the last
TOKENS = 40  # of a play of which it is told what each gave: those with most bits, lost ones too
LONGEST = 6_000  # characters of a text that is shown


@dataclass(frozen=True, slots=True)
class Played:
    """An earlier play of this player's. bits: None where it was not scored, and `why` says why."""

    moves: Sequence[str]
    bits: float | None
    why: str
    events: Sequence[AnyEvent]


def question(view: View, moves: Sequence[str], played: Sequence[Played], refused: str | None) -> str:
    """moves: that were made in this play. refused: what the rules had against the last proposal."""
    parts = [f"# {view.title}", view.rules, "## What you see", *_seen(view)]
    if played:
        parts += ["## Your earlier plays", *[_told(each) for each in _worth_telling(played)]]
    if moves or view.events:
        parts += ["## This play so far", *[f"You wrote: {move}" for move in moves], *_happened(view.events)]
    if refused is not None:
        parts.append(f"Your last proposal cannot be played. {refused}")
    parts.append(
        f"Write {view.register}, at most {view.limit} tokens (about {max(1, view.limit * 3 // 4)} words)."
        f" {_aim(played)}End with a line MOVE: {EXAMPLE}"
    )
    return "\n\n".join(part for part in parts if part)


def _aim(played: Sequence[Played]) -> str:
    scored = [each.bits for each in played if each.bits is not None]
    return f"Your best so far is {max(scored):.1f} bits: beat it with other words. " if scored else ""


def _seen(view: View) -> Iterator[str]:
    """Registers by name; the round's passages, where none of them shows it."""
    shown = {name: value if isinstance(value, str) else "\n".join(value) for name, value in view.registers.items()}
    for number, passage in enumerate(view.passages, 1):
        if passage not in shown.values():
            yield f"Passage {number}:\n{_short(passage)}"
    for name, text in shown.items():
        if text.strip():
            yield f"{name}:\n{_short(text)}"


def _worth_telling(played: Sequence[Played]) -> list[Played]:
    """The best and the last, in order of play, none twice."""
    numbers = range(len(played))
    scored = [number for number in numbers if played[number].bits is not None]
    best = sorted(scored, key=lambda number: -(played[number].bits or 0.0))[:BEST]
    return [played[number] for number in sorted({*best, *numbers[-LAST:]})]


def _told(play: Played) -> str:
    moves = " / ".join(play.moves)
    if play.bits is None:
        return f"{moves!r} was not scored: {play.why}"
    return "\n".join([f"{moves!r} earned {play.bits:.1f} bits.", *_happened(play.events)])


def _happened(events: Sequence[AnyEvent]) -> Iterator[str]:
    for event in events:
        if isinstance(event, EnsureFailed):
            yield f"The game asked again: {event.say or event.condition}"
        elif isinstance(event, Reward):
            yield f"{event.label or 'Score'}: {event.bits:.1f} bits{_by_token(event)}"
        elif isinstance(event, Reveal):
            yield from (f"{each.register_ or 'Shown'}: {_value(each)}" for each in event.values)


def _by_token(reward: Reward) -> str:
    """What each token gave, in order of the text."""
    most = sorted(range(len(reward.tokens)), key=lambda place: -abs(reward.tokens[place].bits))[:TOKENS]
    told = [f"{reward.tokens[place].text!r} {reward.tokens[place].bits:+.1f}" for place in sorted(most)]
    return f", by token: {', '.join(told)}" if told else ""


def _value(shown: Shown) -> str:
    if isinstance(shown.value, ShownBits):
        return f"{shown.value.bits:.1f} bits"
    return _short(", ".join(shown.value) if isinstance(shown.value, tuple) else str(shown.value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
