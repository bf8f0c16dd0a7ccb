"""What docs/training.md shows works as it stands there, from its first line to its last."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    assert len(re.findall(r"^ *-?\d+\.\d{3} bits", said, re.MULTILINE)) == 5
    assert " -10.000 bits for ''" in said
    assert "refused: ['The move is empty.']" in said
    assert said.rstrip().endswith("MOVE: a few words of your own")
