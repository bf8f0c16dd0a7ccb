"""What a player is told of a condition that failed, in plain words, where the author has said nothing."""

from collections.abc import Mapping
from typing import Any

from games import limits
from games.sentences import Sentence, say


def sentence(event: Mapping[str, Any]) -> Sentence | None:
    """Why the condition of an ``ensure_failed`` did not hold, as JSON has it; None where only its source can tell."""
    why = event.get("why")
    if not why:
        return None
    match why["sign"]:
        case "spelled":
            return say("It must be a number, such as 7 or -2.5.")
        case "outside" if why["unit"] == "words":
            return say("Words that are not allowed: {list}.", list=_listed(why))
        case "outside":
            return say("Characters that are not allowed: {list}.", list=_listed(why))
        case "in":
            return say("It must contain {text}.", text=_quoted(why["wanted"]))
        case "not in":
            return say("It must not contain {text}.", text=_quoted(why["wanted"]))
    found = _found(why["unit"], why["found"])
    return say("{found}; {wanted}.", found=found, wanted=_wanted(why["sign"], _shown(why["wanted"])))


def again(event: Mapping[str, Any]) -> Sentence:
    """What comes after it."""
    if event["failures"] > limits.ENSURE_FAILURES:
        return say("That was the last attempt.")
    number, most = event["failures"] + 1, limits.ENSURE_FAILURES + 1
    return say("Say it again: attempt {number} of {most}.", number=number, most=most)


def _found(unit: str, number: float) -> Sentence:
    shown = {"shown": _shown(number), "count": number}
    match unit:
        case "cost":
            return say("It costs {shown} bits", **shown)
        case "saving":
            return say("It saves {shown} bits", **shown)
        case "bits":
            return say("It is {shown} bits", **shown)
        case "words":
            return say("It has {shown} word", "It has {shown} words", **shown)
        case "tokens":
            return say("It has {shown} token", "It has {shown} tokens", **shown)
        case "characters":
            return say("It has {shown} character", "It has {shown} characters", **shown)
        case "items":
            return say("It is {shown} item", "It is {shown} items", **shown)
    return say("It is {shown}", **shown)


def _wanted(sign: str, shown: str) -> Sentence:
    match sign:
        case "<=":
            return say("at most {number} allowed", number=shown)
        case "<":
            return say("less than {number} allowed", number=shown)
        case ">=":
            return say("at least {number} needed", number=shown)
        case ">":
            return say("more than {number} needed", number=shown)
        case "==":
            return say("exactly {number} needed", number=shown)
    return say("anything but {number} allowed", number=shown)


def _listed(why: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(_quoted, why["outside"]))


def _quoted(text: str) -> str:
    return f"“{text}”" if text.strip() else say("a space too many")


def _shown(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.1f}".replace("-", "−")
