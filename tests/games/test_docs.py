"""docs/writing-games.md says what is true: its programs pass the check, its tables are the code's."""

import html
import re
from pathlib import Path

import pytest

from games import limits
from games.builtins import confusables, words
from games.builtins.judging import QUESTION
from games.compiler.calls import NAMES
from games.program import parse
from tests.games.playing import without_banned_words

PAGE = (Path(__file__).parents[2] / "docs" / "writing-games.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```xent\n(.*?)```", PAGE, re.DOTALL)
_CELL = r"(?: `([^`]+)`)? \|"
_TABLE_OF_TRICKS = PAGE.split("With *dragon* banned:")[1].split("\n\n")[1]
#: What is written, what the parity rule leaves, what the hardened rule leaves.
TRICKS = re.findall(rf"^\|{_CELL * 3}", _TABLE_OF_TRICKS, re.MULTILINE)


@pytest.mark.parametrize("source", PROGRAMS)
def test_every_program_of_the_page_passes_the_check(source: str) -> None:
    assert parse(source).instructions


def test_the_page_has_programs_from_two_lines_to_a_debate() -> None:
    assert len(PROGRAMS) >= 8
    assert len(parse(PROGRAMS[0]).instructions) == 2
    assert any(parse(source).seats == ("black", "white") for source in PROGRAMS)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick[0])
def test_each_trick_of_the_page_ends_as_it_says(trick: tuple[str, str, str]) -> None:
    written, common, hardened = map(html.unescape, trick)
    assert words.remove_words(written, ["dragon"]) == common
    assert without_banned_words(written, "dragon") == hardened


def test_the_page_has_every_trick() -> None:
    assert len(TRICKS) == 18
    assert all(written for written, _, _ in TRICKS)


def test_the_page_prints_the_question_of_is_true() -> None:
    assert f"```text\n{QUESTION}\n```" in PAGE


def test_the_page_prints_every_look_alike() -> None:
    rows = dict(re.findall(r"^\| ([A-Za-z]) \| (.+) \|$", PAGE, re.MULTILINE))
    printed = {ord(other): letter for letter, others in rows.items() for other in others.split(" ")}
    assert printed == confusables.LETTERS


def test_the_page_names_every_function_and_every_budget() -> None:
    for name in (*NAMES, ".split", ".join"):
        assert name in PAGE
    budgets = (limits.LINES, limits.MEASUREMENTS, limits.MOVES, limits.TEXT_CHARACTERS, limits.LIST_ITEMS)
    for number in (*budgets, limits.LIST_CHARACTERS, limits.WORK, limits.PIECES, limits.LINE_CHARACTERS):
        assert f"{number:,}" in PAGE
