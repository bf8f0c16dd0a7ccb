"""What docs/writing-bots.md shows works as it stands there, against a real server with its demo."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bots import runner
from bots.budget import Budget
from bots.chat.answers import move_of
from bots.chat.player import NoMove
from bots.home import search
from bots.journal import read
from bots.strategy import load_strategy
from bots.whitebox import PROBES, white_box
from judge.judge import Judge
from tests.support.chat import chatting
from tests.support.system import Demo, command, environment
from xentarena import OfflineRound

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BUDGET = Budget(submissions=PROBES + 4)
PAGE = Path(__file__).parents[2] / "docs" / "writing-bots.md"


def block(name: str) -> str:
    """The code that stands on the page under `<!-- test: name -->`."""
    found = re.search(rf"<!-- test: {name} -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    return found[1]


def test_the_client_plays(demo: Demo, tmp_path: Path) -> None:
    program = tmp_path / "play.py"
    text = block("client").replace("http://127.0.0.1:8000", demo.url).replace("K7QWPX", demo.code)
    program.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert re.fullmatch(r"(-?\d+\.\d+ None\n)+", done.stdout), done.stderr


def test_the_strategy_plays(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "my_file.py").write_text(block("strategy"), encoding="utf-8")
    name = f"{tmp_path / 'my_file.py'}:Climber"
    ended = command("bot", name, "--server", demo.url, "--code", demo.code, "--budget", "5", "--seed", "1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(" bits  ") == 5


def test_the_model_plays(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", "sk-of-mine")
    with chatting(Judge.load("pocket")) as chat, suppress(NoMove):  # what it says may be against the rules
        Path("my_model.py").write_text(block("model").replace("http://127.0.0.1:8080", chat.url))
        runner.run("my_model.py:plays", demo.url, code=demo.code, budget=1, say=lambda _: None)
    first, *_ = read(Path("transcript.jsonl"))
    assert (first["kind"], first["question"]["most"], first["question"]["temperature"]) == ("reply", 512, 0)
    assert move_of(first["text"])
    assert "Condense" in first["question"]["messages"][0]["content"]


def test_the_search_searches(tmp_path: Path) -> None:
    (tmp_path / "my_file.py").write_text(block("search"), encoding="utf-8")
    strategy = load_strategy(f"{tmp_path / 'my_file.py'}:longer")(["The tide came in over the flats."], "1")
    tried = []
    for _ in range(40):
        tried.append(strategy.propose())
        strategy.learn(tried[-1], float(len(tried[-1].split()) % 4))  # of four words the first is as good as none
    assert max(len(move.split()) for move in tried) == 4
    assert len({move.split()[0] for move in tried}) > 5


def test_the_search_by_gradients_plays(tmp_path: Path) -> None:
    (tmp_path / "my_file.py").write_text(block("gradient"), encoding="utf-8")
    boldest = load_strategy(f"{tmp_path / 'my_file.py'}:boldest")
    assert isinstance(boldest, white_box)
    passage = "Waves rolled in, and gulls cried over the harbour."
    judge = Judge.load("pocket", device="cpu")
    curve = search(boldest.inside(judge)([passage], "1"), OfflineRound("condense", [passage], judge=judge), BUDGET)
    assert curve.steps[-1].spent.submissions > PROBES


def test_the_search_at_home_prints_its_curve(tmp_path: Path) -> None:
    program = tmp_path / "home.py"
    program.write_text(block("home"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    steps = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert len(steps) > 2
    assert [int(number) for number, *_ in steps] == sorted(int(number) for number, *_ in steps)
    assert float(steps[-1][2]) == max(float(bits) for _, _, bits, _ in steps)


def test_a_debate_at_home_is_played_against_itself_and_against_fixed_texts(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("against").replace("submissions=20", "submissions=3"), "against.py", "exec"), {})
    assert len([float(line) for line in capsys.readouterr().out.split()]) == 2
