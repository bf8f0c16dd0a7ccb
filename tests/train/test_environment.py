"""The environment of Gymnasium: what its own checker says, and the same bits as plays by themselves."""

from pathlib import Path

import gymnasium
import numpy
import pytest
from gymnasium.utils.env_checker import check_env

from xentarena import InputError, Judge, play
from xentarena.environment import ArenaEnv, ArenaVectorEnv

STORY = "The tide came in over the flats before the boats were home."
OTHER = "Gulls cried over the harbour."
SHORT = 'elicit(x, 5)\nensure(len(x) < 9, say="Shorter.")\nassign(l=x.split())\nreward(xent(l[1]))\n'
MADE = "xentarena.environment:xentarena/Play-v0"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A game that asks again for a long move, and has no score for one of a single word."""
    (tmp_path / "game.xent").write_text(SHORT)
    return tmp_path / "game.xent"


@pytest.mark.filterwarnings("ignore:.*render")
def test_gymnasium_finds_nothing_wrong_with_it() -> None:
    made = gymnasium.make(MADE, game="condense", passages=[[STORY]], judge="pocket")
    check_env(made.unwrapped, skip_render_check=True)


def test_a_step_earns_what_the_play_earns(judge: Judge) -> None:
    made = gymnasium.make(MADE, game="condense", passages=[[STORY]], judge=judge)
    seen, _ = made.reset(seed=1)
    assert STORY in seen
    assert seen.endswith("Write x, at most 10 tokens (about 7 words).")
    told, bits, ended, cut, facts = made.step("a sea story")
    assert (bits, ended, cut) == (play("condense", [STORY], ["a sea story"], judge=judge).rewards["black"], True, False)
    assert facts["outcome"].rewards == {"black": bits}
    assert "You wrote: a sea story" in told


def test_a_game_of_several_moves_tells_what_each_earned_and_pays_at_the_end(judge: Judge) -> None:
    made = ArenaEnv("best_of_three", [[STORY]], judge=judge)
    made.reset(seed=1)
    moves = ["sea", "a tide", "boats at sea"]
    steps = [made.step(move) for move in moves]
    assert [(bits, ended) for _, bits, ended, _, _ in steps[:2]] == [(0.0, False)] * 2
    assert steps[2][1:3] == (play("best_of_three", [STORY], moves, judge=judge).rewards["black"], True)
    assert "Shown: " in steps[0][0]
    with pytest.raises(gymnasium.error.ResetNeeded):
        made.step("more")


def test_what_is_refused_says_why_and_goes_on_where_the_game_does(judge: Judge, short: Path) -> None:
    made = ArenaEnv(short, judge=judge, refused=-5.0, steps=4)
    made.reset(seed=1)
    again = [made.step(move) for move in ("", "sea\x00", "far too long")]
    assert [step[1:4] for step in again] == [(-5.0, False, False)] * 3
    assert [step[4]["refused"] for step in again][::2] == ["The move is empty.", "Shorter."]
    assert "control character" in again[1][4]["refused"]
    assert made.step("one")[1:4] == (-5.0, True, False), "it ends without a score"
    made.reset()
    assert [made.step("")[2:4] for _ in range(4)] == [(False, False)] * 3 + [(False, True)]


def test_many_plays_earn_what_each_would_alone(judge: Judge) -> None:
    many = ArenaVectorEnv(4, "best_of_three", [[STORY], [OTHER]], judge=judge, refused=-1.0)
    seen, _ = many.reset(seed=3)
    assert {STORY in each for each in seen} == {True, False}
    alone = []
    for each in seen:
        alone.append(ArenaEnv("best_of_three", [[STORY if STORY in each else OTHER]], judge=judge, refused=-1.0))
        alone[-1].reset()
    ended = numpy.zeros(4, dtype=bool)
    for actions in (["sea", "", "law", "x"], ["sea", "a", "b", "c"], ["boat", "a", "b", "d"]):
        told, bits, ended, _, facts = many.step(actions)
        steps = [one.step(action) for one, action in zip(alone, actions, strict=True)]
        assert [(step[0], step[1], step[2]) for step in steps] == list(zip(told, bits, ended, strict=True))
        assert [step[4]["refused"] for step in steps] == list(facts["refused"])
    assert list(ended) == [True, False, True, True]
    told, bits, ended, _, _ = many.step(["ignored", "last", "ignored", "ignored"])
    assert list(ended) == [False, True, False, False]
    assert "You wrote" in told[1]
    assert [("You wrote" in each, earned) for each, earned in zip(told, bits, strict=True)][::2] == [(False, 0.0)] * 2


def test_they_are_made_by_name(judge: Judge) -> None:
    made = gymnasium.make_vec(
        MADE, num_envs=2, vectorization_mode="vector_entry_point", game="condense", passages=[[STORY]], judge=judge
    )
    made.reset(seed=1)
    assert made.action_space.contains(("sea", "Zürich 海"))
    assert list(made.step(("sea", "sea"))[1]) == [play("condense", [STORY], ["sea"], judge=judge).rewards["black"]] * 2


def test_what_cannot_be_played_is_told(judge: Judge) -> None:
    with pytest.raises(InputError, match="2 players"):
        ArenaEnv("debate", [[STORY]], judge=judge)
    with pytest.raises(InputError, match="the game takes 1 passage, not 0"):
        ArenaEnv("condense", judge=judge)
    with pytest.raises(InputError, match="at least one round"):
        ArenaEnv("condense", [], judge=judge)
    made = ArenaVectorEnv(2, "condense", [[STORY]], judge=judge)
    made.reset()
    with pytest.raises(InputError, match="2 plays take as many moves, not 1"):
        made.step(["sea"])
