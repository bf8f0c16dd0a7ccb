"""Passages that ship for demos and practice: forty short texts in five kinds, easy to hard.

`load()` reads them all. None of them stands in the pocket judge's training text (tests/games/test_library.py checks
their shape; benchmarks/play.py reports how they play).
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class Kind(StrEnum):
    STORY = "story"
    SCIENCE = "science"
    HISTORY = "history"
    EVERYDAY = "everyday"
    HOW_TO = "how-to"


class Level(StrEnum):
    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to be predicted. `field` holds words of its subject that do not occur in it."""

    id: str
    title: str
    kind: Kind
    level: Level
    source: str
    text: str
    field: tuple[str, ...]


def load() -> tuple[Passage, ...]:
    """All passages, by kind and then from easy to hard."""
    return tuple(_passage(row) for kind in Kind for row in _rows(kind))


def _rows(kind: Kind) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((files(__name__) / f"{kind}.json").read_text(encoding="utf-8"))
    return rows


def _passage(row: dict[str, object]) -> Passage:
    field = row["field"]
    if not isinstance(field, list):
        raise ValueError(f"passage {row['id']}: field is not a list")
    return Passage(
        id=str(row["id"]),
        title=str(row["title"]),
        kind=Kind(str(row["kind"])),
        level=Level(str(row["level"])),
        source=str(row["source"]),
        text=str(row["text"]),
        field=tuple(str(word) for word in field),
    )
