"""What commands show to people."""

from collections.abc import Iterator
from typing import Any

from games import refusals
from games.events import to_json
from games.protocol import NeedMove
from games.sentences import counted

BAR = 40  # characters of the widest bar


def of_measurement(found: dict[str, Any]) -> str:
    lines = list(_tokens(found["tokens"]))
    return "\n".join([*lines, f"{found['bits']:10.3f}  bits in {counted(len(lines), 'token')}, by {found['judge']}"])


def of_play(outcome: dict[str, Any]) -> str:
    return "\n".join([line for event in outcome["events"] for line in _event(event)] + list(_end(outcome)))


def before_a_move(need: NeedMove, told: int) -> Iterator[str]:
    """What happened before a move, but for the events told already, and what is asked for."""
    for event in to_json(need.events[told:]):
        yield from _event(event)
    for register, value in need.registers.items():
        yield f"{need.seat} sees {register} = {value!r}"
    yield f"{need.seat} is to say {need.register}, at most {counted(need.limit, 'token')}; an empty line is a move too"


def of_transfer(told: dict[str, Any]) -> str:
    size = f"{told['bytes'] / 1e6:,.1f} MB"
    return f"{told['file']}: {told['rows']:,} rows of {len(told['tables'])} tables, {size}, in {told['seconds']:.1f} s"


def _event(event: dict[str, Any]) -> Iterator[str]:
    seat = event.get("seat", "")
    match event["type"]:
        case "move":
            yield f"{seat} says {event['text']!r}{' (cut)' if event['cut'] else ''}"
        case "reveal":
            for value in event["values"]:
                shown = value["value"]
                shown = f"{shown['bits']:.3f} bits" if isinstance(shown, dict) else repr(shown)
                yield f"{seat} is shown {value['register'] + ' = ' if value['register'] else ''}{shown}"
        case "ensure_failed":
            said = event.get("say") or refusals.sentence(event) or event["condition"]
            yield f"{seat} is refused: {said} {refusals.again(event)}"
        case "reward":
            label = f" for {event['label']}" if event.get("label") else ""
            yield f"{seat} gets {event['bits']:.3f} bits{label}:"
            yield from _tokens(event["tokens"])


def _end(outcome: dict[str, Any]) -> Iterator[str]:
    match outcome["status"]:
        case "scored":
            for seat, bits in outcome["rewards"].items():
                yield f"{seat} scores {bits:.3f} bits, by {outcome['judge']}"
        case "awaiting_move":
            awaited = outcome["awaits"]
            for register, value in awaited["registers"].items():
                yield f"{awaited['seat']} sees {register} = {value!r}"
            yield f"{awaited['seat']} is to move: {awaited['register']}, at most {counted(awaited['limit'], 'token')}"
        case status:
            reason = outcome["reason"]
            place = f" (line {reason['line']}, column {reason['column']})" if reason["line"] else ""
            yield f"{status}: {reason['detail']}{place}"


def _tokens(tokens: list[dict[str, Any]]) -> Iterator[str]:
    most = max((abs(token["bits"]) for token in tokens), default=0.0) or 1.0
    for token in tokens:
        bar = ("+" if token["bits"] >= 0 else "-") * round(BAR * abs(token["bits"]) / most)
        yield f"{token['bits']:10.3f}  {token['text']!r:24}  {bar}".rstrip()
