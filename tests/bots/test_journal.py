"""A journal is what a player that was killed goes on from."""

from functools import partial
from pathlib import Path

import pytest

from bots.journal import Journal, JournalError
from bots.play import Play
from bots.strategy import StrategyError
from tests.xentarena.builders import preview, round_, submission
from tests.xentarena.scripted import Answer, serving
from xentarena.client import Client
from xentarena.models import Round


class Fixed:
    def __init__(self, move: str) -> None:
        self.move = move

    def propose(self) -> str:
        return self.move

    def learn(self, move: str, bits: float | None) -> None:
        pass


def test_what_was_written_is_read_in_order_and_then_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    first = Journal(file)
    assert [first.once("reply", partial(dict, n=n))["n"] for n in range(2)] == [0, 1]
    first.write("wasted", {"n": -1})
    again = Journal(file)
    assert [again.once("reply", lambda: {"n": 7})["n"] for _ in range(4)] == [0, 1, 7, 7]
    assert len(Journal(file).records) == 5


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_line_that_a_kill_cut_off_was_never_written(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "log.jsonl"
    journal = Journal(file)
    journal.once("reply", lambda: {"text": "one"})
    journal.once("reply", lambda: {"text": "two"})
    file.write_bytes(file.read_bytes()[:-cut])
    again = Journal(file)
    assert [again.once("reply", lambda: {"text": "anew"})["text"] for _ in range(2)] == ["one", "anew"]
    assert [each["text"] for each in Journal(file).records] == ["one", "anew"]


def test_another_players_journal_and_no_journal_at_all_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    Journal(file).once("reply", dict)
    with pytest.raises(JournalError, match=r"log.jsonl, line 1: here a 'look' is due, and a 'reply'"):
        Journal(file).once("look", dict)
    file.write_text("[1]\n")
    with pytest.raises(JournalError, match=r"line 1: this is no record"):
        Journal(file)


def test_a_move_is_sent_again_with_its_key_and_a_strategy_that_plays_another_one_is_told(tmp_path: Path) -> None:
    file, round_of = tmp_path / "log.jsonl", Round.model_validate(round_())
    answers = Answer(200, preview()), Answer(201, submission())
    for cut in (0, 1):  # the second time as if it was killed after the move was sent, before its score was written
        with serving(*answers[cut:]) as script, Client(script.url, "t") as client:
            Play(client, round_of, Fixed("sea"), key=lambda step: f"cell-{step}", journal=Journal(file)).run()
        assert script.asked[-1].headers["Idempotency-Key"] == "cell-1"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:1]))
    with serving(*answers) as script, Client(script.url, "t") as client:
        with pytest.raises(StrategyError, match="Fixed proposed 'sea' before, and now 'ship'"):
            Play(client, round_of, Fixed("ship"), journal=Journal(file)).run()
        assert not script.asked
