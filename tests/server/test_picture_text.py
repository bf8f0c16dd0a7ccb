"""How the text of a picture is set: order, lines, shading; and that no text, however it is made, does harm."""

import re
from pathlib import Path

import pytest
from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st

from server.web import rendering
from server.web.picture import bidi, drawing, typesetting
from server.web.picture.card import Block, Card, Token
from server.web.picture.pixels import png
from tests.support.pictures import drawn, pixels

SHEET = (Path(rendering.__file__).parent / "static" / "arena.css").read_text(encoding="utf-8")
LIGHT = SHEET.partition("@media")[0]
KINDS = "abאבجد1٢+.,$%()[]{} \u0301\u05b0!-–/€٪"  # a few characters of each class that the rules tell apart


def card(text: str | list[Token], words: str = "a storm", name: str = "", title: str = "Condense") -> Card:
    """A picture of one text, each word of it a token."""
    if isinstance(text, str):
        words_of = re.findall(r"\s+|\S+", text)
        text = [Token(each, "gain-3", "+2.00") if each.strip() else Token(each) for each in words_of]
    block = Block("", text, rendering.is_code("".join(token.text for token in text)))
    return Card(
        title=title,
        score="saved 2.0 bits",
        bits=2.0,
        words=words,
        name=name,
        blocks=[block],
        more="",
        hidden="What was measured stays hidden.",
        nothing="(nothing)",
        judge="Judge: pocket",
        adds="adds to the score",
        takes="takes from it",
        lacking="A frame stands for it.",
    )


@given(st.text(KINDS, max_size=20), st.sampled_from([0, 1]))
def test_characters_stand_in_the_order_that_the_standard_says(text: str, base: int) -> None:
    levels = bidi.levels(text, base)
    kept = len(text.rstrip(" "))
    levels[kept:] = [base] * (len(text) - kept)  # at the end of a line they take no room
    assert "".join(text[place] for place in bidi.visual(levels)) == get_display(text, base_dir="LR"[base])


@given(st.text(KINDS, max_size=20))
def test_a_text_runs_as_its_first_letter_does(text: str) -> None:
    kept = text.rstrip(" ")
    levels = bidi.levels(kept, bidi.direction(kept))
    assert "".join(kept[place] for place in bidi.visual(levels)) == get_display(kept)


def test_a_text_from_right_to_left_stands_on_the_right() -> None:
    shades = drawn(drawing.svg(card("שלום עולם"))).shades
    assert shades[0].x < shades[1].x
    assert shades[1].x + shades[1].width == pytest.approx(drawing.WIDTH - drawing.MARGIN, abs=1)
    assert shades[0].bits == shades[1].bits


def test_arabic_letters_join_across_tokens() -> None:
    whole = [glyph.number for each in typesetting.set_text("سلام").paragraphs[0] for glyph in each.glyphs]
    alone = [typesetting.set_text(each).paragraphs[0][0].glyphs[0].number for each in "سلام"]
    assert not set(whole) & set(alone[:3])
    tokens = [Token("سل", "gain-1", "+0.10"), Token("ام", "loss-4", "−9.00")]
    shades = drawn(drawing.svg(card(tokens))).shades
    assert [shade.bits for shade in shades] == ["−9.00", "+0.10"], "the second stands on the left of the first"
    assert shades[0].x + shades[0].width == pytest.approx(shades[1].x, abs=0.2)


def test_a_letter_and_its_mark_are_shaded_in_the_order_they_are_read() -> None:
    shades = drawn(drawing.svg(card([Token("ש", "gain-1", "+0.10"), Token("\u05b8", "loss-1", "−0.10")]))).shades
    assert [shade.bits for shade in shades] == ["−0.10", "+0.10"]
    assert shades[0].width == pytest.approx(shades[1].width, abs=0.2)


def test_a_bracket_that_runs_from_right_to_left_is_turned() -> None:
    def glyphs(text: str) -> list[int]:
        return [glyph.number for each in typesetting.set_text(text).paragraphs[0] for glyph in each.glyphs]

    opening, closing = glyphs("()")
    assert glyphs("א(")[1:] == [closing] != [opening]


def test_marks_do_not_pile_up_over_the_lines_above() -> None:
    assert len(typesetting.cleaned("Z" + "\u0301" * 500 + "e\u0301")) <= 6
    assert typesetting.cleaned("שָׁלוֹם") == "שָׁלוֹם"


@pytest.mark.parametrize("width", [5.0, 12.0, 30.0])
def test_lines_keep_to_their_width_and_lose_no_word(width: float) -> None:
    text = "The ship went down in the night with all its lamps lit. " * 5 + "x" * 300
    setting = typesetting.set_text(text)
    lines = setting.lines(width, 1000)
    assert all(line.width <= width for line in lines)
    assert "".join("".join(each.text for each in line.clusters) for line in lines).replace(" ", "") == text.replace(
        " ", ""
    )
    few = setting.lines(width, 3)
    assert len(few) == 3
    assert few[-1].clusters[-1].text == typesetting.ELLIPSIS
    assert few[-1].width <= width


def test_source_code_keeps_its_lines_and_its_indentation() -> None:
    shades = drawn(drawing.svg(card("def f(x):\n    return x\n"))).shades
    assert shades[2].y > shades[1].y
    assert shades[2].x > shades[0].x


def test_an_empty_line_takes_no_room() -> None:
    close, apart = (drawn(drawing.svg(card(text))).shades for text in ("one\ntwo", "one\n\n \n\ntwo"))
    assert [shade.y for shade in close] == [shade.y for shade in apart]


def test_a_long_passage_ends_with_an_ellipsis_above_the_foot() -> None:
    shades = drawn(drawing.svg(card("storm at sea " * 3000))).shades
    assert 50 < len(shades) < 400
    assert max(shade.y + shade.height for shade in shades) <= drawing.BOTTOM + 5


def test_the_colours_are_those_of_the_page() -> None:
    found = dict(re.findall(r"--([\w-]+): ([^;]+);", LIGHT))
    for name, colour in (
        ("paper", drawing.PAPER),
        ("ink", drawing.INK),
        ("soft", drawing.SOFT),
        ("line", drawing.RULE),
    ):
        assert colour == found[name]
    for side in ("gain", "loss"):
        assert drawing.TINTS[side] == "#" + bytes(map(int, found[side].split())).hex()
        assert drawing.UNDERLINES[side] == found[f"{side}-line"]
        for step in range(1, 5):
            style = rf"\.{side}-{step} {{ background: rgb\(var\(--{side}\) / ([.\d]+)\)"
            assert float(re.findall(style, SHEET)[0]) == drawing.OPACITY[step - 1]
            thick = re.findall(rf"\.gain-{step}, \.loss-{step} {{ text-decoration-thickness: (\d)px", SHEET)
            assert int(thick[0]) == drawing.THICKNESS[step - 1]


HOSTILE = {
    "markup": "</title></svg><script>alert(1)</script> & \" ' <",
    "controls": "a\x00b\x1b[31mc\x7f\x85d\ufffe\uffff",
    "half a character": "a\ud800b",
    "turned around": "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u200e",
    "nothing to see": "\u200b\u200c\u200d\ufeff\u2060\u00ad\U000e0041\ufe0f",
    "only spaces": " \t\n\r\u2028\u2029\u3000",
    "a storm of marks": "Z" + "\u0301\u0489\u20dd" * 3000,
    "one word": "w" * 8192,
    "no letter of ours": "你好 😀🧑‍🚀 ไทย देवनागरी 한국어 \U000f0000",
    "brackets": "(א[" * 2000,
    "everything": "".join(map(chr, range(0, 0x3000, 7))),
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_breaks_the_picture(text: str) -> None:
    svg = drawing.svg(card(text, words=text, name=text, title=text))
    found = drawn(svg)  # it is well-formed
    assert "<script" not in svg
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x09\x0b-\x1f\x7f]", svg)
    assert len(svg) < 600_000
    right = drawing.WIDTH - drawing.MARGIN + 1
    assert all(shade.x >= drawing.MARGIN - 1 and shade.x + shade.width <= right for shade in found.shades)
    assert found.told.endswith("Judge: pocket")


def test_a_name_that_turns_the_direction_turns_nothing() -> None:
    turned, plain = (drawing.svg(card("The tide.", name=name)) for name in ("\u202eevil\u202c", "evil"))
    assert turned == plain


def test_a_character_without_a_glyph_is_a_frame_and_the_picture_says_so() -> None:
    known, unknown = (drawing.svg(card(text)) for text in ("tide", "t你de"))
    frame = 'fill="none" stroke='
    assert (known.count(frame), unknown.count(frame)) == (0, 1)
    assert unknown.count("<g fill=") == known.count("<g fill=") + 1, "one more line, at the foot"


def test_letters_of_many_scripts_are_there() -> None:
    for text in (
        "Ünïcödé žluťoučký",
        "ελληνικά",
        "Кириллица",
        "עִבְרִית",
        "العربية فارسی گچپژ",
        "Հայերեն",
        "ქართული",
        "→ ≤ ∑ █",
    ):
        missing = [each.text for each in typesetting.set_text(text).paragraphs[0] if each.missing]
        assert not missing, text


def test_pixels_are_the_same_each_time_and_need_no_font_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    svg = drawing.svg(card("The tide came in."))
    assert "<text" not in svg
    first = png(svg)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    assert png(svg) == first
    assert pixels(first).size == (drawing.WIDTH, drawing.HEIGHT)
