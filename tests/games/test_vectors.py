"""The conformance vectors: what every sentence of the language means, in files that need no engine of ours.

``vectors/README.md`` says how a case is written. Each file covers a section of the language.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from games.errors import ProgramErrors
from games.events import to_json
from games.preflight import warnings
from games.program import parse
from games.protocol import Effect, Finished, NeedBits, NeedMove
from tests.games import playing

VECTORS = Path(__file__).parent / "vectors"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(VECTORS.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


def test_there_are_at_least_two_hundred_vectors_and_none_twice() -> None:
    names = [param.id for param in CASES]
    assert len(names) >= 200
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES)
def test_the_engine_does_what_the_vector_says(case: dict[str, Any]) -> None:
    source, expected = "\n".join(case["program"]), case["expect"]
    if "errors" in expected:
        with pytest.raises(ProgramErrors) as caught:
            parse(source)
        _check_errors(caught.value, expected["errors"])
        return
    program = parse(source)
    assert isinstance(warnings(program), list), "any program can be looked through"
    given = playing.setup(
        *case.get("passages", ()),
        seed=case.get("seed", "seed"),
        slots=[slot for slot in program.judges if slot != "main"],
        context=case.get("context", 1_000),
        profile=case.get("profile", "arena"),
        generated=case.get("generated", ()),
    )
    moves = [tuple(move) if isinstance(move, list) else move for move in case.get("moves", ())]
    effects = [effect for _, effect in playing.steps(program, given, moves)]
    _check_end(effects[-1], expected)
    if "batches" in expected:
        batches = [
            [[each.judge, each.profile, each.prefix, each.text] for each in effect.measurements]
            for effect in effects
            if isinstance(effect, NeedBits)
        ]
        assert batches == expected["batches"]


def _check_errors(caught: ProgramErrors, expected: list[list[Any]]) -> None:
    assert [(error.line, error.column) for error in caught.errors] == [(line, column) for line, column, _ in expected]
    for error, (_, _, fragment) in zip(caught.errors, expected, strict=True):
        assert fragment in error.message


def _check_end(effect: Effect, expected: dict[str, Any]) -> None:
    if isinstance(effect, NeedMove):
        assert expected["status"] == "awaiting_move"
        asked = {"seat": effect.seat, "register": effect.register, "limit": effect.limit}
        assert asked | expected.get("asked", {}) == asked
        assert dict(effect.registers) | expected.get("registers", {}) == effect.registers
        assert not set(expected.get("hidden", ())) & set(effect.registers)
    else:
        assert isinstance(effect, Finished)
        assert effect.status == expected["status"]
        assert expected.get("rewards", effect.rewards) == effect.rewards
        _check_reason(effect, expected.get("reason"))
    if "types" in expected:
        assert [event.type for event in effect.events] == expected["types"]
    shown = to_json(effect.events)
    events = iter(shown)
    for wanted in expected.get("events", ()):
        assert any(event | wanted == event for event in events), f"no {wanted} in {shown}"


def _check_reason(effect: Finished, expected: dict[str, Any] | None) -> None:
    if expected is None:
        assert effect.reason is None
        return
    assert effect.reason is not None
    assert effect.reason.type == expected["type"]
    assert expected["detail"] in effect.reason.detail
    assert [effect.reason.line, effect.reason.column] == expected["at"]
