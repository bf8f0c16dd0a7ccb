"""The lab's page: a reading by a form without a script, and the host's button."""

import csv
import io
import json
import re

import pytest

from server.db.states import LabExperiment
from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp, new_class, nothing_changes, problem
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import PLAIN, bits

TEXT = "The tide came <in> over the flats."


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def test_a_form_becomes_a_reading_with_its_maps_and_its_table(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    form = visitor.get("/lab")
    nothing_from_elsewhere(form)
    assert "<math" in form.text
    page = visitor.send("/lab/readings", text=TEXT, prefix="worth 7.5", judge="plain")
    assert re.fullmatch(r"/lab/readings/[0-9a-f]{64}", page.url.path)
    nothing_from_elsewhere(page)
    said, alone = bits("worth 7.5", TEXT), bits("", TEXT)
    rows = re.findall(r'<tr id="token-\d+">(.*?)</tr>', page.text, re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    assert [float(each[0]) for each in cells] == pytest.approx(said, abs=0.01)
    assert [float(each[1]) for each in cells] == pytest.approx(alone, abs=0.01)
    assert [(each[2], each[3]) for each in cells[1:]] == [("0.00", "2")] * (len(cells) - 1)
    assert all("25.0&nbsp;%" in row for row in rows)
    told = text_of(page)
    assert f"{sum(said):.1f} bits in 7 tokens" in told
    assert f"+7.5 bits of {sum(alone):.1f} without it" in told
    maps = re.findall(r'<p class="tokens[^>]*>(.*?)</p>', page.text, re.DOTALL)
    assert [re.sub(r"<[^>]+>", "", each).replace("&lt;", "<").replace("&gt;", ">") for each in maps] == [TEXT] * 4
    links = re.findall(r'href="(#token-\d+)"', maps[0])
    assert links == [f"#token-{number}" for number in range(1, 8)]

    rows_of_file = list(csv.DictReader(io.StringIO(visitor.get(f"{page.url.path}/tokens.csv").text)))
    assert [float(row["bits"]) for row in rows_of_file] == said
    assert [float(row["alone_bits"]) for row in rows_of_file] == alone
    assert "".join(json.loads(row["token_text"]) for row in rows_of_file) == TEXT
    shared = re.search(r'href="(/lab\?[^"]+)"', page.text)
    assert shared
    again = visitor.get(shared[1].replace("&amp;", "&"))
    assert "came &lt;in&gt; over" in again.text
    assert "worth 7.5" in again.text


def test_parts_that_could_not_be_foreseen_are_drawn_on_the_text(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    page = visitor.send("/lab/readings", text=TEXT, prefix="worth 7.5", judge="plain")
    assert "Made predictable by the context" in text_of(page)
    assert page.text.count(" begins") == 0, "the fake judge is as unsure everywhere"
    cut = visitor.get(f"{page.url.path}?rule=rise&bits=-1")
    nothing_from_elsewhere(cut)
    assert cut.text.count(' begins"') == 6
    drawn = re.findall(r'<a class="token ((?:loss|gain)-3)" href="#token-(\d+)"[^>]*>([^<]*)</a>', cut.text)
    first = [(style, text) for style, number, text in drawn if number == "1"]
    assert first[-2:] == [("loss-3", "The "), ("gain-3", "The ")]
    for wrong in ("many", "1e9", "nan"):
        refused = visitor.get(f"{page.url.path}?bits={wrong}")
        assert (refused.status_code, "as a number from -100 to 100" in text_of(refused)) == (422, True)


def test_what_is_refused_is_told_on_the_page_and_the_text_stays(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    visitor.join(lesson, "Ada")
    page = visitor.send("/lab/readings", text=TEXT, judge="plain")
    assert page.status_code == 403
    assert "A round with an attempt limit is open" in text_of(page)
    assert "came &lt;in&gt; over" in page.text
    page = visitor.send("/lab/readings", text="word " * 600)
    assert page.status_code in (403, 422)
    assert visitor.get(f"/lab/readings/{'0' * 64}").status_code == 404


def test_a_host_closes_the_lab_to_players_and_opens_it(visitor: Visitor, lesson: Class) -> None:
    ada, here = lesson.join(), f"/host/competitions/{lesson.id}"
    visitor.sign_in(lesson.house.host)
    assert "Close the lab to players" in text_of(visitor.get(here))
    page = visitor.send(f"{here}/lab", lab="closed")
    assert "Open the lab to players" in text_of(page)
    assert visitor.get("/lab").status_code == 200, "hosts go on"
    assert not lesson.competition_now["lab"]
    visitor.sign_in(ada)
    closed = visitor.get("/lab")
    assert (closed.status_code, "The host has closed the lab." in text_of(closed)) == (403, True)
    visitor.sign_in(lesson.house.host)
    visitor.send(f"{here}/lab", lab="open")
    assert lesson.competition_now["lab"]
    assert visitor.send(f"{here}/lab", lab="ajar").status_code == 422


def test_a_host_closes_single_experiments(visitor: Visitor, lesson: Class) -> None:
    ada, bob, here = lesson.join(), lesson.join(), f"/host/competitions/{lesson.id}"
    visitor.sign_in(ada)
    mine = visitor.send("/lab/readings", text=TEXT, judge="plain").url.path
    visitor.sign_in(lesson.house.host)
    boxes = re.findall(r'type="checkbox" name="(\w+)"( checked)?', visitor.get(here).text.partition("/experiments")[2])
    assert boxes == [(each, " checked") for each in LabExperiment]
    visitor.send(f"{here}/experiments", **{each: "on" for each in LabExperiment if each != "reading"})
    assert lesson.competition_now["closed_experiments"] == ["reading"]
    told = text_of(visitor.get(f"{here}/audit"))
    assert "changed which experiments of the lab are closed to players" in told
    assert visitor.get("/lab").status_code == 200, "hosts go on"
    visitor.sign_in(ada)
    assert visitor.get("/lab").url.path == "/lab/sampling", "the first that is open"
    for path in (mine, f"{mine}/tokens.csv", "/lab?text=a"):
        closed = visitor.get(path)
        assert (closed.status_code, "The host has closed this experiment" in text_of(closed)) == (403, True)
        assert "/sign-out" not in closed.text, "nobody loses their seat for a link"
    assert 'href="/lab">To the lab' in visitor.get(mine).text
    assert visitor.send("/lab/readings", text=TEXT, judge="plain").status_code == 403
    for asked in ({"text": TEXT, "judge": "plain"}, {"text": TEXT, "prefix": "a"}):
        refused = problem(bob.post("/readings", json=asked), 403, "forbidden")
        assert refused["detail"] == "The host has closed this experiment of the lab."
    assert answer(bob.post("/samples", json={"prefix": "The tide", "judge": "plain"}, params={"wait": 20}), 201)
    house, change = lesson.house, f"/competitions/{lesson.id}"
    every = [str(each) for each in LabExperiment]
    assert (
        answer(house.host.request("PATCH", change, json={"closed_experiments": every}))["closed_experiments"] == every
    )
    assert visitor.get("/lab/sampling").status_code == 403
    with nothing_changes(house):
        problem(house.host.request("PATCH", change, json={"closed_experiments": ["dancing"]}), 422, "invalid-request")
        problem(bob.request("PATCH", change, json={"closed_experiments": []}), 403, "forbidden")
    answer(house.host.request("PATCH", change, json={"closed_experiments": []}))
    assert visitor.get(mine).status_code == 200


def test_a_score_of_a_round_that_is_over_leads_to_the_lab(visitor: Visitor, lesson: Class) -> None:
    ada = lesson.join()
    sent = ada.score(lesson.round_id, "7")
    visitor.sign_in(ada)
    assert "Look closer in the lab" not in visitor.get(f"/submissions/{sent['id']}").text
    lesson.close()
    link = re.search(r'href="(/lab\?[^"]+)"', visitor.get(f"/submissions/{sent['id']}").text)
    assert link
    page = visitor.get(link[1].replace("&amp;", "&"))
    text = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    assert text
    assert text[1] == lesson.round["passages"][0]
