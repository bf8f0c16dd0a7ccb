"""Plays as the API tells them."""

import json
from typing import Any

from pydantic import TypeAdapter

from games.events import from_json, to_json
from games.visibility import seen
from server.api import play_events
from tests.support.games import GOLDEN
from xentarena.events import Event

#: From before there were terms, labels, words for a condition, and why it failed.
OLD: list[dict[str, Any]] = [
    {"type": "reward", "line": 3, "seat": "black", "bits": 1.5, "tokens": [{"text": "sea", "bits": 1.5}]},
    {
        "type": "ensure_failed",
        "line": 2,
        "seat": "black",
        "condition": "x in s",
        "left": ["a"],
        "right": None,
        "failures": 1,
    },
]


def test_events_are_told_alike_whether_as_they_are_stored_or_read_and_written_again() -> None:
    stored = [json.loads(each.read_text(encoding="utf-8"))["events"] for each in sorted(GOLDEN.glob("*.json"))]
    assert len(stored) > 20
    told = TypeAdapter(list[Event])
    for events in (*stored, OLD):
        for seat in ("black", "white", "env", "alice", "bob"):
            assert play_events.of_play(events, seat) == told.validate_python(to_json(seen(from_json(events), seat)))
