"""Searching at home: within the rules, within a budget, against the packaged judge."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bots.budget import Budget
from bots.home import search
from bots.strategy import load_strategy
from xentarena import ArenaError, Judge, OfflineRound

SEA = "The tide came in over the flats before the boats were home; the captain watched the waves from the harbour."
ASKED_AGAIN = 'elicit(x, 4)\nensure(len(x.split()) > 1, say="Two words at least")\nreward(xent(x))\n'


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


class Listed:
    """Plays what it is given, in order, and remembers what it was told."""

    def __init__(self, *moves: str) -> None:
        self.moves = list(moves)
        self.told: list[tuple[str, float | None]] = []

    def propose(self) -> str:
        return self.moves[0]

    def learn(self, move: str, bits: float | None) -> None:
        self.told.append((move, bits))
        self.moves.append(self.moves.pop(0))


class Curious(Listed):
    def __init__(self, *moves: str) -> None:
        super().__init__(*moves)
        self.refused: list[str] = []

    def refuse(self, move: str, why: str) -> None:
        self.refused.append(why)
        self.moves.append(self.moves.pop(0))


def test_no_attempt_is_spent_on_what_does_not_count_as_it_stands(judge: Judge) -> None:
    long, own = "wind and rain over a long grey beach at night in winter", "storm harbours"
    strategy = Listed(long, own, "storm at sea")
    curve = search(strategy, OfflineRound("condense_strict", [SEA], judge=judge), Budget(submissions=1))
    assert [bits is None for _, bits in strategy.told] == [True, True, False]
    assert [step.move for step in curve.steps] == ["storm at sea"]


def test_who_asks_is_told_what_the_rules_say(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "game.xent").write_text(ASKED_AGAIN)
    strategy = Curious("storm", "one two three four five six seven", "storm at sea")
    search(strategy, OfflineRound(tmp_path / "game.xent", judge=judge), Budget(submissions=1))
    again, long = strategy.refused
    assert again == "The game would ask again: Two words at least."
    assert "only 4 count" in long
    assert [move for move, _ in strategy.told] == ["storm at sea"]


def test_who_insists_gets_its_will(judge: Judge) -> None:
    strategy = Listed("wind and rain over a long grey beach at night in winter")
    curve = search(strategy, OfflineRound("condense", [SEA], judge=judge), Budget(submissions=1))
    assert strategy.told[-1][1] == curve.best


@pytest.mark.parametrize("name", ["greedy", "mcmc"])
def test_a_packaged_search_at_home_earns_what_the_game_says_and_its_best_rises(judge: Judge, name: str) -> None:
    round_ = OfflineRound("condense_strict", [SEA], judge=judge)
    curve = search(load_strategy(name)([SEA], "1"), round_, Budget(submissions=40))
    earned = [step.bits for step in curve.steps]
    assert earned == sorted(set(earned))
    assert curve.spent.submissions == 40
    assert curve.spent.judge_tokens == round_.read
    again = OfflineRound("condense_strict", [SEA], judge=judge)
    assert [again.play([step.move]).rewards["black"] for step in curve.steps] == earned


@pytest.mark.parametrize(
    ("budget", "spent"),
    [
        (Budget(judge_tokens=600), lambda curve: 600 <= curve.spent.judge_tokens < 600 + 100),
        (Budget(seconds=0.2, submissions=10_000), lambda curve: curve.spent.seconds >= 0.2),
    ],
    ids=["judge tokens", "seconds"],
)
def test_each_kind_of_budget_ends_it(judge: Judge, budget: Budget, spent: object) -> None:
    curve = search(load_strategy("random")([SEA], "1"), OfflineRound("condense", [SEA], judge=judge), budget)
    assert callable(spent)
    assert spent(curve)


def test_a_game_of_several_moves_is_played_at_home(judge: Judge) -> None:
    strategy = load_strategy("random")([SEA], "1")
    curve = search(strategy, OfflineRound("best_of_three", [SEA], judge=judge), Budget(submissions=2))
    assert all(step.move.count(" / ") == 2 for step in curve.steps)
    assert curve.steps


def test_there_is_an_end_where_nothing_new_comes(judge: Judge) -> None:
    curve = search(Listed("storm at sea"), OfflineRound("condense", [SEA], judge=judge), Budget(judge_tokens=100_000))
    assert curve.spent.submissions == 1001


def budgets() -> Sequence[dict[str, float]]:
    return [{"submissions": 0}, {"judge_tokens": 0}, {"seconds": 0}, {"seconds": float("nan")}]


@pytest.mark.parametrize("given", budgets(), ids=str)
def test_a_budget_of_nothing_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(ArenaError, match="budget"):
        Budget(**given)


def test_a_search_without_an_end_is_refused(judge: Judge) -> None:
    with pytest.raises(ArenaError, match="give it one"):
        search(Listed("a"), OfflineRound("condense", [SEA], judge=judge), Budget())
