"""Programs that try to break out of the language, or to hold the engine: refused, or stopped by a counted budget."""

import pytest

from games import limits
from games.errors import ProgramErrors
from games.program import parse
from games.protocol import Finished, Status
from tests.games import playing
from tests.support.attacks import ATTACKS, REFUSED
from tests.support.games import ESCAPES


@pytest.mark.parametrize("source", ESCAPES, ids=range(len(ESCAPES)))
def test_a_program_that_would_break_out_is_refused(source: str) -> None:
    with pytest.raises(ProgramErrors) as caught:
        parse(source)
    assert caught.value.errors


def test_ten_megabytes_are_refused_before_they_are_read() -> None:
    with pytest.raises(ProgramErrors) as caught:
        parse("(" * 10_000_000)
    assert [error.found for error in caught.value.errors] == ["a program of 10,000,000 bytes or more"]


def test_bytes_are_counted_not_characters() -> None:
    with pytest.raises(ProgramErrors, match="66,001 bytes"):
        parse("#" + "é" * 33_000)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_attack_on_the_check_is_refused(name: str) -> None:
    with pytest.raises(ProgramErrors):
        parse(ATTACKS[name])


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - REFUSED))
def test_an_attack_on_the_engine_is_stopped_by_a_counted_budget(name: str) -> None:
    program = parse(ATTACKS[name])
    given = playing.setup(*["The ferry left at seven. " * 100] * program.passages, context=1_000_000)
    end = playing.play(program, given, *["a b c d e"] * limits.MOVES)
    assert isinstance(end, Finished)
    assert end.status is Status.VOID
    assert end.reason is not None
    assert end.reason.type == "budget"


def test_the_budget_of_work_is_named() -> None:
    program = playing.program(
        "assign(s=story())",
        "beacon(flag_1)",
        "assign(t=" + " + ".join(["remove_common_words(s, s)"] * 60) + ")",
        "replay(flag_1, 100)",
    )
    end = playing.play(program, playing.setup("The ferry left at seven. " * 400))
    assert isinstance(end, Finished)
    assert end.reason is not None
    assert end.reason.detail == "the play went over its budget of 3,000,000 units of work"


def test_a_program_of_many_words_and_signs_is_refused_once() -> None:
    with pytest.raises(ProgramErrors) as caught:
        parse("\n".join(["assign(l=[" + ",".join(["x"] * 900) + "])"] * 30))
    assert len(caught.value.errors) == 1
    assert "words and signs" in caught.value.errors[0].message
