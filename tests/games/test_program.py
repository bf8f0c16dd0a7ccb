"""Programs: front page, digest, what is known of one before play; and the messages its author reads."""

import gc
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from games import catalog
from games.engine import replay
from games.errors import ProgramErrors
from games.program import parse
from games.protocol import Log, NeedMove
from tests.games import playing

SOURCE = """\
# My game
#
# Say **something**.
#
# Then more.

assign(s=story(), t=story())  # two passages
elicit(white, x, 5)
elicit(y, 5)
reward(xent(s | x, judge="other"))
"""


def test_the_front_page_is_title_and_markdown() -> None:
    program = parse(SOURCE)
    assert program.title == "My game"
    assert program.description == "Say **something**.\n\nThen more."


def test_a_program_without_a_front_page_has_its_file_name() -> None:
    assert parse("elicit(x, 5)", "mine").title == "mine"
    assert parse("\n\nelicit(x, 5)\n# no front page", "mine").description == ""


def test_what_a_program_needs_is_known_before_play() -> None:
    program = parse(SOURCE)
    assert program.seats == ("white", "black")
    assert program.judges == ("main", "other")
    assert program.passages == 2
    assert program.registers == ("s", "t", "x", "y")


def test_the_digest_is_the_sha256_of_the_normalised_source() -> None:
    program = parse(SOURCE)
    assert program.source == SOURCE
    assert program.digest == hashlib.sha256(SOURCE.encode()).hexdigest()


@pytest.mark.parametrize(
    "same",
    ["\ufeff" + SOURCE, SOURCE.replace("\n", "\r\n"), SOURCE + "\n\n", SOURCE.rstrip(), SOURCE.replace("\n", "  \t\n")],
)
def test_what_an_editor_does_to_line_ends_does_not_change_the_digest(same: str) -> None:
    assert parse(same).digest == parse(SOURCE).digest


def test_a_comment_changes_the_digest() -> None:
    assert parse(SOURCE + "# more").digest != parse(SOURCE).digest


def test_the_version_of_the_hardened_rule_is_part_of_the_digest_of_a_program_that_uses_it() -> None:
    source = "elicit(x, 5)\nassign(y=remove_banned_words(x, s))\n"
    assert parse(source).digest == hashlib.sha256(f"{source}\0remove_banned_words 1".encode()).hexdigest()


def test_a_program_is_a_value() -> None:
    assert parse(SOURCE) == parse(SOURCE)
    assert hash(parse(SOURCE)) == hash(parse(SOURCE))


def test_an_error_says_where_what_was_found_what_was_expected_and_whose_fault_it_is() -> None:
    with pytest.raises(ProgramErrors) as caught:
        parse("assign(s=story())\nelicit(x, 10)\nreward(xed(s | l))", "game.xent")
    error = caught.value.errors[0]
    assert (error.line, error.column) == (3, 12)
    assert error.found == "a text, s | a list, l"
    assert error.expected == "for |: two texts (text | prefix) or two conditions"
    assert caught.value.fault == "author"
    assert str(caught.value) == (
        "game.xent:3:12: found a text, s | a list, l, expected for |: two texts (text | prefix) or two conditions"
    )


def test_one_mistake_is_one_message() -> None:
    with pytest.raises(ProgramErrors) as caught:
        parse("elicit(x, 10)\nreward(max(xed(first_n_tokens(q, 3) + x | y), 0) * 2 - xent(x))")
    assert [error.found for error in caught.value.errors] == ["the name q"]


def test_errors_come_in_the_order_of_the_source() -> None:
    with pytest.raises(ProgramErrors) as caught:
        parse("reward(q1)\n" + "x" * 2_001 + "\nreward(q2 + q3)\n\0\n(\n")
    places = [(error.line, error.column) for error in caught.value.errors]
    assert places == [(1, 8), (2, 2_001), (3, 8), (3, 13), (4, 1), (5, 1)]


@pytest.mark.parametrize("name", catalog.names())
def test_a_packaged_game_has_a_front_page_that_tells_how_it_is_scored_with_an_example(name: str) -> None:
    program = parse(catalog.source(name), name)
    assert program.title not in ("", name)
    assert "**How it is scored.**" in program.description
    assert "**Example.**" in program.description
    assert program.source == catalog.source(name)
    assert program.seats


def test_an_unknown_packaged_game_is_a_key_error() -> None:
    for name in ("nothing", "../limits", ""):
        with pytest.raises(KeyError):
            catalog.source(name)


def test_the_catalog_has_all_its_games() -> None:
    assert len(catalog.names()) == 26
    assert {"condense", "condense_strict", "debate", "arrow_of_time"} < set(catalog.names())


def test_the_alethiometer_has_36_symbols() -> None:
    program = parse(catalog.source("alethiometer"), "alethiometer")
    effect = replay(program, playing.setup("a passage"), Log())
    assert isinstance(effect, NeedMove)
    symbols = str(effect.registers["s1"]).split(" ")
    assert len(set(symbols)) == len(symbols) == 36
    assert all(symbol in program.description for symbol in symbols)


def test_programs_are_read_in_many_threads_at_once() -> None:
    """Python 3.11 counts how deep its trees are once for all threads, which take turns while it collects garbage."""
    line = "assign(s=" + " + ".join(["story()"] * 60) + ")"
    source = "# Wide\n\n" + "\n".join([line] * 10) + "\nelicit(x, 5)\nreward(xent(x))\n"
    before = gc.get_threshold()
    gc.callbacks.append(_take_turns)
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = {program.digest for program in threads.map(lambda _: parse(source), range(8))}
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(_take_turns)
    assert len(found) == 1


def _take_turns(phase: str, info: object) -> None:
    time.sleep(0)
