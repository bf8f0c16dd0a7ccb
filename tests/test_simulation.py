"""The simulation of waiting times: what can be worked out by hand comes out of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Run = dict[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    plot = tmp_path_factory.mktemp("plot") / "waiting.svg"
    command = [sys.executable, "-m", "benchmarks.simulation", "--seconds", "8", "--json", "--plot", str(plot)]
    told = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    assert plot.read_text().startswith("<svg")
    runs: list[Run] = json.loads(told.stdout)
    return runs


def test_a_lone_move_waits_for_what_each_step_takes(found: list[Run]) -> None:
    lone = next(run for run in found if run["what"] == "a laptop, people alone")
    system = lone["system"]
    steps = sum(system["accept"]) + 1 / system["rate"] + sum(system["settle"]) + system["rest"]
    assert lone["waited"]["people"] == pytest.approx(1000 * steps, rel=0.05)


@pytest.mark.slow
def test_more_load_never_waits_less_and_nothing_is_lost_below_what_can_be_carried(found: list[Run]) -> None:
    for what in {run["what"] for run in found}:
        runs = [run for run in found if run["what"] == what]
        medians = [run["waited"]["people"] for run in runs]
        assert medians == pytest.approx(sorted(medians), rel=0.1), what
        if not runs[0]["load"]["bots"]:
            assert runs[0]["waited"]["lost"] < 0.1, what


def test_programs_in_the_queue_cost_a_person_two_short_batches_at_most(found: list[Run]) -> None:
    alone, beside = (
        next(run for run in found if run["what"] == what)
        for what in ("a laptop, people alone", "a laptop, beside programs")
    )
    short = max(alone["system"]["people_seconds"], 1 / alone["system"]["rate"])
    assert beside["waited"]["people"] - alone["waited"]["people"] < 2 * 1000 * short
    assert beside["waited"]["lost"] > 0.5, "the programs send more than can be measured"


def test_twice_the_processes_carry_twice_the_load(found: list[Run]) -> None:
    def heaviest(processes: int) -> Run:
        return [run for run in found if run["what"].startswith("a GPU") and run["system"]["processes"] == processes][-1]

    assert heaviest(2)["load"]["people"] == pytest.approx(2 * heaviest(1)["load"]["people"])
    assert heaviest(2)["waited"]["people"] < 3 * heaviest(1)["waited"]["people"]
