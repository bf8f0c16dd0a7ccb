"""Where a score came from: the tokens of a reward, and what each of them cost before and after the player's words.

A reward says what each token gave, and its terms what was measured. Where it is what a prefix saved (xed), or cost
(dex), a page can show both sides.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from math import isclose

from sqlalchemy.orm import Session

from games.engine import advance
from games.events import from_json
from games.protocol import Event, Log, Move, NeedBits, Reward, Term
from games.values.bits import TokenBits
from games.visibility import seen
from server.arena import measurements
from server.arena.round_setup import RoundSetup
from server.db.models import Play
from server.web.i18n import _, gettext

NAME = 32  # characters of a text that stand for it
STEPS = (0.05, 0.5, 1.5, 3.0)  # bits at which the tint of a token grows stronger


@dataclass(frozen=True, slots=True)
class Piece:
    """A token; or several, where they make one character together. alone, after: its bits without and with a prefix."""

    text: str
    bits: float
    alone: float | None = None
    after: float | None = None

    @property
    def space(self) -> str:
        """The white space that the token begins with, where there is more to it."""
        return self.text[: len(self.text) - len(self.body)]

    @property
    def body(self) -> str:
        return self.text.lstrip() or self.text

    def step(self, steps: Sequence[float]) -> int:
        """How many of these bits it reaches."""
        return sum(abs(self.bits) >= each for each in steps)

    @property
    def strength(self) -> str:
        """How much it gave or cost, as the name of a style."""
        step = self.step(STEPS)
        return f"{'gain' if self.bits > 0 else 'loss'}-{step}" if step else "even"


@dataclass(frozen=True, slots=True)
class Part:
    """One reward of a play. frame, prefix: what the judge read before the text at first, and then. helped: is that the
    same without the player's words and with them?"""

    title: str
    bits: float
    pieces: Sequence[Piece]
    frame: str = ""
    prefix: str | None = None
    alone: float | None = None
    after: float | None = None
    helped: bool = False


@dataclass(frozen=True, slots=True)
class Sides:
    """The two measurements of one text: what stood before it, and bits per token."""

    frame: str
    prefix: str
    alone: Sequence[float]
    after: Sequence[float]

    @property
    def added(self) -> str:
        """What stands in the prefix more than in the frame; empty where they are two different texts."""
        pairs = zip(self.frame, self.prefix, strict=False)
        start = next((i for i, (one, other) in enumerate(pairs) if one != other), len(self.frame))
        end = self.frame[start:]
        return self.prefix[start : len(self.prefix) - len(end)] if self.prefix.endswith(end) else ""


def parts(session: Session, setup: RoundSetup, play: Play, seat: str, *, own: bool = True) -> list[Part]:
    """The rewards of a seat, in the order they were given. own: for whoever plays it."""
    moves = [move["text"] for move in play.moves if move["seat"] == seat]
    titles, words = _titles(setup.setup.passages, moves, own), _words(" ".join(moves))
    events = seen(_events(session, setup, play), seat)
    rewards = [event for event in events if isinstance(event, Reward) and event.seat == seat]
    return [_part(each, titles, words) for reward in rewards for each in _by_text(reward, titles)]


def _by_text(reward: Reward, titles: Mapping[str, str]) -> list[Reward]:
    """A reward of several texts, text by text: side by side as one they would be read as one."""
    groups: dict[tuple[str, str], list[Term]] = {}
    for term in reward.terms:
        groups.setdefault((term.text, term.judge), []).append(term)
    if len(groups) < 2 or not isclose(sum(map(_worth, reward.terms)), reward.bits, abs_tol=1e-6):
        return [reward]  # a number came in by min or max, which belongs to no text
    return [_of_text(reward, text, terms, titles) for (text, _), terms in groups.items()]


def _worth(term: Term) -> float:
    return term.factor * sum(token.bits for token in term.tokens)


def _of_text(reward: Reward, text: str, terms: Sequence[Term], titles: Mapping[str, str]) -> Reward:
    tokens = tuple(
        TokenBits(each[0].text, sum(term.factor * token.bits for term, token in zip(terms, each, strict=True)))
        for each in zip(*[term.tokens for term in terms], strict=True)
    )
    named = titles.get(_plain(text)) or _("“{text}”", text=shortened(text))
    bits = sum(token.bits for token in tokens)
    if len(terms) == 1 and terms[0].function in ("xent", "nex"):
        named = _("{text}, what it costs", text=named) if bits >= 0 else _("{text}, less what it costs", text=named)
    label = _("{label}: {text}", label=gettext(reward.label), text=named) if reward.label else named
    return replace(reward, bits=bits, tokens=tokens, terms=tuple(terms), label=label)


def shortened(text: str) -> str:
    """What a text is called where it has no name."""
    plain = _plain(text)
    return plain if len(plain) <= NAME else f"{plain[:NAME].rsplit(' ', 1)[0]} …"


def _part(reward: Reward, titles: Mapping[str, str], words: Set[str]) -> Part:
    measured = _plain("".join(token.text for token in reward.tokens))
    title = gettext(reward.label or "") or titles.get(measured, _("Measured text"))
    sides = _sides(reward)
    if sides is None:
        return Part(title, reward.bits, pieces(reward.tokens))
    pairs = list(zip(sides.alone, sides.after, strict=True))
    shown, helped = pieces(reward.tokens, pairs), not words.isdisjoint(_words(sides.added))
    return Part(title, reward.bits, shown, sides.frame, sides.prefix, sum(sides.alone), sum(sides.after), helped)


def _titles(passages: Sequence[str], moves: Sequence[str], own: bool) -> dict[str, str]:
    """What to call a text that is measured."""
    named = {_("The passage"): passages[0]} if len(passages) == 1 else {}
    named |= {_("Passage {number}", number=i): text for i, text in enumerate(passages, 1) if len(passages) > 1}
    if len(moves) == 1:
        named |= {_("Your words") if own else _("The player's words"): moves[0]}
    else:
        named |= {_move_title(i, own): text for i, text in enumerate(moves, 1)}
    return {_plain(text): title for title, text in reversed(named.items())}


def _move_title(number: int, own: bool) -> str:
    return _("Your move {number}", number=number) if own else _("The player's move {number}", number=number)


def _words(text: str) -> Set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _plain(text: str) -> str:
    """Games put spaces between texts, which make no other text of it."""
    return " ".join(text.split())


def pieces(
    tokens: Sequence[TokenBits], sides: Sequence[tuple[float | None, float | None]] | None = None
) -> list[Piece]:
    """The tokens, those inside a character joined with the one that completes it (they come with no text before it)."""
    made: list[Piece] = []
    waiting: Piece | None = None
    for token, (alone, after) in zip(tokens, sides or [(None, None)] * len(tokens), strict=True):
        piece = Piece(token.text, token.bits, alone, after)
        piece = piece if waiting is None else _joined(waiting, piece)
        waiting = None if piece.text else piece
        if piece.text:
            made.append(piece)
    return made if waiting is None else [*made, waiting]


def _joined(one: Piece, other: Piece) -> Piece:
    def add(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a + b

    bits, alone, after = one.bits + other.bits, add(one.alone, other.alone), add(one.after, other.after)
    return Piece(one.text + other.text, bits, alone, after)


def _sides(reward: Reward) -> Sides | None:
    """The two measurements that the reward is the difference of, if it is one."""
    match reward.terms:
        case [Term(prefix_before="", factor=1.0 | -1.0) as one]:
            return Sides("", one.prefix_after, [token.before or 0.0 for token in one.tokens], _after(one))
        case [Term(function="xent", factor=1.0 | -1.0) as one, Term(function="xent") as other]:
            # A frame with nothing in it is shorter than with somebody's words.
            alone, behind = sorted((one, other), key=lambda term: len(term.prefix_after))
            same = (one.text, one.judge, one.factor) == (other.text, other.judge, -other.factor)
            if same and alone.prefix_after != behind.prefix_after and len(one.tokens) == len(other.tokens):
                return Sides(alone.prefix_after, behind.prefix_after, _after(alone), _after(behind))
    return None


def _after(term: Term) -> list[float]:
    return [token.after for token in term.tokens]


def _events(session: Session, setup: RoundSetup, play: Play) -> tuple[Event, ...]:
    """The play's events. Those stored before rewards said what they were made from come of a replay on the rows."""
    if all("terms" in event for event in play.events if event["type"] == "reward"):
        return from_json(play.events)
    moves = tuple(Move(move["seat"], move["text"]) for move in play.moves)
    known = partial(measurements.known, session, setup.identities)
    effect, _ = advance(setup.program, setup.setup, Log(moves), known)
    return from_json(play.events) if isinstance(effect, NeedBits) else effect.events
