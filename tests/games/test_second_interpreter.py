"""The engine and an interpreter that somebody else wrote from the description alone say the same of every program."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from games.errors import ProgramErrors
from games.program import parse
from games.protocol import Finished
from tests.games import playing, programs
from tests.support import second_interpreter
from tests.support.second_interpreter import Outcome

CLOSE = 1e-6
PASSAGES = ["aa bb cc, dragon", "don't é. Ж bb", "😀 cc\ncc", *["bb"] * 60]
VECTORS = [
    case
    for file in sorted((Path(__file__).parent / "vectors").glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
    if "errors" not in case["expect"]
]


def _by_engine(source: str, moves: Sequence[str], profile: str) -> Outcome | None:
    """None where the program is not valid, or takes more work than a play may: what costs how much is not described."""
    try:
        program = parse(source)
    except ProgramErrors:
        return None
    setup = playing.setup(*PASSAGES[: program.passages], profile=profile)
    end = playing.play(program, setup, *moves)
    if not isinstance(end, Finished):
        return Outcome("awaiting_move", {}, None)
    reason = end.reason
    if reason is not None and "units of work" in reason.detail:
        return None
    return Outcome(str(end.status), end.rewards, reason.type if reason else None)


@pytest.mark.slow
def test_random_programs_end_and_earn_the_same() -> None:
    compared: Counter[str] = Counter()

    @settings(max_examples=700, database=None, suppress_health_check=list(HealthCheck))
    @given(programs.programs, st.lists(programs.moves, max_size=8), st.sampled_from(["arena", "xent-0.5"]))
    def compare(source: str, moves: list[str], profile: str) -> None:
        found = _by_engine(source, moves, profile)
        if found is None:
            return
        try:
            expected = second_interpreter.run(source, passages=PASSAGES, seed="seed", moves=moves, profile=profile)
        except NotImplementedError:
            return
        assert (found.status, found.reason) == (expected.status, expected.reason)
        assert found.rewards == pytest.approx(expected.rewards, abs=CLOSE)
        compared[found.status] += 1

    compare()
    assert compared.total() > 250
    assert compared["scored"] > 20


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_the_second_interpreter_agrees_with_the_vectors(case: dict[str, Any]) -> None:
    """Or what it says of random programs would be worth little."""
    expected = case["expect"]
    keys = ("passages", "moves", "context", "profile", "generated")
    given_ = {"passages": [], "moves": [], **{key: case[key] for key in keys if key in case}}
    try:
        found = second_interpreter.run("\n".join(case["program"]), seed=case.get("seed", "seed"), **given_)
    except NotImplementedError:
        return
    assert found.status == expected["status"]
    assert found.rewards == pytest.approx({**found.rewards, **expected.get("rewards", {})}, abs=CLOSE)
    assert found.reason == (expected.get("reason") or {}).get("type")
