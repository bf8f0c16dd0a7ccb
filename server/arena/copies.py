"""Moves that are nearly an earlier one of somebody else's: a lead for the host, and nothing that counts anywhere.

Two moves are near when they are the same words after one word is taken out of each, or none: a word added, left out,
replaced or misspelt. Case and punctuation do not matter. A few words are no copy: people come upon them by themselves.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.db.models import Play, Player, Round, Submission

LATEST = 1_000  # moves of a competition that are compared
FEWEST = 4  # words
MOST = 30  # words of a move that are compared
_WORD = re.compile(r"\w+")
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """The move that came first."""

    submission: str
    player: str


def of_competition(session: Session, competition_id: str) -> dict[str, Original]:
    """Of the latest submissions, which are near to an earlier one of the round by somebody else, and to which."""
    query = (
        select(Submission.id, Submission.round_id, Submission.seat, Play.moves, Player.id.label("player"), Player.name)
        .join(Play, Play.id == Submission.play_id)
        .join(Player, Player.id == Submission.player_id)
        .join(Round, Round.id == Submission.round_id)
        .where(Round.competition_id == competition_id, Round.archived_at.is_(None), Submission.practice.is_(False))
        .order_by(Submission.number.desc())
        .limit(LATEST)
    )
    seen: dict[tuple[str, Words], dict[str, Original]] = {}
    found: dict[str, Original] = {}
    for row in reversed(session.execute(query).all()):
        for key in _keys(words(row.moves, row.seat)):
            by_player = seen.setdefault((row.round_id, key), {})
            others = (original for player, original in by_player.items() if player != row.player)
            if (first := next(others, None)) is not None:
                found.setdefault(row.id, first)
            by_player.setdefault(row.player, Original(row.id, row.name))
    return found


def words(moves: Sequence[Mapping[str, Any]], seat: str) -> Words:
    """What a seat said, as it is compared."""
    text = " ".join(move["text"] for move in moves if move["seat"] == seat)
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))[:MOST]


def _keys(said: Words) -> Iterator[Words]:
    """The words, and the words without each one of them."""
    if len(said) >= FEWEST:
        yield said
        yield from {said[:i] + said[i + 1 :] for i in range(len(said))}
