"""What happened in a play, as its pages tell it: what was shown, said, refused and earned, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from games import refusals
from games.events import to_json
from games.preview import Preview
from server.web.i18n import _, gettext, translated
from server.web.rendering import shown_bits
from server.web.words import seat_name


@dataclass(frozen=True, slots=True)
class Turn:
    """kind: the event's type; `said` for a failed condition in words. who: the seat it is about, in words; None for
    whoever reads it. texts: what was shown or said. note: what else."""

    kind: str
    who: str | None
    mine: bool
    texts: Sequence[str]
    note: str | None = None


def told(events: Sequence[Mapping[str, Any]], seat: str, names: Mapping[str, str], *, own: bool = True) -> list[Turn]:
    """The turns of a play as `seat` saw them. names: seat → the name of its player. own: for whoever plays it.

    `events` are those that the seat may see. What others were shown or earned is left out: it says nothing new.
    """
    turns: list[Turn] = []
    for event in events:
        mine = event["seat"] == seat
        who = None if mine and own else f"{seat_name(event['seat'])}{_named(names.get(event['seat']))}"
        turn = _turn(event, who, mine)
        if turn is not None and turn not in turns[-1:]:
            turns.append(turn)
    return turns


def _named(name: str | None) -> str:
    return f" ({name})" if name else ""


def _turn(event: Mapping[str, Any], who: str | None, mine: bool) -> Turn | None:
    match event["type"]:
        case "reveal" if mine:
            return Turn("reveal", who, mine, [_words(each["value"]).strip() for each in event["values"]])
        case "move":
            return Turn("move", who, mine, [event["text"]], _("The end was over the limit.") if event["cut"] else None)
        case "ensure_failed":
            said = _said(event)
            return Turn("said" if said else "ensure_failed", who, mine, [said or event["condition"]], _refusal(event))
        case "reward" if mine:
            return Turn("reward", who, mine, [], _bits(event["bits"], sign=True))
    return None


def refusals_of(preview: Preview) -> list[str]:
    """What would be said of the conditions that fail, each once."""
    failed = [event for event in to_json(preview.events) if event["type"] == "ensure_failed"]
    said = [_said(event) or _("This must hold: {condition}", condition=event["condition"]) for event in failed]
    return list(dict.fromkeys(said))


def _said(event: Mapping[str, Any]) -> str | None:
    """What the author says of a condition that failed, or what can be said without; None where that is nothing."""
    if event.get("say"):
        return gettext(event["say"])
    sentence = refusals.sentence(event)
    return sentence and translated(sentence)


def _bits(bits: float, *, sign: bool = False) -> str:
    return _("{number} bits", number=shown_bits(bits, sign=sign))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return _bits(value["bits"])
    if isinstance(value, list):
        return "\n".join(f"• {item}" for item in value)
    return str(value)


def _refusal(event: Mapping[str, Any]) -> str:
    told = [translated(refusals.again(event))]
    if _said(event) is None:
        sides = [_words({"bits": side} if isinstance(side, float) else side) for side in _sides(event)]
        measured = [_("{one} on the left, {other} on the right.", one=sides[0], other=sides[1])] if sides else []
        told = [_("This does not hold."), *measured, *told]
    return " ".join(told)


def _sides(event: Mapping[str, Any]) -> list[Any]:
    return [] if event["left"] is None or event["right"] is None else [event["left"], event["right"]]
