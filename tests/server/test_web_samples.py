"""The lab's page of sampling: a form without a script, texts side by side, drawings of what each cut left."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import pytest

from judge.samples import Choice, SampleStep
from server.web.cut_picture import cut_svg, visible
from tests.support.server import Class, RunningApp
from tests.support.web import Visitor, nothing_from_elsewhere, text_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def test_a_form_becomes_texts_side_by_side_and_drawings_of_the_cuts(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    form = visitor.get("/lab/sampling")
    nothing_from_elsewhere(form)
    assert "<math" in form.text
    asked = {"prefix": "The tide <came>", "methods": "greedy  top-p=0.90", "tokens": "6", "seed": "3", "judge": "plain"}
    page = visitor.send("/lab/samples", **asked)
    assert re.fullmatch(r"/lab/samples/[0-9a-f]{64}", page.url.path)
    nothing_from_elsewhere(page)
    assert "The tide &lt;came&gt;" in page.text
    told = text_of(page)
    assert "greedy 12.0 bits, 5 tokens repeat" in told
    assert "Token 1 of 6: before the cut and after" in told
    assert "1 token is left, which has 25.0 %; entropy 1.50 bits before, 0.00 after" in told
    drawings = re.findall(r'<svg class="cut".*?</svg>', page.text)
    assert len(drawings) == 2
    assert len(re.findall(r"<rect class=\"before\"", drawings[0])) == 2
    assert "75.0% → 0.0%" in drawings[0]
    for step, expected in (("4", 4), ("99", 6), ("x", 1), ("0", 1)):
        looked = visitor.get(f"{page.url.path}?step={step}")
        assert f"Token {expected} of 6" in text_of(looked)
        assert len(re.findall(r'aria-current="true"', looked.text)) >= 2

    rows = list(csv.DictReader(io.StringIO(visitor.get(f"{page.url.path}/steps.csv").text)))
    assert [row["method"] for row in rows] == ["greedy"] * 6 + ["top-p=0.9"] * 6
    assert {(row["before"], row["after"], row["kept"]) for row in rows} == {("0.25", "1.0", "1")}
    assert [share for _, *share in json.loads(rows[0]["top"])] == [[0.75, 0.0], [0.25, 1.0]]
    drawn = visitor.get(f"{page.url.path}/cut.svg?method=top-p%3D0.9&step=2")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert ElementTree.fromstring(drawn.text).tag == f"{SVG}svg"
    assert visitor.get(f"{page.url.path}/cut.svg?method=best").status_code == 404
    shared = re.search(r'href="(/lab/sampling\?[^"]+)">An address', page.text)
    assert shared
    again = visitor.get(shared[1].replace("&amp;", "&")).text
    assert all(
        value in again for value in ("The tide &lt;came&gt;", "\ngreedy top-p=0.9</textarea>", 'value="6"', 'value="3"')
    )


def test_what_is_refused_is_told_on_the_page_and_the_text_stays(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    for wrong, told in (
        ({"methods": "top-k=0"}, "This method cannot be used: top-k must be 1 or more, not 0."),
        ({"tokens": "many"}, "Say tokens and seed as whole numbers."),
        ({"tokens": "65"}, "The lab writes 1 to 64 tokens at once."),
        ({"prefix": "word " * 300}, "tokens long"),
        ({"prefix": " "}, "The text is empty"),
    ):
        page = visitor.send("/lab/samples", **{"prefix": "The <tide>", "judge": "plain", **wrong})
        assert (page.status_code, told in text_of(page)) == (422, True), text_of(page)
        assert "prefix" in wrong or "The &lt;tide&gt;" in page.text
    assert visitor.get(f"/lab/samples/{'0' * 64}").status_code == 404


def test_a_host_who_closes_the_lab_closes_sampling(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(lesson.house.host)
    visitor.send(f"/host/competitions/{lesson.id}/lab", lab="closed")
    assert visitor.get("/lab/sampling").status_code == 200
    visitor.sign_in(lesson.join())
    closed = visitor.get("/lab/sampling")
    assert (closed.status_code, "The host has closed the lab." in text_of(closed)) == (403, True)
    visitor.sign_in(lesson.house.host)
    visitor.send(f"/host/competitions/{lesson.id}/lab", lab="open")


def test_a_drawing_is_well_formed_whatever_the_tokens_are() -> None:
    hostile = ("<script>", "\"&'", "\x00\x07\x1b", "\u202e\u2066abc", " \n\t", "a" * 50, "\ufffe", "😀")
    top = tuple(Choice(text, 0.5 / 2**i, 1.0 if i == 2 else 0.0) for i, text in enumerate(hostile))
    for step in (SampleStep("a", 0.1, 1, 1, 0.1, 2, 0, False, top), SampleStep("a", 0.1, 1, 1, 0.1, 2, 0, False, ())):
        drawing = ElementTree.fromstring(cut_svg(step, 'a "label" <b>', alone=True))
        assert drawing.attrib["aria-label"] == 'a "label" <b>'
        after = [float(bar.attrib["width"]) for bar in drawing.iter(f"{SVG}rect") if bar.get("class") == "after"]
        assert after == ([0, 0, 140.0, 0, 0, 0, 0, 0] if step.top else [])
    labels = [
        text.text or ""
        for text in ElementTree.fromstring(
            cut_svg(SampleStep("a", 0.1, 1, 1, 0.1, 2, 0, False, top), "label", alone=True)
        ).iter(f"{SVG}text")
    ][::2]
    assert labels == [visible(text) for text in hostile]
    assert (visible(" \n\t"), visible("\u202ea"), len(visible("a" * 50))) == ("·⏎⇥", "�a", 12)
