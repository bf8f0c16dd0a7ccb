"""What pages say of texts: words taken out, tokens joined, Markdown, made-up names, numbers."""

from typing import Any

import pytest

from games.values.bits import TokenBits
from server.arena.validation import clean_name
from server.web.history import curve
from server.web.markdown import to_html
from server.web.move_diff import said
from server.web.nicknames import FIRST, LAST
from server.web.rendering import is_code, shown_bits
from server.web.score_breakdown import pieces


def _events(cut: str, read: str | None) -> list[dict[str, Any]]:
    values = [{"register": "x1", "value": read}]
    shown: list[dict[str, Any]] = [] if read is None else [{"type": "reveal", "seat": "black", "values": values}]
    return [
        {"type": "ask", "seat": "black", "register": "x", "limit": 5},
        {"type": "move", "seat": "black", "register": "x", "text": cut, "cut": False},
        *shown,
        {"type": "reward", "seat": "black", "bits": 1.0, "tokens": []},
    ]


@pytest.mark.parametrize(
    ("sent", "read", "taken"),
    [
        ("tide sailors boats", "sailors", ["tide ", " boats"]),
        ("sailors", "sailors", []),
        ("the sea, the ship", "sea, ship", ["the ", "the "]),
        ("tide", "", ["tide"]),
        ("море и корабль", "море корабль", ["и "]),
    ],
)
def test_words_that_a_game_took_out_are_found(sent: str, read: str, taken: list[str]) -> None:
    (one,) = said([{"seat": "black", "text": sent}], _events(sent, read), "black")
    assert "".join(text for text, _ in one.kept) == sent
    assert sorted(text.strip() for text, left in one.kept if not left) == sorted(text.strip() for text in taken)
    assert one.read == read


def test_a_text_that_was_rewritten_is_not_compared() -> None:
    (one,) = said([{"seat": "black", "text": "ﬁne ships"}], _events("ﬁne ships", "fine ship"), "black")
    assert one.kept == [("ﬁne ships", True)]
    assert one.read == "fine ship"


def test_what_the_limit_cut_off_is_told_apart() -> None:
    (one,) = said([{"seat": "black", "text": "one two three"}], _events("one two", "one two"), "black")
    assert (one.kept, one.beyond) == ([("one two", True)], " three")
    assert not one.whole


def test_a_move_that_the_game_has_not_looked_at_is_shown_as_it_is() -> None:
    (one,) = said([{"seat": "black", "text": "one"}], [], "black")
    assert (one.sent, one.read, one.whole) == ("one", None, True)


def test_moves_of_other_seats_are_not_shown() -> None:
    moves = [{"seat": "white", "text": "secret"}, {"seat": "black", "text": "mine"}]
    events: list[dict[str, Any]] = [{"type": "move", "seat": "white", "text": "secret"}, *_events("mine", None)]
    assert [one.sent for one in said(moves, events, "black")] == ["mine"]


def test_tokens_inside_a_character_are_joined_with_the_one_that_completes_it() -> None:
    tokens = [("a", 1.0), ("", 2.0), ("", 3.0), ("é", 4.0), ("b", 5.0)]
    made = pieces([TokenBits(*token) for token in tokens], [(bits + 1, 1.0) for _, bits in tokens])
    assert [(piece.text, piece.bits) for piece in made] == [("a", 1), ("é", 9), ("b", 5)]
    assert (made[1].alone, made[1].after) == (12.0, 3.0)


def test_tokens_that_end_a_text_inside_a_character_are_kept() -> None:
    made = pieces([TokenBits("a", 1.0), TokenBits("", 2.0)])
    assert sum(piece.bits for piece in made) == 3


@pytest.mark.parametrize(
    ("bits", "style"),
    [
        (0.0, "even"),
        (0.049, "even"),
        (-0.049, "even"),
        (0.05, "gain-1"),
        (-0.5, "loss-2"),
        (2.9, "gain-3"),
        (-9, "loss-4"),
    ],
)
def test_the_tint_grows_with_the_bits(bits: float, style: str) -> None:
    assert pieces([TokenBits("a", bits)])[0].strength == style


def test_white_space_before_a_word_is_not_tinted_but_kept() -> None:
    word, space = pieces([TokenBits("\n  word ", 1.0), TokenBits(" \n", 1.0)])
    assert (word.space, word.body) == ("\n  ", "word ")
    assert (space.space, space.body) == ("", " \n")


def test_numbers_have_a_true_minus_and_no_minus_zero() -> None:
    assert shown_bits(-1234.5678) == "−1,234.568"
    assert shown_bits(-0.0001) == "0.000"
    assert shown_bits(0.0004, sign=True) == "0.000"
    assert shown_bits(2, sign=True, digits=2) == "+2.00"


def test_markdown_of_a_game_is_shown_and_its_html_is_not() -> None:
    html = to_html("# Title\n\n**bold** `code` [good](https://example.org) [bad](javascript:alert(1))\n\n<b>raw</b>")
    assert "<h3>Title</h3>" in html
    assert "<strong>bold</strong> <code>code</code>" in html
    assert '<a href="https://example.org">good</a>' in html
    assert 'href="javascript' not in html
    assert "&lt;b&gt;raw&lt;/b&gt;" in html
    assert "<img" not in to_html("![x](https://example.org/x.png) <img src=x onerror=alert(1)>")


def test_made_up_names_are_names() -> None:
    assert len(set(FIRST)) * len(set(LAST)) > 5_000
    for first in FIRST:
        for last in LAST:
            name = f"{first} {last}".title()
            assert clean_name(name) == name


def test_a_curve_is_of_the_best_so_far_and_has_a_dot_for_every_move() -> None:
    drawn = curve([1.0, -3.0, 5.0, 2.0])
    assert drawn is not None
    heights = [float(point.split(",")[1]) for point in drawn.line.split()]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == heights[1] != heights[2] == heights[3]
    assert [y for _, y in drawn.dots] == [24.0, 44.0, 4.0, 19.0]
    assert (drawn.first, drawn.best) == (1.0, 5.0)


def test_two_moves_make_no_curve_and_equal_ones_a_flat_one() -> None:
    assert curve([1.0, 2.0]) is None
    flat = curve([2.0] * 3)
    assert flat is not None
    assert len({y for _, y in flat.dots}) == 1


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("def add(a, b):\n    return a + b", True),
        ("int main() {\n  puts(s);\n}", True),
        ('fn main() {\n    println!("hi");\n}', True),
        ("The tide came in.\nMara counted sails (two of them).\nOne was missing.", False),
        ("one line();", False),
        ("", False),
        ("Dear Sir,\n\nthank you;\nyours\nBob", False),
    ],
)
def test_code_looks_like_code(text: str, looks: bool) -> None:
    assert is_code(text) is looks
