"""A tournament's file: whatever is wrong in it is told with its line and what was probably meant."""

import re
from pathlib import Path

import pytest

from bots.tournament.folder import cells, held
from bots.tournament.plan import PlanError, load
from tests.support.command import Run
from xentarena.errors import ArenaError

GOOD = """title = "Autumn"
repeats = 2

[budget]
submissions = 5

[[players]]
name = "words"
strategy = "field-words"

[[players]]
name = "a model"
model = "small"
endpoint = "http://127.0.0.1:1/v1"
key = "SOME_KEY"

[[games]]
game = "condense"
passages = ["One passage.", "And another."]

[[games]]
game = "contrast"
passages = [["Of two", "at once."]]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "autumn.toml"


def test_a_file_says_what_is_played(file: Path) -> None:
    file.write_text(GOOD)
    plan = load(file)
    assert [each.name for each in plan.everybody] == ["words", "a model", "random"]
    assert plan.games[1].rounds == [["Of two", "at once."]]
    all_ = cells(plan)
    assert len(all_) == 3 * 3 * 2
    assert len({cell.id for cell in all_}) == len(all_)
    assert all_[0].seat == "words #1"


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("title =", "titel =", "1: titel: there is no such key. Did you mean 'title'?"),
        (
            "submissions = 5",
            "submisions = 5",
            "5: budget, submisions: there is no such key. Did you mean 'subm",
        ),
        ("submissions = 5", "submissions = 0", "5: budget, submissions: Input should be greater than or equal to 1."),
        ('strategy = "field-words"', 'stratgy = "random"', "9: players 1, stratgy: there is no such key."),
        (
            '[[players]]\nname = "words"\nstrategy = "field-words"\n\n[[players]]',
            "[players]",
            "7: players: this is a list: [[players]].",
        ),
        (
            '["One passage.", "And another."]',
            '"One passage."',
            "19: games 1, passages: this is a list: put it into [ ].",
        ),
        ('"SOME_KEY"', '"sk-12"', "15: players 2, key: this is to be the name of the variable of the environment"),
        ('"http://127.0.0.1:1/v1"', '"a:80"', "14: players 2, endpoint: 'a:80' is no address; one looks like http:"),
        ('model = "small"', 'modell = "small"', "13: players 2, modell: there is no such key. Did you mean 'model'?"),
        ('model = "small"', "", "11: players 2: a player has either a strategy or a model."),
        ('name = "a model"', 'name = "words"', "11: players: two players are called 'words'."),
        ('game = "contrast"', 'gme = "contrast"', "21: games 2, game is missing."),
        ("repeats = 2", "repeats = ", ": Invalid value (at line 2, column 11)."),
        (
            '"field-words"',
            '"feild-words"',
            "9: there is no strategy 'feild-words'. Did you mean 'field-words'?",
        ),
    ],
)
def test_a_typo_is_told_with_its_place(run: Run, file: Path, good: str, bad: str, told: str) -> None:
    assert good in GOOD
    file.write_text(GOOD.replace(good, bad, 1))
    told = f"{file}{told}" if told.startswith(":") else f"{file}:{told}"
    ended = run("tournament", str(file), "--server", "http://127.0.0.1:1", "--host-token", "t")
    assert ended.status == 1
    assert told in ended.err


def test_a_server_that_is_away_and_a_token_that_lacks_are_told(run: Run, file: Path) -> None:
    file.write_text(GOOD.replace('key = "SOME_KEY"', ""))
    ended = run("tournament", str(file), "--server", "http://127.0.0.1:1", "--host-token", "t")
    assert (ended.status, "http://127.0.0.1:1 does not answer" in ended.err) == (1, True)
    assert "needs its host's token" in run("tournament", str(file), "--server", "http://127.0.0.1:1").err


def test_a_key_that_is_not_there_is_told_before_anything_is_begun(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    ended = run("tournament", str(file))
    assert (ended.status, ended.out) == (1, "")
    assert "the variable SOME_KEY of the environment has no key" in ended.err
    assert not file.with_suffix("").exists()


def test_a_strategy_file_that_raises_is_told_with_its_line(run: Run, file: Path) -> None:
    (file.parent / "mine.py").write_text("import random\n\nWORDS = random.nothing\n")
    file.write_text(GOOD.replace('"field-words"', '"mine.py:Mine"'))
    ended = run("tournament", str(file))
    assert ended.status == 1
    assert "mine.py cannot be loaded: AttributeError" in ended.err
    assert "line 3" in ended.err


def test_a_folder_keeps_to_its_plan_and_to_one_run(file: Path) -> None:
    file.write_text(GOOD)
    out, plan = file.parent / "out", load(file)
    with held(out, plan), pytest.raises(ArenaError, match="is running in"), held(out, plan):
        pass
    file.write_text(GOOD.replace("repeats = 2", "repeats = 3"))
    with pytest.raises(PlanError, match="another plan"), held(out, load(file)):
        pass
    file.write_text(GOOD.replace('title = "Autumn"', 'title = "Winter"\nparallel = 1'))
    with held(out, load(file)):
        pass


def test_what_the_documentation_shows_is_a_plan(file: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tournaments.md").read_text(encoding="utf-8")
    whole, player, _ = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file.write_text(whole + player)
    plan = load(file)
    assert [each.name for each in plan.players] == ["greedy", "chain", "small model"]
    assert (plan.budget.submissions, plan.repeats, len(plan.games[0].rounds)) == (20, 2, 2)
