"""Moments as people type them: a time on their own clock, whose zone the page's script names; without it UTC."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from games.sentences import say
from server.errors import invalid

_TYPED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")


def moment(form: Mapping[str, str], field: str) -> datetime | None:
    """The moment in a field of a form, None where it is empty. Raises `RequestError` (422) for what is none there."""
    text = form.get(field, "").strip()
    if not text:
        return None
    zone = _zone(form.get("zone") or "UTC")
    try:
        if _TYPED.fullmatch(text):
            return _there(datetime.fromisoformat(text), zone, f"/{field}")
    except (ValueError, OverflowError):
        pass  # a 31st of February, a year before the first
    raise invalid(f"/{field}", say("This is no time. Write the day and the hour as in 2026-01-31 14:30."))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # what is no name, what nobody knows, and what is a folder
        raise invalid("/zone", say("The time zone {zone} is not known here.", zone=repr(name[:64]))) from None


def _there(local: datetime, zone: ZoneInfo, pointer: str) -> datetime:
    """That time in that zone, unless clocks there skip it or show it twice on the day on which they change."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != local:
        told = say("Clocks in {zone} skip {time} on that day. Take another hour.", zone=zone.key, time=f"{local:%H:%M}")
        raise invalid(pointer, told)
    if first != second:
        told = say(
            "{time} comes twice on that day in {zone}, where clocks go back. Take a time before or after that hour.",
            zone=zone.key,
            time=f"{local:%H:%M}",
        )
        raise invalid(pointer, told)
    return first


def typed(at: datetime | None) -> str:
    """A moment for a field of a form, in UTC; the page's script puts it into the reader's zone."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def as_shown(said: datetime | None, before: datetime | None) -> datetime | None:
    """What a field says that showed `before` to the minute: that moment itself where it was left as it was."""
    return before if typed(said) == typed(before) else said
