"""The lab's experiments of several readings: each by a form without a script, its numbers, picture and table."""

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import httpx
import pytest
from PIL import Image
from scipy import special, stats

from judge import several
from judge.reading import Prediction
from judge.replies import ALONE, BOTH, NOTHING, TEMPLATE
from server.arena.lab_several import ANSWERS, TEXTS
from server.queue.messages import ExperimentJob, Result
from tests.support.server import Class, RunningApp, new_class
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import BUILD, FakeJudge, Hand, bits

SEA = ["The tide <came> in.", "Boats went home before noon.", "=1+1 is no formula.", "Gulls cried."]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def cost(prefix: str, text: str) -> float:
    return sum(bits(prefix, text))


def table(visitor: Visitor, page: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(visitor.get(f"{page.url.path}/table.csv").text)))


def floats(rows: Sequence[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in rows]


def pictures(visitor: Visitor, page: httpx.Response, path: str = "/picture", **query: str) -> ElementTree.Element:
    """The drawing as a file, which the PNG shows in three times as many pixels."""
    drawn = visitor.http.get(f"{page.url.path}{path}.svg", params=query)
    assert drawn.headers["content-type"] == "image/svg+xml"
    root = ElementTree.fromstring(drawn.text)
    made = visitor.http.get(f"{page.url.path}{path}.png", params=query)
    shown = Image.open(io.BytesIO(made.content))
    units = [float(each) for each in root.attrib["viewBox"].split()[2:]]
    assert shown.format == "PNG"
    assert shown.size == pytest.approx([3 * each for each in units], abs=2)
    assert len(shown.convert("L").getcolors() or ()) > 20, "letters have edges of many greys"
    return root


def test_what_a_context_tells_of_many_texts(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    form = visitor.get("/lab/passages")
    assert "<math" in form.text
    asked = {"prefix": "the sea", "other": "", "texts": "\n\n".join(SEA), "judge": "plain"}
    page = visitor.send("/lab/passages", **asked)
    assert re.fullmatch(r"/lab/passages/[0-9a-f]{64}", page.url.path)
    nothing_from_elsewhere(page)
    saved = [cost("", text) - cost("the sea", text) for text in SEA]
    rows = table(visitor, page)
    assert floats(rows, "saved") == pytest.approx(saved)
    assert floats(rows, "bits_with") == pytest.approx([cost("the sea", text) for text in SEA])
    assert [row["text"] for row in rows] == [*SEA[:2], f"'{SEA[2]}", SEA[3]], "no formula in a spreadsheet"
    mean, (low, high) = sum(saved) / 4, stats.t.interval(0.95, 3, sum(saved) / 4, stats.sem(saved))
    told = text_of(page).replace("−", "-")
    assert f"{mean:+.2f} bits a text; 95 % between {low:+.2f} and {high:+.2f}" in told
    assert ("0 is not among them" in told) == (low > 0 or high < 0)
    words = sum(len(text.split()) for text in SEA)
    whole = sum(cost("", text) for text in SEA)
    assert (
        f"{whole:.1f} bits in {words} tokens; perplexity {2 ** (whole / words):,.1f}, entropy {3.5 * words:.1f}" in told
    )
    bars = [each for each in pictures(visitor, page).iter(f"{SVG}rect") if each.get("class") in ("after", "before")]
    widths = [float(each.attrib["width"]) for each in bars]
    assert widths == pytest.approx([abs(each) * widths[0] / abs(saved[0]) for each in saved], abs=0.1)
    shared = re.search(r'href="(/lab/passages\?[^"]+)"', page.text)
    assert shared
    again = visitor.get(shared[1].replace("&amp;", "&")).text
    assert "The tide &lt;came&gt; in.\nBoats went home" in again
    other = visitor.send("/lab/passages", **{**asked, "other": "worth 3"})
    against = [cost("worth 3", text) - cost("the sea", text) for text in SEA]
    assert floats(table(visitor, other), "saved") == pytest.approx(against)
    assert "With the other" in text_of(other)


def test_answers_that_are_allowed_with_and_without_their_prior(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    allowed = ["Yes of course", "No", "it may be <so>"]
    page = visitor.send("/lab/answers", question="Is 12 a tide?", answers=" | ".join(allowed), judge="plain")
    nothing_from_elsewhere(page)

    def shares(question: str) -> list[float]:
        costs = [cost(TEMPLATE.replace("{question}", question), f" {each}") for each in allowed]
        return [float(each) for each in special.softmax([-each * math.log(2) for each in costs])]

    said, priors = shares("Is 12 a tide?"), [shares(nothing) for nothing in NOTHING]
    apart = [p / (sum(prior[nth] for prior in priors) / 3) for nth, p in enumerate(said)]
    apart = [each / sum(apart) for each in apart]
    rows = table(visitor, page)
    assert [row["answer"] for row in rows] == allowed
    assert floats(rows, "share") == pytest.approx(said)
    assert floats(rows, "share_without_prior") == pytest.approx(apart)
    assert floats(rows, "log_odds") == pytest.approx([math.log2(p / (1 - p)) for p in said])
    assert floats(rows, "log_odds_without_prior") == pytest.approx([math.log2(p / (1 - p)) for p in apart])
    told = text_of(page)
    assert f"No, with {100 * max(said):.1f} %; unsure by {stats.entropy(said, base=2):.2f} bits" in told
    drawn = pictures(visitor, page)
    assert [each.text for each in drawn.iter(f"{SVG}text") if each.get("x") == "92"] == [
        "Yes of cour…",
        "No",
        "it may be <…",
    ]


def test_which_of_two_sentences_is_cheaper_and_which_is_said_to_be_true(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    one, two = "The sea is <wet> today.", "The sea is dry."
    page = visitor.send("/lab/pairs", first=one, second=two, judge="plain")
    nothing_from_elsewhere(page)

    def odds(question: str, this: str, that: str) -> float:
        prefix = TEMPLATE.replace("{question}", question)
        return cost(prefix, f" {that}") - cost(prefix, f" {this}")

    rows = table(visitor, page)
    assert floats(rows, "bits") == [cost("", one), cost("", two)]
    assert floats(rows, "log_odds_of_yes") == pytest.approx(
        [odds(ALONE.format(each), "Yes", "No") for each in (one, two)]
    )
    which = odds(BOTH.format(one, two), "A", "B") + odds(BOTH.format(two, one), "B", "A")
    assert floats(rows, "log_odds_of_being_chosen") == pytest.approx([which, -which])
    preferred = re.findall(r"<td>(the first|the second|neither)</td>", page.text)
    assert preferred[:2] == ["the second", "the first" if cost("", one) / 5 < cost("", two) / 4 else "the second"]
    bars = [each for each in pictures(visitor, page).iter(f"{SVG}rect") if each.get("class") == "after"]
    assert len(bars) == 9


def test_a_reading_and_a_cut_are_pictures_too(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    page = visitor.send("/lab/readings", text="The tide <came> in \u202e \ufffe over.", judge="plain")
    drawn = pictures(visitor, page, rule="rise", bits="-1")
    assert [each.get("class") for each in drawn.iter(f"{SVG}path")].count("border") == len(
        page.text.split('id="token-')
    ) - 2
    page = visitor.send("/lab/samples", prefix="The tide", judge="plain", methods="greedy", tokens="2")
    pictures(visitor, page, "/cut", method="greedy")
    assert visitor.http.get(f"{page.url.path}/cut.gif").status_code == 422


def test_what_is_refused_is_told_and_what_was_said_stays(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    texts = "\n".join(SEA)
    for path, wrong, told in (
        ("passages", {"prefix": " ", "texts": texts}, "The context is empty"),
        ("passages", {"prefix": "a", "texts": SEA[0]}, f"Give 2 to {TEXTS} texts"),
        ("passages", {"prefix": "a", "texts": "\n".join(["b"] * 41)}, f"Give 2 to {TEXTS} texts"),
        ("passages", {"prefix": "a", "texts": "word " * 600 + "\nb"}, "tokens long; the lab reads 400 at once"),
        ("passages", {"prefix": "a " * 250, "texts": "\n".join(["b"] * 40)}, "tokens to read in all"),
        ("answers", {"question": "", "answers": "Yes|No"}, "The question is empty"),
        ("answers", {"question": "Is <it>?", "answers": "Yes|Yes"}, f"Allow 2 to {ANSWERS} answers"),
        ("answers", {"question": "Is it?", "answers": "a|b|c|d|e|f|g"}, f"Allow 2 to {ANSWERS} answers"),
        ("pairs", {"first": "a", "second": ""}, "The text is empty"),
        ("pairs", {"first": "a <b>", "second": "a <b>"}, "Both sentences are the same"),
    ):
        page = visitor.send(f"/lab/{path}", **wrong, judge="plain")
        assert (page.status_code, told in text_of(page)) == (422, True), (wrong, text_of(page)[:2000])
    assert page.text.count("a &lt;b&gt;") == 2
    assert visitor.send("/lab/pairs", first="a", second="b", judge="nobody").status_code == 422
    assert visitor.get(f"/lab/pairs/{'0' * 64}").status_code == 404


def test_a_worker_that_answers_something_else_is_not_believed(
    visitor: Visitor, house: RunningApp, judge: FakeJudge, hand: Hand
) -> None:
    visitor.join(new_class(house, judge), "Ada")
    hand.answer(*hand.take_all(1))  # the round's own
    sound = [[Prediction(1.0, 1, 1.0, ())] for _ in range(10)]
    broken = [[Prediction(float("nan"), 1, 1.0, ())], *sound[1:]]
    for number, (answer, told) in enumerate(
        (
            (b"abc", "something else than readings"),
            (several.pack(sound)[:-1], "something else than readings"),
            (several.pack(sound[1:]), "9 readings for 10 texts"),
            (several.pack([sound[0] * 2, *sound[1:]]), "a reading of 2 tokens for 1 token"),
            (several.pack(broken), "values that no reading can have"),
        )
    ):
        asked = {"first": "wet", "second": f"dry{number}", "judge": judge.name}
        origin = {"Origin": house.url}
        pending = visitor.http.post("/lab/pairs", data=asked, headers=origin, follow_redirects=False)
        (claim,) = hand.take_all(1)
        assert isinstance(claim.job, ExperimentJob)
        assert json.loads(claim.job.question)["second"] == f"dry{number}"
        path = pending.headers["location"].partition("#")[0]
        assert visitor.http.get(f"{path}/picture.svg").status_code == 404, "nothing is there yet"
        hand.claims.publish(claim, Result(claim.job.key, BUILD, answer=answer))
        assert told in text_of(visitor.get(path))


def test_experiments_are_closed_one_by_one_to_players(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    page = visitor.send("/lab/pairs", first="a", second="b", judge="plain")
    change = {"closed_experiments": ["pairs", "reading", "sampling"]}
    assert lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json=change).status_code == 200
    for path in ("/lab/pairs", page.url.path, f"{page.url.path}/table.csv", f"{page.url.path}/picture.png"):
        assert visitor.get(path).status_code == 403
    there = visitor.get("/lab")
    assert there.url.path == "/lab/passages"
    ways = re.findall(r'<a href="(/lab[^"?]*)"', there.text.partition('class="experiments"')[2].partition("</nav>")[0])
    assert ways == ["/lab/passages", "/lab/answers"]
