"""The passage before the first move, as a map of the judge's surprise: what a hint is there to bring down."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from games.preflight import bases
from games.protocol import MAIN
from games.values.bits import TokenBits
from judge.profiles import scored_tokens
from server.arena import measurements
from server.arena.round_setup import RoundSetup
from server.web.score_breakdown import Piece, pieces

STEPS = (1.0, 3.0, 6.0, 10.0)  # bits at which a token's tint grows stronger


@dataclass(frozen=True, slots=True)
class Mapped:
    """A passage. pieces: its tokens and what each costs; empty where that may not be shown, or is not known yet.

    awaited: it is not known yet.
    """

    text: str
    bits: float
    pieces: Sequence[Piece]
    awaited: bool
    steps: Sequence[float] = STEPS


def mapped(session: Session, setup: RoundSetup, passages: Sequence[str]) -> list[Mapped]:
    """The passages that a player may see, each with its map where the game measures it with and without their words."""
    asked = [each for each in bases(setup.program, setup.setup) if each.text in passages] if passages else []
    known = measurements.known(session, setup.identities, asked)
    ends, direction = setup.setup.judges[MAIN].ends, setup.setup.judges[MAIN].direction
    maps: dict[str, list[TokenBits]] = {}
    for question, bits in known.items():
        spelled = [question.text[i:j] for i, j in zip((0, *ends(question.text)), ends(question.text), strict=False)]
        costs = [0.0] * len(spelled)  # of a token that the profile leaves out, nothing is known
        costs[scored_tokens(len(spelled), question.profile, direction)] = bits
        maps[question.text] = [TokenBits(text, value) for text, value in zip(spelled, costs, strict=True)]
    awaited = {question.text for question in asked} - maps.keys()
    return [_mapped(text, maps.get(text, []), text in awaited) for text in passages]


def _mapped(text: str, tokens: Sequence[TokenBits], awaited: bool) -> Mapped:
    return Mapped(text, sum(token.bits for token in tokens), pieces(tokens), awaited)
