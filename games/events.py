"""Events as JSON, as they are stored and sent, and back.

An object has the event's "type" and its fields; tuples are lists, tokens and terms objects.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from games.protocol import Ask, EnsureFailed, Event, MoveMade, Reveal, Reward, Shown, ShownBits, Term, Why
from games.values.bits import TermToken, TokenBits

Json = dict[str, Any]


def to_json(events: Iterable[Event]) -> list[Json]:
    """The events as JSON values."""
    return [{"type": event.type, **_fields(event)} for event in events]


def _fields(value: Any) -> Json:
    return {name: _plain(getattr(value, name)) for name in value.__match_args__}


def _plain(value: Any) -> Any:
    as_json = _AS_JSON.get(type(value))
    return value if as_json is None else as_json(value)


def _token(value: TokenBits) -> Json:
    text, bits = value
    return {"text": text, "bits": bits}


def _term_token(value: TermToken) -> Json:
    text, before, after, bits = value
    return {"text": text, "before": before, "after": after, "bits": bits}


#: By type, since a play has hundreds of tokens and each is asked for.
_AS_JSON: dict[type, Callable[[Any], Any]] = {
    TokenBits: _token,
    TermToken: _term_token,
    tuple: lambda value: [_plain(each) for each in value],
    Shown: _fields,
    ShownBits: _fields,
    Term: _fields,
    Why: _fields,
}


def from_json(events: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
    """The events that ``to_json`` made these of. Those from before there were terms, labels and words have none.

    Raises KeyError for another type, TypeError for other fields.
    """
    return tuple([_READERS[each["type"]]({k: v for k, v in each.items() if k != "type"}) for each in events])


def _reveal(given: Json) -> Reveal:
    values = [Shown(each["register"], _value(each["value"])) for each in given["values"]]
    return Reveal(**{**given, "values": tuple(values)})


def _value(value: Any) -> Any:
    return ShownBits(value["bits"], _tokens(value["tokens"])) if isinstance(value, dict) else _side(value)


def _side(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _failed(given: Json) -> EnsureFailed:
    why = given.get("why")
    told = Why(**{**why, "outside": tuple(why["outside"])}) if why else None
    return EnsureFailed(**{**given, "left": _side(given["left"]), "right": _side(given["right"]), "why": told})


def _reward(given: Json) -> Reward:
    terms = tuple([_term(each) for each in given.get("terms", ())])
    return Reward(**{**given, "tokens": _tokens(given["tokens"]), "terms": terms})


def _term(given: Json) -> Term:
    return Term(**{**given, "tokens": tuple([TermToken(**each) for each in given["tokens"]])})


def _tokens(given: Sequence[Json]) -> tuple[TokenBits, ...]:
    return tuple([TokenBits(**each) for each in given])


_READERS: dict[str, Callable[[Json], Event]] = {
    Ask.type: lambda given: Ask(**given),
    MoveMade.type: lambda given: MoveMade(**given),
    Reveal.type: _reveal,
    EnsureFailed.type: _failed,
    Reward.type: _reward,
}
