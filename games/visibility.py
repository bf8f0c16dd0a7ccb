"""Which of a play's events a seat may see."""

from collections.abc import Sequence

from games.protocol import Event
from games.syntax.names import OMNISCIENT

#: How many known stretches a reward's text may be put together from. Many short ones could spell anything.
STRETCHES = 4


def sees_everything(seats: Sequence[str]) -> bool:
    """Whether every one of these seats sees all registers, and with them the round's passages."""
    return OMNISCIENT.issuperset(seats)


def seen(events: Sequence[Event], seat: str) -> list[Event]:
    """The events as the seat may see them: all of them for one that sees every register, else its own.

    The tokens of a reward spell what was measured. A seat that does not see every register gets them only where it
    has been shown that text, or said it; the bits it always gets.
    """
    if seat in OMNISCIENT:
        return list(events)
    own = [event for event in events if event["seat"] == seat]
    known = [text for event in own for text in _texts(event)]
    return [_without_secrets(event, known) for event in own]


def _texts(event: Event) -> list[str]:
    if event["type"] == "move":
        return [event["text"]]
    values = [each["value"] for each in event["values"]] if event["type"] == "reveal" else []
    lists = [item for value in values if isinstance(value, list) for item in value]
    return [value for value in values if isinstance(value, str)] + lists


def _without_secrets(event: Event, known: Sequence[str]) -> Event:
    if event["type"] != "reward":
        return event
    text = "".join(token["text"] for token in event["tokens"])
    return event if _is_made_of(text, known) else {**event, "tokens": []}


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
