"""The ladder is climbed within its budget, and goes on after a kill."""

import json
from pathlib import Path

import pytest

from benchmarks import ladder

ASKED = ["--passages", "2", "--submissions", "3", "--device", "cpu", "--strategies", "random,field-words"]


def test_it_goes_on_where_it_was_killed_and_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ladder.jsonl"
    asked = [*ASKED, "--file", str(file), "--second-judge", "pocket"]
    ladder.main(asked)
    whole, said = file.read_text().splitlines(), capsys.readouterr()
    runs = [each for each in map(json.loads, whole) if each["kind"] == "run"]
    assert [each["strategy"] for each in runs] == 2 * ["random", "field-words"]
    for run in runs:
        assert run["submissions"] >= 3
        assert all(tokens <= run["tokens"] and value <= run["best"] for _, tokens, value in run["steps"])
    assert said.out.count("| `random` |") == 2
    assert "| 100% | 2 of 2 |" in said.out, "the same judge confirms all of it"
    file.write_text("\n".join([*whole[:2], whole[2][:40]]))  # in the midst of the third run
    ladder.main(asked)
    again = capsys.readouterr()
    assert len(again.err.splitlines()) == 2
    bits = [
        [line.split("|")[2:5] for line in out.splitlines() if line.startswith("| `")] for out in (said.out, again.out)
    ]
    assert bits[0] == bits[1]


def test_a_strategy_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ladder.main(["--strategies", "random,gcq"])
    assert "no strategy 'gcq'; there is: random," in capsys.readouterr().err
