"""What a server would answer, with defaults."""

from typing import Any


def submission(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "sub_1",
        "round": "rnd_1",
        "player": "ply_1",
        "state": "scored",
        "place": None,
        "expected_wait_s": None,
        "bits": 12.345,
        "rewards": {"black": 12.345},
        "events": [],
        "reason": None,
        "judge": "abc",
        "profile": "arena",
        "build": "cpu",
        "engine": "1",
        "hidden": False,
        "accepted_at": "2026-01-01T00:00:00Z",
        "finished_at": None,
    }
    return plain | changes


def round_(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "rnd_1",
        "competition": "cmp_1",
        "number": 1,
        "game": "condense",
        "title": "Condense",
        "digest": "d",
        "passages": ["The tide came in over the flats before the boats were home."],
        "judges": {"main": "abc"},
        "profile": "arena",
        "state": "open",
        "opens_at": "2026-01-01T00:00:00Z",
        "closes_at": None,
        "attempts": None,
        "attempts_left": None,
        "opening": {"seat": "black", "register": "x", "limit": 10, "registers": {}, "events": [], "due_at": None},
    }
    return plain | changes


def preview(**changes: Any) -> dict[str, Any]:
    """Of a move that may be made as it is."""
    plain = {"tokens": 3, "limit": 10, "kept": "sea ship", "events": [], "refused": False, "after_scoring": True}
    return plain | {"reason": None} | changes


def problem(type_: str, status: int, **changes: Any) -> dict[str, Any]:
    return {"type": type_, "title": type_, "status": status, "detail": f"It is {type_}.", "errors": []} | changes


def joined() -> dict[str, Any]:
    player = {"id": "ply_1", "name": "Ada", "kind": "bot", "competition": "cmp_1", "removed": False}
    return {"token": "secret", "player": player}


def event(number: int, type_: str = "standing.changed", **data: Any) -> dict[str, Any]:
    return {"number": number, "type": type_, "at": "2026-01-01T00:00:00Z", "data": data}
