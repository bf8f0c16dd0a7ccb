"""Events of plays as the API tells them."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter

from games.events import from_json, to_json
from games.protocol import Event
from games.visibility import seen, sees_everything
from xentarena.events import Event as PlayEvent

_EVENTS = TypeAdapter(list[PlayEvent])


def told(events: Iterable[Event]) -> list[PlayEvent]:
    return _EVENTS.validate_python(to_json(events))


def of_play(stored: Sequence[dict[str, Any]], seat: str) -> list[PlayEvent]:
    """What the seat may see of a play. Where that is everything the events are as they are stored: to read them and to
    write them again would be most of what a list of submissions takes."""
    return _EVENTS.validate_python(stored) if sees_everything([seat]) else told(seen(from_json(stored), seat))
