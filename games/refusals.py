"""What a player is told of a condition that failed, in plain English, where the author has said nothing."""

from collections.abc import Mapping
from typing import Any

from games import limits

_LIMITS = {
    "<=": "at most {} allowed",
    "<": "less than {} allowed",
    ">=": "at least {} needed",
    ">": "more than {} needed",
    "==": "exactly {} needed",
    "!=": "anything but {} allowed",
}
_VERBS = {"cost": "It costs", "saving": "It saves", "words": "It has", "tokens": "It has", "characters": "It has"}
_NAMES = {"cost": "bit", "saving": "bit", "bits": "bit", "number": "", "words": "word", "tokens": "token"}


def sentence(event: Mapping[str, Any]) -> str | None:
    """Why the condition of an ``ensure_failed`` did not hold, as JSON has it; None where only its source can tell."""
    why = event.get("why")
    if not why:
        return None
    sign = why["sign"]
    if sign == "spelled":
        return "It must be a number, such as 7 or -2.5."
    if sign == "outside":
        return f"{why['unit'].capitalize()} that are not allowed: {', '.join(map(_quoted, why['outside']))}."
    if sign in ("in", "not in"):
        return f"It must {'not ' if sign == 'not in' else ''}contain {_quoted(why['wanted'])}."
    found, wanted = _shown(why["found"]), _shown(why["wanted"])
    unit = _NAMES.get(why["unit"], why["unit"].removesuffix("s"))
    counted = f"{found} {unit}{'' if found == '1' else 's'}" if unit else found
    return f"{_VERBS.get(why['unit'], 'It is')} {counted}; {_LIMITS[sign].format(wanted)}."


def again(event: Mapping[str, Any]) -> str:
    """What comes after it."""
    if event["failures"] > limits.ENSURE_FAILURES:
        return "That was the last attempt."
    return f"Say it again: attempt {event['failures'] + 1} of {limits.ENSURE_FAILURES + 1}."


def _quoted(text: str) -> str:
    return f"“{text}”" if text.strip() else "a space too many"


def _shown(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.1f}".replace("-", "−")
