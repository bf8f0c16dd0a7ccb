"""How a strategy is found: by a registered name, or as a class in a file of one's own."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bots import runner, strategy
from bots.strategies import searches
from bots.strategy import StrategyError, load_strategy
from tests.xentarena.builders import joined, preview, round_, submission
from tests.xentarena.scripted import Answer, serving

ROUNDS = Answer(200, {"items": [round_()], "next": None})
CLIMBER = """
from dataclasses import dataclass

import words_of_mine

@dataclass
class Climber:
    passages: list[str]
    seed: str

    def propose(self):
        return words_of_mine.FIRST

    def learn(self, move, bits):
        pass

def climber(passages, seed):
    return Climber(passages, seed)

class Half:
    def propose(self):
        return ""

class Silent(Climber):
    def propose(self):
        return None

def nothing(passages, seed):
    return None

NUMBER = 3
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with strategies that stands beside what it imports."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "words_of_mine.py").write_text('FIRST = "anchor"')
    (tmp_path / "my_file.py").write_text(CLIMBER)
    return tmp_path / "my_file.py"


def registered(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """As if these entry points were what is installed."""
    entries = [EntryPoint(name.partition("__")[0], value, strategy.GROUP) for name, value in values.items()]
    monkeypatch.setattr(
        strategy, "entry_points", lambda group, name=None: [each for each in entries if name in (None, each.name)]
    )


def test_the_packaged_strategy_is_registered_like_any_other() -> None:
    assert load_strategy("random") is searches.random_words
    black = ["anneal", "beam", "climb", "field-words", "greedy", "mcmc", "random"]
    assert strategy.names() == sorted([*black, "steps", "ascent", "gcg", "gumbel", "hmc", "langevin"])


def test_an_unknown_strategy_names_the_known_and_the_way_to_ones_own() -> None:
    with pytest.raises(
        StrategyError, match=r"no strategy 'randon'; there is: anneal, .*, random, .*\. .*FILE\.py:CLASS"
    ):
        load_strategy("randon")


def test_an_entry_point_of_another_package_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, other="bots.strategies.searches:climb")
    assert load_strategy("other") is searches.climb


def test_a_name_that_two_packages_offer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, same__1="one:Player", same__2="two:Player")
    with pytest.raises(StrategyError, match=r"Several .* 'same': one:Player, two:Player"):
        load_strategy("same")


def test_an_entry_point_that_leads_nowhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, gone="no_such_package:Player")
    with pytest.raises(StrategyError, match=r"'gone' \(no_such_package:Player\) cannot be loaded: .*No module named"):
        load_strategy("gone")


@pytest.mark.parametrize("name", ["Climber", "climber"])
def test_a_class_or_a_function_of_a_file_plays(file: Path, name: str) -> None:
    with serving(Answer(201, joined()), ROUNDS, Answer(200, preview()), Answer(201, submission())) as script:
        runner.run(f"{file}:{name}", script.url, code="K", budget=1, say=lambda line: None)
    assert script.asked[0].body["name"].startswith(f"{name}-")
    assert script.asked[-1].body == {"move": "anchor"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Clamber", r"has no 'Clamber'; it has: Climber, Half, Silent, climber, nothing\."),
        ("Half", r":Half is not a strategy: it has no learn\. A strategy has the methods propose and learn\."),
        ("NUMBER", r":NUMBER is not a strategy: it is 3, not a class\."),
        ("", r"Say which class of .*my_file\.py is the strategy: .*my_file\.py:CLASS\."),
    ],
)
def test_what_is_no_strategy_is_refused_before_anything_is_sent(file: Path, name: str, told: str) -> None:
    with pytest.raises(StrategyError, match=told):
        load_strategy(f"{file}:{name}")


def test_a_file_without_a_class_says_how_to_name_one(file: Path) -> None:
    with pytest.raises(StrategyError, match=r"my_file\.py:CLASS"):
        load_strategy(str(file))


@pytest.mark.parametrize(
    ("name", "told"), [("nothing", "NoneType is not a strategy"), ("Silent", r"Silent\.propose\(\) gave None")]
)
def test_what_turns_out_to_be_no_strategy_ends_the_run(file: Path, name: str, told: str) -> None:
    with serving(Answer(201, joined()), ROUNDS) as script, pytest.raises(StrategyError, match=told):
        runner.run(f"{file}:{name}", script.url, code="K", budget=1)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"There is no file .*missing\.py\."):
        load_strategy(f"{tmp_path / 'missing.py'}:Climber")


def test_a_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(StrategyError, match=r"notes\.txt is not a Python file"):
        load_strategy(f"{tmp_path / 'notes.txt'}:Climber")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\nraise ValueError('no words')", r"ValueError: no words \(broken\.py, line 2\)"),
        ("import nothing_there", r"No module named 'nothing_there' \(broken\.py, line 1\)"),
        ("def propose(:", r"line 1: invalid syntax"),
    ],
)
def test_a_file_that_raises_is_told_with_its_line(tmp_path: Path, code: str, told: str) -> None:
    (tmp_path / "broken.py").write_text(code)
    with pytest.raises(StrategyError, match=rf"broken\.py cannot be loaded: .*{told}"):
        load_strategy(f"{tmp_path / 'broken.py'}:Climber")
