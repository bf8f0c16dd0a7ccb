"""What docs/python.md shows works as it stands there, from its first line to its last."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    assert len(re.findall(r"^ *\d+\.\d{3} bits after ", said, re.MULTILINE)) == 3
    assert len(re.findall(r"  rank +\d+  entropy \d", said)) == len(names["reading"].tokens) > 10
    assert len(re.findall(r" bits, +\d+ tokens repeat: '", said)) == 4
    assert len(re.findall(r"^ +\d+\.\d\d% +\d+\.\d\d% '", said, re.MULTILINE)) == 10
    assert re.search(r"-?\d+\.\d\d bits, 95 % between -?\d+\.\d\d and -?\d+\.\d\d", said)
