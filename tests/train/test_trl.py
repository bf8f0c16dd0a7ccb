"""trl trains with our reward: the example runs as it stands there, a few steps long."""

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

from xentarena import play

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "train.py"
SAID = re.compile(
    r"seed (?P<seed>\d+): (?P<steps>\d+) steps of 32 hints\n"
    r" +(?P<before>-?\d+\.\d{3}) bits  untrained, .*\n"
    r" +(?P<after>-?\d+\.\d{3}) bits  trained, .*\n"
    r" +(?P<best>-?\d+\.\d{3}) bits  the best hint, (?P<hint>.+)\n"
)


def test_the_example_trains_with_the_bits_of_the_game(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    script = [sys.executable, str(EXAMPLE), "--steps", "2", "--seeds", "1"]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr
    found = SAID.fullmatch(done.stdout.partition("seed")[1] + done.stdout.partition("seed")[2])
    assert found is not None, done.stdout
    assert (found["seed"], found["steps"]) == ("1", "2")
    passage, hint = runpy.run_path(str(EXAMPLE))["PASSAGE"], ast.literal_eval(found["hint"])
    assert f"{play('condense', [passage], [hint], judge='pocket').rewards['black']:.3f}" == found["best"]
    assert -10 <= float(found["before"]) < float(found["best"])
    assert found["before"] != found["after"], "it has learned something"
