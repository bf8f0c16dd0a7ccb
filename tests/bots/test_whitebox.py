"""Searches that look inside the packaged judge: within the rules, counted, and better than guessing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bots.budget import Budget, Curve
from bots.home import search
from bots.strategies import gradients
from bots.strategy import StrategyError
from bots.whitebox import PROBES, WhiteBox, at_home, white_box
from xentarena import Judge, OfflineRound
from xentarena.models import Submission

PASSAGE = "Waves rolled in, and gulls cried over the harbour."
METHODS = {
    "gcg": gradients.gcg,
    "ascent": gradients.ascent,
    "gumbel": gradients.gumbel,
    "langevin": gradients.langevin,
    "hmc": gradients.hmc,
}
COUNT = PROBES + 3
EVERY = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket", device="cpu")


class Watched:
    """A strategy, and what it was told."""

    def __init__(self, inner: WhiteBox) -> None:
        self.inner = inner
        self.told: list[tuple[str, float | None]] = []
        self.propose: Callable[[], str] = inner.propose
        self.review = inner.review

    @property
    def read(self) -> int:
        return self.inner.read

    def learn(self, move: str, bits: float | None) -> None:
        self.told.append((move, bits))
        self.inner.learn(move, bits)


def run(
    method: white_box, judge: Judge, count: int, game: str | Path = "condense_strict"
) -> tuple[Watched, Curve, int]:
    watched = Watched(method.inside(judge)([PASSAGE], "1"))
    round_ = OfflineRound(game, [PASSAGE], judge=judge)
    curve = search(watched, round_, Budget(submissions=count))
    return watched, curve, round_.read


@EVERY
def test_it_plays_within_the_rules_counts_what_it_reads_and_improves_on_its_probes(
    method: white_box, judge: Judge
) -> None:
    watched, curve, read = run(method, judge, COUNT)
    played = [(move, bits) for move, bits in watched.told if bits is not None]
    assert len({move for move, _ in played}) == len(played) == COUNT
    assert all(judge.tokens.count(move) <= 10 for move, _ in played)
    assert curve.spent.judge_tokens == read + watched.read > read
    assert curve.best is not None
    assert curve.best > max(bits for _, bits in played[:PROBES])
    again, *_ = run(method, judge, PROBES + 1)
    assert again.told == watched.told[: len(again.told)]
    assert watched.inner.stats
    assert watched.inner.summary()


def test_it_reads_no_further_than_its_budget_but_for_a_pass_and_a_play(judge: Judge) -> None:
    """Cooling down takes dozens of passes between two moves."""
    strategy, budget = gradients.gumbel.inside(judge)([PASSAGE], "1"), 900
    curve = search(strategy, OfflineRound("condense_strict", [PASSAGE], judge=judge), Budget(judge_tokens=budget))
    there_and_back = 2 * (judge.tokens.count(PASSAGE) + 20)  # 20: more than a move and what stands around it
    assert budget <= curve.spent.judge_tokens <= budget + 2 * there_and_back
    assert curve.spent.submissions > PROBES


def test_gcg_knows_what_the_game_will_pay(judge: Judge) -> None:
    strategy = gradients.gcg.inside(judge)([PASSAGE], "2")
    round_ = OfflineRound("condense", [PASSAGE], judge=judge)
    search(strategy, round_, Budget(submissions=PROBES))
    assert strategy.inside is not None
    moves = ["storm at sea", "boats, nets, a fishing village"]
    earned = [outcome.rewards["black"] for outcome in round_.play_many(moves)]
    assert strategy.inside.paid_for(moves) == pytest.approx(earned, abs=2e-3)


def test_a_game_that_measures_the_move_itself_or_nothing_behind_it_is_refused(judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="measures the move itself"):
        run(gradients.gcg, judge, 1, "shortest_explanation")
    (tmp_path / "game.xent").write_text("elicit(x, 9)\nassign(s=story())\nreward(xent(s))\n")
    with pytest.raises(StrategyError, match="no text that it stands behind the move"):
        run(gradients.gcg, judge, 1, tmp_path / "game.xent")


def test_by_what_a_server_tells_of_a_play_it_finds_the_judge_or_says_that_there_is_none(judge: Judge) -> None:
    strategy = gradients.gcg([PASSAGE], "1")
    played = OfflineRound("condense", [PASSAGE], judge=judge).play(["storm at sea"])
    told = Submission.model_construct(events=played.events, judge=judge.identity, profile="arena")
    strategy.review(told)
    assert strategy.inside is not None
    assert strategy.inside.paid_for(["storm at sea"]) == pytest.approx([played.rewards["black"]], abs=2e-3)
    with pytest.raises(StrategyError, match=r"\(0{12}…\) is none that is installed here"):
        at_home("0" * 64)


def test_a_judge_of_other_weights_is_found_out(judge: Judge) -> None:
    other = Judge.load("pocket-backward", device="cpu")
    strategy = gradients.gcg.inside(other)([PASSAGE], "1")
    with pytest.raises(StrategyError, match="the same weights"):
        search(strategy, OfflineRound("condense", [PASSAGE], judge=judge), Budget(submissions=3))


def test_of_a_game_of_another_profile_it_says_so(judge: Judge) -> None:
    strategy = gradients.gcg.inside(judge)([PASSAGE], "1")
    round_ = OfflineRound("condense", [PASSAGE], judge=judge, profile="xent-0.5")
    with pytest.raises(StrategyError, match="knows the profile arena, not"):
        search(strategy, round_, Budget(submissions=3))
