"""Where a score came from: the tokens of a reward, and what each of them cost before and after the player's words.

A reward says what each token gave. Where it is what a prefix saved (xed), or cost (dex), the two measurements that it
is the difference of are looked up, so that a page can show both sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import isclose
from typing import Any

from sqlalchemy.orm import Session

from games.engine import replay
from games.protocol import Log, Measurement, Move, NeedBits
from games.syntax.names import OMNISCIENT
from games.visibility import seen
from server.arena import measurements
from server.arena.measurements import Question
from server.arena.round_setup import RoundSetup
from server.db.models import Measurement as Row
from server.db.models import Play, WorkState

STEPS = (0.05, 0.5, 1.5, 3.0)  # bits at which the tint of a token grows stronger


@dataclass(frozen=True, slots=True)
class Piece:
    """A token; or several, where they make one character together. alone, after: its bits without and with a prefix."""

    text: str
    bits: float
    alone: float | None = None
    after: float | None = None
    tokens: int = 1

    @property
    def space(self) -> str:
        """The white space that the token begins with, where there is more to it."""
        return self.text[: len(self.text) - len(self.body)]

    @property
    def body(self) -> str:
        return self.text.lstrip() or self.text

    @property
    def strength(self) -> str:
        """How much it gave or cost, as the name of a style."""
        step = sum(abs(self.bits) >= each for each in STEPS)
        return f"{'gain' if self.bits > 0 else 'loss'}-{step}" if step else "even"


@dataclass(frozen=True, slots=True)
class Part:
    """One reward of a play."""

    title: str
    bits: float
    pieces: Sequence[Piece]
    prefix: str | None = None
    alone: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """The two measurements of one text: bits per token."""

    prefix: str
    alone: Sequence[float]
    after: Sequence[float]


def parts(session: Session, setup: RoundSetup, play: Play, seat: str) -> list[Part]:
    """The rewards of a seat, in the order they were given; with the prefix of each for a seat that sees everything."""
    rewards = [event for event in seen(play.events, seat) if event["type"] == "reward" and event["seat"] == seat]
    known = _known(session, setup, play) if rewards and seat in OMNISCIENT else {}
    return [_part(reward, known, setup.setup.passages) for reward in rewards]


def _part(reward: Mapping[str, Any], known: Mapping[Measurement, Sequence[float]], passages: Sequence[str]) -> Part:
    tokens = reward["tokens"]
    text = "".join(token["text"] for token in tokens)
    sides = _sides(text, [token["bits"] for token in tokens], known)
    title = _title(text, passages)
    if sides is None:
        return Part(title, reward["bits"], pieces(tokens))
    pairs = list(zip(sides.alone, sides.after, strict=True))
    return Part(title, reward["bits"], pieces(tokens, pairs), sides.prefix, sum(sides.alone), sum(sides.after))


def _title(text: str, passages: Sequence[str]) -> str:
    if text not in passages:
        return "Measured text"
    return f"Passage {passages.index(text) + 1}" if len(passages) > 1 else "The passage"


def pieces(
    tokens: Sequence[Mapping[str, Any]], sides: Sequence[tuple[float | None, float | None]] | None = None
) -> list[Piece]:
    """The tokens, those inside a character joined with the one that completes it (they come with no text before it)."""
    made: list[Piece] = []
    waiting: Piece | None = None
    for token, (alone, after) in zip(tokens, sides or [(None, None)] * len(tokens), strict=True):
        piece = Piece(token["text"], token["bits"], alone, after)
        piece = piece if waiting is None else _joined(waiting, piece)
        waiting = None if piece.text else piece
        if piece.text:
            made.append(piece)
    return made if waiting is None else [*made, waiting]


def _joined(one: Piece, other: Piece) -> Piece:
    def add(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a + b

    bits, alone, after = one.bits + other.bits, add(one.alone, other.alone), add(one.after, other.after)
    return Piece(one.text + other.text, bits, alone, after, one.tokens + other.tokens)


def _sides(text: str, bits: Sequence[float], known: Mapping[Measurement, Sequence[float]]) -> Sides | None:
    """The measurements that these bits are the difference of, if they are one."""
    of_text = [(asked, values) for asked, values in known.items() if asked.text == text and len(values) == len(bits)]
    without = [each for each in of_text if not each[0].prefix]
    behind = [each for each in of_text if each[0].prefix]
    for (asked, alone), (other, after) in product(without, behind):
        saved = [a - b for a, b in zip(alone, after, strict=True)]
        same_judge = (asked.judge, asked.profile) == (other.judge, other.profile)
        if same_judge and (_same(saved, bits) or _same([-each for each in saved], bits)):
            return Sides(other.prefix, alone, after)
    return None


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(isclose(a, b, rel_tol=0, abs_tol=1e-6) for a, b in zip(one, other, strict=True))


def _known(session: Session, setup: RoundSetup, play: Play) -> dict[Measurement, Sequence[float]]:
    """Everything that was measured for a play, by replaying it on the rows."""
    moves = tuple(Move(move["seat"], move["text"]) for move in play.moves)
    known: dict[Measurement, Sequence[float]] = {}
    while True:
        effect = replay(setup.program, setup.setup, Log(moves, known))
        if not isinstance(effect, NeedBits):
            return known
        for asked in effect.measurements:
            question = Question(setup.identities[asked.judge], asked.profile, asked.prefix, asked.text)
            row = session.get(Row, question.key)
            if row is None or row.state != WorkState.KNOWN:
                return known
            known[asked] = measurements.bits(row)
