"""Games of several moves: all moves of a play are searched at once; and plays against others at home."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.budget import Budget
from bots.home import search
from bots.strategies.steps import EVERY, Recited, Steps
from bots.strategies.vocabulary import Vocabulary
from bots.strategy import View
from xentarena import ArenaError, Judge, OfflineRound
from xentarena.events import EnsureFailed

SEA = "The tide came in over the flats before the boats were home; the captain watched the waves."
DUEL = "# Duel\n\nassign(s=story())\nelicit(black, x, 8)\nelicit(white, y, 8)\nreward(black, xed(s | x + y))\n"
ASKING = EnsureFailed.model_validate(
    {"type": "ensure_failed", "line": 2, "seat": "black", "condition": "c", "left": None, "right": None, "failures": 1}
)


def view(events: tuple[EnsureFailed, ...] = ()) -> View:
    return View("G", "Rules.", [], "black", "x", 12, {}, events)


def played(strategy: Steps, steps: int) -> list[list[str]]:
    moves = []
    for _ in range(steps):
        strategy.look(view())
        moves.append(strategy.propose().split())
    return moves


def letters(count: int) -> Steps:
    strategy = Steps([], "1")
    words = [f"word{number}" for number in range(count)]
    strategy.words = Vocabulary(words, words, random.Random(5))
    return strategy


def test_all_steps_of_a_play_are_climbed_and_the_best_is_kept() -> None:
    """Each step earns by the smallest number of a word in it: what only counts all together is found as well."""
    strategy = letters(30)
    for _ in range(400):
        moves = played(strategy, 3)
        bits = -float(sum(min(int(word[4:]) for word in move) for move in moves))
        before = strategy.best
        strategy.learn(" ".join(moves[0]), bits)
        differing = [step for step in range(3) if before and moves[step] != before[step]]
        assert len(differing) <= 1, "one step is changed in a play"
    assert strategy.bits == 0.0


def test_who_is_asked_again_says_something_else_at_the_same_step() -> None:
    strategy = letters(200)
    (first,) = played(strategy, 1)
    strategy.look(view((ASKING,)))
    second = strategy.propose().split()
    strategy.refuse(" ".join(second), "too long")
    third = strategy.propose().split()
    assert len({tuple(first), tuple(second), tuple(third)}) == 3
    assert len(third) <= 5
    fourth = played(strategy, 1)[0]
    strategy.learn(" ".join(third), 3.0)
    assert strategy.best == [third, fourth]


def test_against_others_what_was_best_by_luck_is_found_out() -> None:
    strategy = letters(50)
    bits: Iterator[float] = iter([100.0] + [1.0] * EVERY)
    for _ in range(EVERY + 1):
        strategy.learn(" ".join(played(strategy, 1)[0]), next(bits))
    assert strategy.bits == 1.0


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


def test_a_strategy_plays_fixed_texts_and_itself_at_home(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "duel.xent").write_text(DUEL)
    round_ = OfflineRound(tmp_path / "duel.xent", [SEA], judge=judge)
    with pytest.raises(ArenaError, match="Nobody sits at white"):
        search(Steps([SEA], "1"), round_, Budget(submissions=1))
    curve = search(Steps([SEA], "1"), round_, Budget(submissions=12), {"white": Recited(["a wedding", "taxes"])})
    assert curve.best is not None
    black, white = Steps([SEA], "1"), Steps([SEA], "2")
    search(black, round_, Budget(submissions=12), {"white": white})
    assert black.plays == white.plays == 12
    assert black.bits is not None
    assert white.bits is not None
    climbed = search(Steps([SEA], "1"), OfflineRound("best_of_three", [SEA], judge=judge), Budget(submissions=12))
    assert climbed.steps[-1].bits > climbed.steps[0].bits
    assert climbed.steps[-1].move.count(" / ") == 2
