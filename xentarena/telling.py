"""What a player sees, as text: for a language model that plays, and for a policy that is trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xentarena.events import AnyEvent, EnsureFailed, Reveal, Reward, Shown, ShownBits
from xentarena.models import Outcome

TOKENS = 40  # of a reward of which it is told what each gave: those with most bits, lost ones too
LONGEST = 6_000  # characters of a text that is shown

Registers = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Figures:
    """How bits are told: as such, or as whole numbers of so many parts of one."""

    parts: int = 1

    def total(self, bits: float) -> str:
        return f"{bits:.1f} bits" if self.parts == 1 else f"{round(bits * self.parts)} points"

    def of_token(self, bits: float) -> str:
        return f"{bits:+.1f}" if self.parts == 1 else f"{round(bits * self.parts):+d}"


BITS = Figures()


def seen(registers: Registers, passages: Sequence[str] = ()) -> Iterator[str]:
    """Registers by name; the round's passages, where none of them shows it."""
    shown = {name: value if isinstance(value, str) else "\n".join(value) for name, value in registers.items()}
    for number, passage in enumerate(passages, 1):
        if passage not in shown.values():
            yield f"Passage {number}:\n{_short(passage)}"
    for name, text in shown.items():
        if text.strip():
            yield f"{name}:\n{_short(text)}"


def happened(events: Sequence[AnyEvent], figures: Figures = BITS) -> Iterator[str]:
    """A line for what the game answered, what earned bits and what was revealed."""
    for event in events:
        if isinstance(event, EnsureFailed):
            yield f"The game asked again: {event.say or event.condition}"
        elif isinstance(event, Reward):
            yield f"{event.label or 'Score'}: {figures.total(event.bits)}{_by_token(event, figures)}"
        elif isinstance(event, Reveal):
            yield from (f"{each.register_ or 'Shown'}: {_value(each, figures)}" for each in event.values)


def wanted(register: str, limit: int) -> str:
    return f"Write {register}, at most {limit} tokens (about {max(1, limit * 3 // 4)} words)."


def scene(title: str, rules: str, moves: Sequence[str], outcome: Outcome) -> str:
    """What the one player of a play has before it: the rules, what may be seen, what was done, what is asked for."""
    awaits = outcome.awaits
    parts = [f"# {title}", rules, *seen(awaits.registers if awaits is not None else {})]
    parts += [f"You wrote: {move}" for move in moves]
    parts += happened(outcome.events)
    if awaits is not None:
        parts.append(wanted(awaits.register_ or "", awaits.limit or 0))
    return "\n\n".join(part for part in parts if part)


def _by_token(reward: Reward, figures: Figures) -> str:
    """What each token gave, in order of the text."""
    most = sorted(range(len(reward.tokens)), key=lambda place: -abs(reward.tokens[place].bits))[:TOKENS]
    tokens = [reward.tokens[place] for place in sorted(most)]
    told = [f"{token.text!r} {figures.of_token(token.bits)}" for token in tokens]
    return f", by token: {', '.join(told)}" if told else ""


def _value(shown: Shown, figures: Figures) -> str:
    if isinstance(shown.value, ShownBits):
        return figures.total(shown.value.bits)
    return _short(", ".join(shown.value) if isinstance(shown.value, tuple) else str(shown.value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
