"""A tournament over HTTP: killed and gone on with, it comes to the same; and who fails fails alone."""

import csv
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from judge.judge import Judge
from tests.support.chat import Chat, Fault, chatting, saying
from tests.support.command import Run
from tests.support.duels import DUEL
from tests.support.scenario.deployment import HOST_TOKEN
from tests.support.server import RunningApp
from tests.support.system import environment

PLAN = """
title = "Five by four"
parallel = {parallel}
[budget]
submissions = 2
[[players]]
name = "any words"
strategy = "random"
[[players]]
name = "near words"
strategy = "field-words"
[[players]]
name = "climber"
strategy = "climb"
[[players]]
name = "chain"
strategy = "mcmc"
[[players]]
name = "a model"
model = "pocket"
endpoint = "{url}/v1"
key = "TOURNAMENT_KEY"
temperature = 0.0
answer = 32
price_read = 1.0
price_written = 2.0
"""
SEA = "The tide came in over the flats before the boats were home; the captain watched the waves."
GAMES = f"""
[[games]]
game = "condense"
passages = ["{SEA}"]
[[games]]
game = "reverse_prompt"
passages = ["{SEA}"]
[[games]]
game = "best_of_three"
passages = ["{SEA}"]
[[games]]
game = "synthesize"
passages = [["{SEA}", "Gulls cried over the harbour.", "The sails were wet with rain."]]
"""
AGAINST = f"""
[[games]]
game = "Duel"
versus = true
passages = ["{SEA}"]
source = '''
{DUEL}'''
"""
ONE_GAME, _, _ = GAMES.partition('[[games]]\ngame = "reverse')
KEY = "sk-tournament-77"


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with chatting(Judge.load("pocket")) as made:
        yield made


def started(house: RunningApp, file: Path, out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "server.cli", "tournament", str(file), "--server", house.url, "--out", str(out)]
    env = environment() | {"XENTARENA_HOST_TOKEN": HOST_TOKEN, "TOURNAMENT_KEY": KEY}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)


def records(out: Path) -> int:
    """So far, in all journals."""
    return sum(file.read_bytes().count(b"\n") for file in out.glob("cells/*.jsonl"))


def ended(process: "subprocess.Popen[bytes]") -> None:
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said.decode()


def scores(out: Path) -> str:
    """The report but for times and cost, which are told last."""
    told, _, _ = (out / "report.md").read_text().partition("## Cost and time")
    return told


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_three_points_and_resumed_it_reports_the_same(
    sqlite_house: RunningApp, chat: Chat, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOURNAMENT_KEY", KEY)
    file, calm, killed = tmp_path / "plan.toml", tmp_path / "calm", tmp_path / "killed"
    file.write_text(PLAN.format(url=chat.url, parallel=1) + GAMES + AGAINST)
    where = ["--server", sqlite_house.url, "--host-token", HOST_TOKEN]
    assert run("tournament", str(file), *where, "--out", str(calm)).status == 0
    asked, total = len(chat.asked), records(calm)
    points = sorted(random.Random().sample(range(1, total - 1), 3))
    for point in points:
        process = started(sqlite_house, file, killed)
        while records(killed) < point and process.poll() is None:
            time.sleep(0.02)
        process.kill()
        process.communicate()
    ended(started(sqlite_house, file, killed))
    assert scores(killed) == scores(calm), f"killed at {points} of {total}"
    assert "| a model |" in scores(calm)
    assert records(killed) == total
    assert len(chat.asked) - asked <= asked + 3, "at most one reply was lost by each kill, before it was written"
    with (killed / "results.csv").open(encoding="utf-8-sig") as opened:
        counted = {(row["player"], row["round"]): int(row["attempts"]) for row in csv.DictReader(opened)}
    played = [json.loads(line) for each in killed.glob("cells/*.jsonl") for line in each.read_text().splitlines()]
    sent = [each for each in played if each["kind"] == "step" and each["submission"]["state"] != "awaiting_move"]
    duels = [each for each in played if each["kind"] == "duel"]
    assert len(duels) == 5 * 4
    assert sum(counted.values()) == len(sent) + 2 * len(duels), "the server has counted each play once"
    everything = b"".join(each.read_bytes() for each in killed.rglob("*") if each.is_file())
    assert KEY.encode() not in everything
    assert (killed / "tokens.json").stat().st_mode & 0o777 == 0o600


RAISING = """
class Mine:
    def __init__(self, passages, seed):
        self.left = 1

    def propose(self):
        self.left -= 1
        if self.left < 0:
            raise ValueError("out of ideas")
        return "sea ship"

    def learn(self, move, bits):
        pass
"""


def test_what_others_write_in_a_round_is_in_no_prompt(
    sqlite_house: RunningApp, chat: Chat, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two models in one round: each is told of its own plays, and of nothing that the other one did."""
    monkeypatch.setenv("TOURNAMENT_KEY", KEY)
    model = """
[[players]]
name = "{name}"
model = "{name}"
endpoint = "{url}/v1"
key = "TOURNAMENT_KEY"
"""
    players = "".join(model.format(name=name, url=chat.url) for name in ("Zebulon", "Quillan"))
    file = tmp_path / "plan.toml"
    file.write_text(f"parallel = 1\n[budget]\nsubmissions = 3\n{players}{ONE_GAME}")
    before = len(chat.asked)
    chat.faults = [Fault(raw=saying(f"{KEY}\nMOVE: {word} harbours")) for word in ("amber", "bronze", "copper")]
    chat.faults += [Fault(raw=saying(f"MOVE: {word} lanterns")) for word in ("damask", "ebony", "fallow")]
    command = ["tournament", str(file), "--server", sqlite_house.url, "--host-token", HOST_TOKEN]
    ended = run(*command)
    assert ended.status == 0, ended.err
    told = dict.fromkeys(("Zebulon", "Quillan"), "")
    for body, _ in chat.asked[before:]:
        told[body["model"]] += json.dumps(body["messages"])
    assert "amber harbours" in told["Zebulon"]
    assert "damask lanterns" in told["Quillan"]
    assert not [word for word in ("lanterns", "Quillan", "Zebulon", "random") if word in told["Zebulon"]]
    assert not [word for word in ("harbours", "Quillan", "Zebulon", "random") if word in told["Quillan"]]
    everything = b"".join(each.read_bytes() for each in (tmp_path / "plan").rglob("*") if each.is_file())
    assert rb"[secret]\nMOVE: amber harbours" in everything
    assert KEY.encode() not in everything + ended.out.encode() + ended.err.encode()


def test_who_fails_fails_alone_and_a_later_run_tries_again(
    sqlite_house: RunningApp, chat: Chat, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOURNAMENT_KEY", KEY)
    (tmp_path / "mine.py").write_text(RAISING)
    file = tmp_path / "plan.toml"
    file.write_text(PLAN.format(url=chat.url, parallel=3).replace('"climb"', '"mine.py:Mine"') + ONE_GAME)
    command = ["tournament", str(file), "--server", sqlite_house.url, "--host-token", HOST_TOKEN]
    chat.faults = [Fault(401, f"wrong key {KEY}".encode())]
    first = run(*command)
    assert first.status == 0
    out = tmp_path / "plan"
    report = (out / "report.md").read_text()
    assert "out of ideas" in report
    assert "status 401: wrong key" in report
    assert KEY not in report + first.out + first.err
    assert "| chain |" in report
    chat.faults = [Fault(raw=saying("MOVE: a storm")), Fault(raw=saying("MOVE: boats"))]
    assert run(*command).status == 0
    again = (out / "report.md").read_text()
    assert "401" not in again
    assert "out of ideas" in again
    assert "| a model |" in again


BENCHMARK = {
    "config_type": "condensed_xent_config",
    "metadata": {"judge_model": "gpt2", "num_rounds_per_game": 2, "seed": "s", "benchmark_id": "b"},
    "expansion_config": {
        "num_maps_per_game": 2,
        "text_generation_config": {"generator_type": "JUDGE", "generator_config": {}, "max_length": 12},
    },
    "players": [],
    "games": [
        {"name": "Condense", "code": "assign(s=story())\nelicit(x, 10)\nreveal(x)\nreward(xed(s | x))\n"},
        {"name": "Contrast", "code": "assign(s=story(), s1=story())\nelicit(x, 9)\nreward(xed(s | x) - xed(s1 | x))\n"},
    ],
}


def test_a_configuration_of_the_published_benchmark_plays(sqlite_house: RunningApp, tmp_path: Path, run: Run) -> None:
    (tmp_path / "config.json").write_text(json.dumps(BENCHMARK))
    ended = run("tournament", str(tmp_path / "config.json"), "--server", sqlite_house.url, "--host-token", HOST_TOKEN)
    assert ended.status == 0, ended.err
    assert records(tmp_path / "config") >= 4 * 2
    report = (tmp_path / "config" / "report.md").read_text()
    _, _, table = report.partition("## The published benchmark's table")
    found = re.search(r"\| 1 \| random \| ([-\d.]+) \| ([-\d.]+) \| ([-\d.]+) \|", table)
    assert found, report
    score, *games = map(float, found.groups())
    assert score == pytest.approx(sum(games) / 2, abs=0.01)
    assert {abs(each) for each in games} <= {0.0, 50.0, 100.0}, "alone, each map is a whole or none"


VERSUS = """
repeats = 2
parallel = 1
[[players]]
name = "near words"
strategy = "field-words"
[[players]]
name = "a model"
model = "pocket"
endpoint = "{url}/v1"
key = "TOURNAMENT_KEY"
price_written = 1.0
"""


def test_players_play_each_other_and_the_server_rates_them(
    sqlite_house: RunningApp, chat: Chat, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOURNAMENT_KEY", KEY)
    file, out = tmp_path / "plan.toml", tmp_path / "plan"
    file.write_text(VERSUS.format(url=chat.url) + AGAINST)
    command = ["tournament", str(file), "--server", sqlite_house.url, "--host-token", HOST_TOKEN]
    chat.faults = [Fault(raw=saying("I say nothing.")) for _ in range(3)]
    assert run(*command).status == 0
    told, asked = scores(out), len(chat.asked)
    duels = [json.loads(line) for each in out.glob("cells/*.jsonl") for line in each.read_text().splitlines()]
    ended = [each for each in duels if each["kind"] == "duel"]
    assert len(ended) == 2 * 3 * 2, "everybody against everybody from each seat, in each repeat"
    assert sum(each["left"] is not None for each in ended) == 1, "who gave no move in three answers"
    assert all(each["bits"]["black"] == -each["bits"]["white"] for each in ended if each["left"] is None)
    asked_of = json.dumps([body for body, _ in chat.asked])
    assert not [name for name in ("near words", "random #", "#1", "#2") if name in asked_of], "nobody's name"
    everything = b"".join(each.read_bytes() for each in out.rglob("*") if each.is_file())
    assert KEY.encode() not in everything
    rows = re.findall(r"\| \d \| ([\w ]+) \| (-?[\d.]+) \| (\d) / (\d) / (\d) \| (\d) \|", told)
    assert [len(rows), sum(int(row[5]) for row in rows)] == [3, 1], told
    assert all(int(won) + int(drawn) + int(lost) == 8 for _, _, won, drawn, lost, _ in rows)
    assert rows == sorted(rows, key=lambda row: -float(row[1]))
    for file_, left in zip(sorted(out.glob("cells/p?v?-r?-g1.jsonl")), [1, 2, 3] * 4, strict=True):
        file_.write_text("".join(file_.read_text().splitlines(keepends=True)[:-left]))  # as a kill leaves it
    assert run(*command).status == 0
    assert (scores(out), len(chat.asked)) == (told, asked)


def test_games_of_two_seats_ask_for_it_to_be_said(sqlite_house: RunningApp, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "plan.toml"
    player = '[[players]]\nname = "words"\nstrategy = "random"\n[[games]]\npassages = ["The sea."]\ngame = '
    for game, why in (
        ('"debate"', "with versus = true of black and white"),
        ('"condense"\nversus = true', "cannot be"),
    ):
        file.write_text(player + game)
        ended = run(
            "tournament",
            str(file),
            "--server",
            sqlite_house.url,
            "--host-token",
            HOST_TOKEN,
            "--out",
            f"{file}{why[:4]}",
        )
        assert (ended.status, why in ended.err) == (1, True), ended.err
