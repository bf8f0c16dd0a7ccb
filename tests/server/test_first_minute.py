"""The first minute's numbers are those of the usual judge."""

from pathlib import Path

import pytest

from judge.judge import Judge, Pair
from server.web import first_minute


@pytest.mark.slow
def test_the_numbers_are_what_the_usual_judge_says(installed_judges: Path) -> None:
    judge = Judge.load(installed_judges / "smollm2-135m", device="cpu")
    for guess in first_minute.GUESSES:
        found = [
            sum(judge.measure([Pair(first_minute.FRAME.format(hint) + first_minute.SENTENCE, f" {guess.word}")])[0])
            for hint in ("", first_minute.HINT)
        ]
        assert found == pytest.approx([guess.bits, guess.hinted], abs=0.06)


def test_a_chance_is_what_the_bits_say() -> None:
    assert [guess.chance for guess in first_minute.GUESSES] == ["62 %", "5 %", "one in 600", "one in 198,700"]
