"""Which of a play's events a seat may see."""

from collections.abc import Sequence
from dataclasses import replace

from games.protocol import Event, MoveMade, Reveal, Reward
from games.syntax.names import OMNISCIENT

#: How many known stretches a reward's text may be put together from. Many short ones could spell anything.
STRETCHES = 4


def sees_everything(seats: Sequence[str]) -> bool:
    """Whether every one of these seats sees all registers, and with them the round's passages."""
    return OMNISCIENT.issuperset(seats)


def seen(events: Sequence[Event], seat: str) -> list[Event]:
    """The events as the seat may see them: all of them for one that sees every register, else its own.

    The tokens of a reward spell what was measured. A seat that does not see every register gets them only where it
    has been shown that text, or said it, and the terms only where that goes for their prefixes too; the bits it always
    gets.
    """
    if seat in OMNISCIENT:
        return list(events)
    own = [event for event in events if event.seat == seat]
    known = [text for event in own for text in _texts(event)]
    return [_without_secrets(event, known) if isinstance(event, Reward) else event for event in own]


def _texts(event: Event) -> list[str]:
    if isinstance(event, MoveMade):
        return [event.text]
    values = [each.value for each in event.values] if isinstance(event, Reveal) else []
    lists = [item for value in values if isinstance(value, tuple) for item in value]
    return [value for value in values if isinstance(value, str)] + lists


def _without_secrets(event: Reward, known: Sequence[str]) -> Reward:
    if not _is_made_of("".join([token.text for token in event.tokens]), known):
        return replace(event, tokens=(), terms=())
    read = [text for term in event.terms for text in (term.text, term.prefix_before or "", term.prefix_after)]
    return event if all(_is_made_of(text, known) for text in read) else replace(event, terms=())


def _is_made_of(text: str, known: Sequence[str]) -> bool:
    """Is the text a known stretch, or a few of them in a row (the sum of two measurements spells both texts)?"""
    for _ in range(STRETCHES):
        if not text:
            break
        reach = max((_reach(text, each) for each in known), default=0)
        text = text[reach:]
    return not text


def _reach(text: str, known: str) -> int:
    """How many characters of the text's beginning stand in the known one, found by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text[:middle] in known else (low, middle - 1)
    return low
