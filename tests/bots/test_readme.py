"""What README tells a newcomer to type works as it stands there, against a real server with its demo."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bots import runner
from tests.support.system import Demo
from xentarena.client import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

README = Path(__file__).parents[2] / "README.md"


def block(name: str) -> str:
    """The code that stands in README under `<!-- test: name -->`."""
    found = re.search(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    return found[1]


def run(command: list[str], tmp_path: Path) -> str:
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_example_plays_and_prints_scores(demo: Demo, tmp_path: Path) -> None:
    program = tmp_path / "play.py"
    program.write_text(block("python"), encoding="utf-8")
    said = run([sys.executable, "-I", str(program), demo.url, demo.code], tmp_path)
    assert len(re.findall(r"^ *-?\d+\.\d+ bits  \w+", said, re.MULTILINE)) == 3
    assert re.search(r"^\d+ program [0-9a-f]{6} -?\d", said, re.MULTILINE)


def test_the_python_example_is_about_twenty_lines_and_needs_only_httpx() -> None:
    lines = [line for line in block("python").splitlines() if line.strip()]
    assert len(lines) <= 20
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported - sys.stdlib_module_names == {"httpx"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_curl_lines_join_submit_and_show_the_score(demo: Demo, tmp_path: Path) -> None:
    script = block("curl")
    for name, value in (("API", f"{demo.url}/api/v1"), ("CODE", demo.code), ("ROUND", demo.round)):
        script, changed = re.subn(rf"^{name}=\S+", f"{name}={value}", script, flags=re.MULTILINE)
        assert changed == 1, name
    said = run(["bash", "-euc", script], tmp_path)
    submission, end = json.JSONDecoder().raw_decode(said)
    board = json.loads(said[end:])
    assert submission["state"] == "scored"
    assert isinstance(submission["bits"], float)
    assert submission["player"] in {entry["player"]["id"] for entry in board["items"]}


def test_the_bot_plays_against_a_real_server(demo: Demo) -> None:
    said: list[str] = []
    tally = runner.run("random", demo.url, code=demo.code, budget=5, seed=1, name="Wren", say=said.append)
    assert tally.sent == 5
    assert len(said) == 6  # and the best of them
    with Client(demo.url) as client:
        client.join(demo.code, "Onlooker", "person")
        standing = {entry.player.name: entry for entry in client.leaderboard(demo.round)}["Wren"]
    assert standing.bits == tally.best[demo.round]
    assert standing.player.kind == "bot"


def test_the_client_speaks_the_servers_language(demo: Demo) -> None:
    with Client(demo.url) as client:
        joined = client.join(demo.code, "Heron")
        assert client.me().player == joined.player
        number = client.competition().last_event
        first = client.wait_for(client.submit(demo.round, "ship and captain", key="k1"))
        again = client.submit(demo.round, "ship and captain", key="k1")
        assert (first.id, first.bits) == (again.id, again.bits)
        measured = client.measure("The gulls cried.", "birds at sea")
        assert measured.bits is not None
        assert measured.saved == pytest.approx((measured.base or 0) - measured.bits)
        refused = client.submit_batch(demo.round, ["lighthouse keeper", "", "lighthouse keeper"])
        assert [getattr(each, "type", None) for each in refused] == [None, "invalid-request", None]
        with closing(client.events(after=number)) as events:
            changes = (event.data for event in events if event.type == "standing.changed")
            mine = next(data for data in changes if data["player"] == joined.player.id)
        assert mine["round"] == demo.round
