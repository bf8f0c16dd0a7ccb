"""What became of a player's words: which were read, which were taken out, which were too many."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from games.events import to_json
from games.preview import Preview

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Said:
    """A move. kept: (text, whether it was left in), in order. beyond: what the limit cut off.

    read: what the game showed of the move afterwards; None where it showed nothing.
    """

    sent: str
    kept: Sequence[tuple[str, bool]]
    beyond: str
    read: str | None

    @property
    def whole(self) -> bool:
        return not self.beyond and all(left for _, left in self.kept)


def said(moves: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]], seat: str) -> list[Said]:
    """The moves of a seat, from the play's log and its events."""
    sent = [move["text"] for move in moves if move["seat"] == seat]
    told = list(_told(events, seat))
    return [_said(text, *(told[i] if i < len(told) else (text, None))) for i, text in enumerate(sent)]


def previewed(move: str, preview: Preview) -> Said:
    """What would become of a move that is not made yet."""
    shown = [each for each in to_json(preview.events) if each["type"] == "reveal"]
    return _said(move, preview.kept, _first_text(shown[0]) if shown else None)


def _told(events: Sequence[Mapping[str, Any]], seat: str) -> Iterator[tuple[str, str | None]]:
    """For each move: what the limit left of it, and the first text that was shown after it."""
    own = [event for event in events if event["seat"] == seat]
    for place, event in enumerate(own):
        if event["type"] == "move":
            following = next((each for each in own[place + 1 :] if each["type"] in ("reveal", "ask")), None)
            yield event["text"], _first_text(following)


def _first_text(event: Mapping[str, Any] | None) -> str | None:
    values = [each["value"] for each in event["values"]] if event and event["type"] == "reveal" else []
    return values[0] if values and isinstance(values[0], str) else None


def _said(sent: str, cut: str, read: str | None) -> Said:
    beyond = sent[len(cut) :] if sent.startswith(cut) else ""
    return Said(sent, _compared(cut, read), beyond, read)


def _compared(sent: str, read: str | None) -> list[tuple[str, bool]]:
    """The move in pieces that were left in or taken out; in one piece where the game did more than take out."""
    if read is None:
        return [(sent, True)]
    left = [word for word in _WORDS.findall(read) if not word.isspace()][::-1]
    pieces: list[tuple[str, bool]] = []
    for word in _WORDS.findall(sent):
        kept = word.isspace() or (bool(left) and left[-1] == word)
        if kept and not word.isspace():
            left.pop()
        before = pieces.pop()[0] if pieces and pieces[-1][1] is kept else ""
        pieces.append((before + word, kept))
    return [(sent, True)] if left else pieces
