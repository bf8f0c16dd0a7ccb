"""The scripts in examples/ run as they stand there: the ones that play against a real server with its demo."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.system import Demo, command, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXAMPLES = Path(__file__).parents[1] / "examples"
SCORE = re.compile(r"^ *-?\d+\.\d{3} bits  \S", re.MULTILINE)


def run(tmp_path: Path, name: str, *arguments: str) -> str:
    script = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(script, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_joins_plays_and_shows_the_board(demo: Demo, tmp_path: Path) -> None:
    said = run(tmp_path, "play.py", demo.url, demo.code)
    assert demo.round in said
    assert len(SCORE.findall(said)) == 3
    assert re.search(r"^  \d\. .+: -?\d+\.\d{3} bits$", said, re.MULTILINE)


def test_a_strategy_of_ones_own_climbs(demo: Demo) -> None:
    file = f"{EXAMPLES / 'climber.py'}:Climber"
    ended = command("bot", file, "--server", demo.url, "--code", demo.code, "--budget", "20", "--seed", "1")
    assert ended.returncode == 0, ended.stderr
    earned = [float(bits) for bits in re.findall(r"(-?\d+\.\d{3}) bits  ", ended.stdout)]
    assert len(earned) == 20
    assert max(earned) > earned[0]


def test_the_judge_is_asked_at_home(tmp_path: Path) -> None:
    said = run(tmp_path, "measure.py")
    saved = [float(bits) for bits in re.findall(r"(-?\d+\.\d{3}) saved", said)]
    scored = [float(bits) for bits in re.findall(r"(-?\d+\.\d{3}) bits  for", said)]
    assert len(saved) == len(scored) == 2
    assert scored == pytest.approx(saved, abs=0.002)


def test_a_tournament_starts_a_server_of_its_own_and_reports(tmp_path: Path) -> None:
    ended = command("tournament", str(EXAMPLES / "tournament.toml"), "--out", str(tmp_path / "out"))
    assert ended.returncode == 0, ended.stderr
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    ranking = report.partition("## Ranking")[2].partition("##")[0]
    assert all(f"| {name} |" in ranking for name in ("near words", "builds", "climbs", "random"))
    assert "## What went wrong\n\nNothing." in report
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").count("<svg") == 4


def test_every_example_is_run_here_or_where_training_is_tested() -> None:
    files = Path(__file__), Path(__file__).parent / "train" / "test_trl.py"
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert all(file.name in text for kind in ("*.py", "*.toml") for file in EXAMPLES.glob(kind))
