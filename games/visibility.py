"""Which of a play's events a seat may see, and how much of each: the one place that decides it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from games.protocol import Event, MoveMade, Reveal, Reward, Shown, ShownBits
from games.syntax.names import OMNISCIENT
from games.values.bits import TokenBits

#: How many known texts a text may be put together from, and how short all but the last may be: many short ones could
#: spell anything.
PIECES, SHORTEST = 4, 8
#: How many of them are tried, the longest first, so that no play makes its views slow.
TRIED = 256


def sees_everything(seats: Sequence[str]) -> bool:
    """Whether every one of these seats sees all registers, and with them the round's passages."""
    return OMNISCIENT.issuperset(seats)


def seen(events: Sequence[Event], seat: str) -> list[Event]:
    """The events as the seat may see them: all of them for one that sees every register, else its own.

    Bits are seen always. The tokens they belong to spell what was measured: a seat that does not see every register
    gets them only where it has been shown that very text, or said it, white space apart; or where it is a few such
    texts in a row. The terms of a reward it gets only where that goes for all texts and prefixes in them.
    """
    if seat in OMNISCIENT:
        return list(events)
    own = [event for event in events if event.seat == seat]
    known = _known(text for event in own for text in _texts(event))
    return [_without_secrets(event, known) for event in own]


@dataclass(slots=True)
class _Known:
    """What a seat has been shown or has said. whole: every text. long: those that may begin another. found: what was
    looked at already, and whether it is known."""

    whole: frozenset[str]
    long: Sequence[str]
    found: dict[str, bool]

    def has(self, text: str) -> bool:
        if text not in self.found:
            self.found[text] = self._is_made_of(_plain(text))
        return self.found[text]

    def _is_made_of(self, text: str) -> bool:
        for _ in range(PIECES):
            if text in self.whole:
                return True
            piece = next((each for each in self.long if text.startswith(each)), None)
            if piece is None:
                return False
            text = text[len(piece) :].lstrip()
        return False

    def spells(self, tokens: Sequence[TokenBits]) -> bool:
        return self.has("".join([token.text for token in tokens]))


def _known(texts: Iterable[str]) -> _Known:
    whole = {"", *map(_plain, texts)}
    longest = sorted((text for text in whole if len(text) >= SHORTEST), key=lambda text: (-len(text), text))
    return _Known(frozenset(whole), longest[:TRIED], {})


def _plain(text: str) -> str:
    """Games put spaces between texts, which make no other text of it."""
    return " ".join(text.split())


def _texts(event: Event) -> list[str]:
    if isinstance(event, MoveMade):
        return [event.text]
    values = [each.value for each in event.values] if isinstance(event, Reveal) else []
    lists = [item for value in values if isinstance(value, tuple) for item in value]
    return [value for value in values if isinstance(value, str)] + lists


def _without_secrets(event: Event, known: _Known) -> Event:
    if isinstance(event, Reveal):
        return replace(event, values=tuple([_shown(each, known) for each in event.values]))
    if not isinstance(event, Reward):
        return event
    read = [text for term in event.terms for text in (term.text, term.prefix_before or "", term.prefix_after)]
    if not known.spells(event.tokens):
        return replace(event, tokens=(), terms=())
    return event if all(map(known.has, read)) else replace(event, terms=())


def _shown(shown: Shown, known: _Known) -> Shown:
    value = shown.value
    if isinstance(value, ShownBits) and not known.spells(value.tokens):
        return replace(shown, value=replace(value, tokens=()))
    return shown
