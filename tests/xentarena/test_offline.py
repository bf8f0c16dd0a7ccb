"""`xentarena.play`: one play of a game, without a server."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.frames import framed
from xentarena import InputError, Judge, OfflineRound, Pair, play, play_many

STORY = "The tide came in over the flats before the boats were home."
TWO_SEATS = """
elicit(black, x, 5)
elicit(white, y, 5)
reward(black, xent(y))
"""


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


def test_a_play_earns_what_the_move_saves(judge: Judge) -> None:
    outcome = play("condense", [STORY], ["sea story"], judge=judge)
    alone, helped = judge.measure([Pair(framed(""), STORY), Pair(framed("sea story"), STORY)])
    assert outcome.status == "scored"
    assert outcome.rewards["black"] == pytest.approx(sum(alone) - sum(helped), abs=0.002)
    assert (outcome.judge, outcome.identity, outcome.moves_left) == ("pocket", judge.identity, 0)


def test_a_judge_is_loaded_by_its_name(judge: Judge) -> None:
    assert play("condense", [STORY], ["sea"]).rewards == play("condense", [STORY], ["sea"], judge=judge).rewards


def test_a_play_whose_moves_run_out_says_what_it_awaits(judge: Judge) -> None:
    outcome = play("condense", [STORY], judge=judge)
    assert outcome.status == "awaiting_move"
    assert outcome.awaits is not None
    assert (outcome.awaits.seat, outcome.awaits.register_, outcome.awaits.registers["s"]) == ("black", "x", STORY)


def test_a_file_with_two_seats(judge: Judge, tmp_path: Path) -> None:
    file = tmp_path / "game.xent"
    file.write_text(TWO_SEATS)
    outcome = play(file, moves={"black": ["calm"], "white": ["storm", "again"]}, judge=judge)
    assert outcome.rewards["white"] == -outcome.rewards["black"]
    assert outcome.moves_left == 1


def test_the_house_takes_a_seat(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "two.xent").write_text(TWO_SEATS)
    alone = play(tmp_path / "two.xent", [], ["a ship"], judge=judge, house={"white": ["at sea"]})
    both = play(tmp_path / "two.xent", [], {"black": ["a ship"], "white": ["at sea"]}, judge=judge)
    assert alone.rewards == both.rewards
    many = play_many(tmp_path / "two.xent", [], ["a ship", "a boat"], judge=judge, house={"white": "random_words"})
    assert len({each.rewards["black"] for each in many}) == 1, "the same words in all plays of a round"


def test_a_play_that_ends_badly_says_why_and_where(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "game.xent").write_text("elicit(x, 5)\nassign(l=x.split())\nassign(s=l[9])\nreward(xent(s))")
    outcome = play(tmp_path / "game.xent", moves=["a"], judge=judge)
    assert outcome.status == "void"
    assert outcome.reason is not None
    assert outcome.reason.line == 3


@pytest.mark.parametrize(
    ("game", "moves"),
    [
        ("condense", ["sea story", "tide flats", "a boat", "sea story", "boats " * 30]),
        (TWO_SEATS, [{"black": ["calm"], "white": ["storm", "again"]}, {"black": ["calm"]}, {"white": ["x"]}]),
        ("elicit(x, 5)\nassign(l=x.split())\nassign(s=l[1])\nreward(xent(s | 'sea'))", ["a", "a b", "a c d"]),
        ("elicit(x, 5)\nreward(xent(x))\nelicit(y, 5)\nreward(xent(y | x))", [["a b", "c"], ["a b"], ["c", "a b"]]),
    ],
    ids=["one move", "two seats", "void", "two moves"],
)
def test_many_plays_are_what_each_is_by_itself(judge: Judge, tmp_path: Path, game: str, moves: list[Any]) -> None:
    if "\n" in game:
        (tmp_path / "game.xent").write_text(game)
        game = str(tmp_path / "game.xent")
    stories = [STORY] if game == "condense" else []
    alone = [play(game, stories, [each] if isinstance(each, str) else each, judge=judge) for each in moves]
    assert play_many(game, stories, moves, judge=judge) == alone
    assert {"scored", "awaiting_move", "void"} >= {each.status for each in alone}
    again = OfflineRound(game, stories, judge=judge)
    assert [*again.play_many(moves[:2]), *again.play_many(moves[1:])] == [*alone[:2], *alone[1:]]


def test_a_round_keeps_what_was_measured_and_counts_what_was_read(judge: Judge) -> None:
    round_ = OfflineRound("condense", [STORY], judge=judge)
    round_.play_many(["sea", "boat", "sea"])
    texts = [text for hint in ("", "sea", "boat") for text in (framed(hint), STORY)]
    assert round_.read == sum(map(judge.tokens.count, texts))
    before = round_.read
    round_.play(["boat"])
    assert round_.read == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"game": "no-such-game"}, "no game 'no-such-game': name a .xent file, or one of .*condense"),
        ({"stories": []}, "the game takes 1 passage, not 0"),
        ({"stories": [" "]}, "Passage 1 is empty"),
        ({"stories": STORY}, "passages are a list of texts, not a text"),
        ({"stories": [3]}, r"Passage 1 is no text \(str\) but int: 3"),
        ({"stories": ["tide " * 1_500]}, "give shorter passages or another judge"),
        ({"moves": "sea"}, "moves are a list of texts"),
        ({"moves": ["half \ud83d"]}, "surrogate"),
        ({"moves": ["sea", 0.5]}, r"A move of black is no text \(str\) but float: 0.5"),
        ({"moves": {"white": ["sea"]}}, "nobody sits at 'white' in this game: its seats are black"),
        ({"judge": "./nowhere"}, "no judge './nowhere'"),
        ({"house": {"white": "chess"}}, "the house has no bot 'chess'; it has random_words and key_words"),
        ({"house": {"white": []}}, "the house says 1 to 64 texts in a seat, not 0"),
        ({"house": {"white": ["a"]}}, "the house has the seat 'white', which the game does not ask"),
        ({"judge": {}}, "the game asks a further judge, 'main'"),
    ],
)
def test_what_cannot_be_used_is_told(judge: Judge, arguments: dict[str, Any], told: str) -> None:
    good: dict[str, Any] = {"game": "condense", "stories": [STORY], "moves": ["sea"], "judge": judge}
    with pytest.raises(InputError, match=told):
        play(**good | arguments)


def test_of_many_moves_it_is_told_which_cannot_be_used(judge: Judge) -> None:
    round_ = OfflineRound("condense", [STORY], judge=judge)
    with pytest.raises(InputError, match=r"A move of black in moves\[1\] is empty"):
        round_.play_many(["sea", " "])
    with pytest.raises(InputError, match="moves are a list of texts, not a text"):
        round_.play_many("sea")


def test_a_file_with_errors_is_told_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "game.xent").write_text("reward(3)\nnonsense()\n")
    with pytest.raises(InputError, match=r"does not pass the check:\n(.|\n)*nonsense"):
        play(tmp_path / "game.xent")
