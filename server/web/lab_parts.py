"""The parts of a text that a judge could not foresee, as the lab's page draws them on it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from games.sentences import say
from judge.reading import Reading
from judge.unforeseen import Parts, Rule, Span, parts
from server.errors import invalid
from server.web.score_breakdown import Piece

MOST_BITS = 100


@dataclass(frozen=True, slots=True)
class Spike:
    """What a border is; bits: None for pieces of a usual length."""

    rule: Rule = "above"
    bits: float | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A token of the text, or several where they make one character together. number: of the last of them. begins: a
    border stands before it. surprising, explained: it is in a span of these."""

    number: int
    piece: Piece
    begins: bool
    surprising: bool
    explained: bool


@dataclass(frozen=True, slots=True)
class PartsShown:
    """What the judge could not foresee, and how it is drawn on the text."""

    found: Parts
    stretches: Sequence[Stretch]


def spike(rule: str, bits: str) -> Spike:
    """What an address asks for. Raises `RequestError`."""
    try:
        number = float(bits) if bits.strip() else None
    except ValueError:
        number = math.nan
    if number is not None and not -MOST_BITS <= number <= MOST_BITS:
        raise invalid("/bits", say("Say the bits of a border as a number from -{most} to {most}.", most=MOST_BITS))
    return Spike("rise" if rule == "rise" else "above", number)


def shown(read: Reading, alone: Reading | None, direction: str, asked: Spike) -> PartsShown:
    found = parts(read, alone, direction=direction, rule=asked.rule, threshold=asked.bits)
    return PartsShown(found, list(_stretches(read, found)))


def _stretches(read: Reading, found: Parts) -> Iterator[Stretch]:
    borders, surprising, explained = set(found.borders), _within(found.surprising), _within(found.explained or ())
    first = 0
    for place, token in enumerate(read.tokens):
        if token.text:  # what ends inside a character comes with no text
            mine = set(range(first, place + 1))
            marks = [bool(mine & each) for each in (borders, surprising, explained)]
            yield Stretch(place + 1, Piece(token.text, token.bits), *marks)
            first = place + 1


def _within(spans: Sequence[Span]) -> set[int]:
    return {place for span in spans for place in range(span.start, span.end)}
