"""The pages on which a host prepares and runs rounds, with forms and without scripts."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from games.library import load
from judge.loading.tokenizer import Tokens
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Class, Json, RunningApp, new_class, nothing_changes
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, TOKENIZER

OTHER = "The court rose at noon, and the town went home in the rain."


@pytest.fixture
def host(visitor: Visitor, lesson: Class) -> Visitor:
    visitor.sign_in(lesson.house.host)
    return visitor


def make(host: Visitor, lesson: Class, **fields: str) -> str:
    """The page after the form of a new round."""
    said = {"game": "condense", "passages": PASSAGE, "judge": PLAIN.name, **fields}
    return text_of(host.send(f"/host/competitions/{lesson.id}/rounds", **said))


def newest(lesson: Class) -> Json:
    rounds: list[Json] = answer(lesson.house.host.get(f"/competitions/{lesson.id}/rounds"))["items"]
    return max(rounds, key=lambda each: each["number"])


def fields_of(page: str) -> dict[str, str]:
    """What the form of a round shows."""
    found = dict(re.findall(r'<input id="\w+" name="(\w+)"[^>]*? value="([^"]*)"', page))
    for name, inside in re.findall(r'<textarea id="\w+" name="(\w+)"[^>]*>([^<]*)', page):
        found[name] = inside
    for name, inside in re.findall(r'<select id="\w+" name="(\w+)".*?</select>'.replace(".*?", "(.*?)", 1), page, re.S):
        chosen = re.search(r'<option(?: value="([^"]*)")?[^>]* selected>([^<]*)', inside)
        if chosen:
            found[name] = chosen[1] or chosen[2].strip()
    return {name: unescape(value) for name, value in found.items()}


def test_a_round_is_prepared_the_evening_before_and_run_in_the_morning(host: Visitor, lesson: Class) -> None:
    """By the clock of a class in New York."""
    day = (datetime.now(UTC) + timedelta(days=400)).date().replace(month=1)
    window = {"opens_at": f"{day}T09:00", "closes_at": f"{day}T09:20", "zone": "America/New_York"}
    page = make(host, lesson, title="Warming up", draft="", **window)
    assert "2. Warming up (Condense) draft" in page
    draft = newest(lesson)
    assert "This round is a draft: only hosts see it." in text_of(host.get(f"/rounds/{draft['id']}"))
    assert (draft["opens_at"], draft["closes_at"]) == (f"{day}T14:00:00Z", f"{day}T14:20:00Z")
    path = f"/host/rounds/{draft['id']}"
    assert "scheduled" in text_of(host.send(f"{path}/publish"))
    host.send(f"{path}/open", closes_at="")
    host.send(f"{path}/prolong", minutes="5")
    running = newest(lesson)
    assert (running["state"], running["closes_at"]) == ("open", f"{day}T14:25:00Z")
    ada = lesson.join()
    ada.score(draft["id"], "5")
    page = text_of(host.send(f"{path}/close"))
    assert re.search(r"2\. Warming up \(Condense\) closed closed at \d{4}-\d\d-\d\d \d\d:\d\d UTC", page)
    host.send(f"{path}/open", minutes="3", zone="UTC")
    again = newest(lesson)
    left = datetime.fromisoformat(again["closes_at"]) - datetime.now(UTC)
    assert (again["state"], again["closed_at"]) == ("open", None)
    assert timedelta(minutes=2.5) < left <= timedelta(minutes=3)


TIMES = {
    "skipped where clocks go forward": ("2031-03-30T02:30", "Europe/Berlin", "Clocks in Europe/Berlin skip 02:30"),
    "twice where clocks go back": (
        "2031-10-26T02:30",
        "Europe/Berlin",
        "02:30 comes twice on that day in Europe/Berlin",
    ),
    "skipped in New York": ("2031-03-09T02:00", "America/New_York", "Clocks in America/New_York skip 02:00"),
    "half an hour twice": ("2031-04-06T01:45", "Australia/Lord_Howe", "01:45 comes twice"),
    "no zone": ("2031-01-01T09:00", "Middle/Earth", "The time zone 'Middle/Earth' is not known here."),
    "a file as a zone": ("2031-01-01T09:00", "../../etc/passwd", "The time zone '../../etc/passwd' is not known here."),
    "no time": ("tomorrow", "UTC", "This is no time."),
    "no such day": ("2031-02-30T09:00", "UTC", "This is no time."),
    "the end of time": ("9999-12-31T23:59", "America/New_York", "This is no time."),
}


@pytest.mark.parametrize(("time", "zone", "told"), TIMES.values(), ids=TIMES.keys())
def test_a_time_that_is_none_or_two_is_refused_in_words(
    host: Visitor, lesson: Class, time: str, zone: str, told: str
) -> None:
    with nothing_changes(lesson.house):
        page = make(host, lesson, opens_at=time, zone=zone)
        assert told in page
        assert told in text_of(host.send(f"/host/rounds/{lesson.round_id}/edit", closes_at=time, zone=zone))
        assert told in text_of(host.send(f"/host/rounds/{lesson.round_id}/open", closes_at=time, zone=zone))


@pytest.mark.parametrize(
    ("zone", "time", "utc"),
    [
        ("Europe/Berlin", "2031-03-30T03:00", "2031-03-30T01:00:00Z"),
        ("Europe/Berlin", "2031-10-26T01:59", "2031-10-25T23:59:00Z"),
        ("Europe/Berlin", "2031-10-26T03:00", "2031-10-26T02:00:00Z"),
        ("Asia/Kathmandu", "2031-01-01T05:45", "2031-01-01T00:00:00Z"),
        ("", "2031-01-01T05:45", "2031-01-01T05:45:00Z"),
    ],
)
def test_a_time_is_told_by_the_clock_of_whoever_types_it(
    host: Visitor, lesson: Class, zone: str, time: str, utc: str
) -> None:
    make(host, lesson, opens_at=time, zone=zone)
    assert newest(lesson)["opens_at"] == utc


def test_an_edit_that_changes_nothing_keeps_every_second(host: Visitor, house: RunningApp) -> None:
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    lesson = new_class(house, PLAIN, closes_at=end, attempts=3, title="Tides")
    shown = host.get(f"/host/rounds/{lesson.round_id}/edit").text
    fields = fields_of(shown)
    assert fields["passages"] == PASSAGE
    assert (fields["title"], fields["attempts"], fields["game"]) == ("Tides", "3", "condense")
    with nothing_changes(house):
        host.send(f"/host/rounds/{lesson.round_id}/edit", **fields)
    assert datetime.fromisoformat(newest(lesson)["closes_at"]) == datetime.fromisoformat(end)


def test_a_round_is_edited_until_its_first_move_and_then_its_title_and_end(host: Visitor, lesson: Class) -> None:
    path = f"/host/rounds/{lesson.round_id}/edit"
    fields = fields_of(host.get(path).text)
    page = text_of(host.send(path, **{**fields, "passages": f"{OTHER}\r\n", "title": "Noon"}))
    assert "1. Noon (Condense) open" in page
    assert newest(lesson)["passages"] == [OTHER]
    ada = lesson.join()
    ada.score(lesson.round_id, "5")
    assert "only its title and its end can be changed" in text_of(host.get(path))
    late = text_of(host.send(path, **{**fields, "passages": PASSAGE}))
    assert "Somebody has moved in this round" in late
    assert newest(lesson)["passages"] == [OTHER]
    host.send(path, title="Afternoon", minutes="30")
    later = newest(lesson)
    left = datetime.fromisoformat(later["closes_at"]) - datetime.now(UTC)
    assert later["title"] == "Afternoon"
    assert timedelta(minutes=29) < left <= timedelta(minutes=30), "from now on, not from when it opened"
    again = {**fields_of(host.get(path).text), "minutes": "40"}
    host.send(path, **again)
    assert datetime.fromisoformat(newest(lesson)["closes_at"]) > datetime.fromisoformat(later["closes_at"])


def test_rounds_are_ordered_duplicated_deleted_and_taken_back(host: Visitor, lesson: Class) -> None:
    second = lesson.another_round(title="Second", opens_at="2100-01-01T00:00:00Z", duration=600)
    page = text_of(host.send(f"/host/rounds/{second['id']}/place", number="1"))
    assert page.index("1. Second") < page.index("2. Condense")
    copied = text_of(host.send(f"/host/rounds/{second['id']}/duplicate"))
    assert "3. Second (Condense) draft opens when you open it" in copied
    copy = newest(lesson)
    assert (copy["draft"], copy["duration"], copy["passages"]) == (True, 600, second["passages"])
    deleted = text_of(host.send(f"/host/rounds/{second['id']}/delete"))
    assert "1. Second (Condense)" not in deleted
    assert "it can be taken back for a day Take back round 1" in deleted
    assert "1. Second (Condense) scheduled" in text_of(host.send(f"/host/rounds/{second['id']}/restore"))


def test_a_competition_is_a_draft_until_it_is_published_and_is_duplicated(host: Visitor, lesson: Class) -> None:
    assert "draft" in text_of(host.send("/host/competitions", name="Friday class", draft="on"))
    copied = host.send(f"/host/competitions/{lesson.id}/duplicate", name="Saturday class")
    assert "This competition is a draft: nobody can join it yet." in text_of(copied)
    assert "1. Condense draft" in text_of(copied)
    published = text_of(host.send(f"{copied.url.path}/publish"))
    assert "is a draft" not in published
    assert "The name is empty." in text_of(host.send(f"/host/competitions/{lesson.id}/duplicate", name=" "))
    assert "Friday class draft" in text_of(host.get("/host"))


def test_nobody_else_uses_these_forms(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    path = f"/host/rounds/{lesson.round_id}"
    with nothing_changes(lesson.house):
        assert visitor.get(f"{path}/edit").status_code == 403
        for action in ("edit", "open", "close", "prolong", "place", "publish", "duplicate", "delete"):
            assert visitor.send(f"{path}/{action}", minutes="1", number="1").status_code == 403, action
        assert visitor.send(f"{path}/explode").status_code == 404


# --- Passages ---------------------------------------------------------------------------------------------------------


def test_a_packaged_passage_is_chosen_without_a_script_too(host: Visitor, lesson: Class) -> None:
    chosen = load()[0]
    shown = text_of(host.get(f"/host/competitions/{lesson.id}"))
    assert f"{chosen.title} (easy): {Tokens.from_json(TOKENIZER).count(chosen.text)} tokens" in shown
    make(host, lesson, passages="", library=chosen.id)
    assert newest(lesson)["passages"] == [chosen.text]
    assert host.get(f"/host/passages/{chosen.id}").text == chosen.text
    with nothing_changes(lesson.house):
        assert "There is no packaged passage 'story-99'." in make(host, lesson, passages="", library="story-99")
        assert host.get("/host/passages/story-99").status_code == 404


def test_the_form_tells_what_the_judge_has_measured_once(host: Visitor, lesson: Class) -> None:
    chosen = load()[1]
    lesson.another_round(passages=[chosen.text])
    measured = eventually(
        lambda: re.search(
            rf"{re.escape(chosen.title)} \(easy\): \d+ tokens, [\d,]+ bits of surprise",
            text_of(host.get("/host/passages", params={"judge": PLAIN.name})),
        ),
        what="the measurement",
    )
    assert measured


def test_what_is_typed_is_looked_at_before_the_round_is_made(host: Visitor, lesson: Class) -> None:
    def looked(**fields: str) -> str:
        return text_of(host.send("/host/rounds/look", **{"game": "condense", "judge": PLAIN.name, **fields}))

    with nothing_changes(lesson.house):
        assert looked(passages="a short one").startswith("Passage 1: 3 tokens; the judge reads")
        assert "too long for this judge: shorten it, or take another judge." in looked(passages="word " * 500)
        assert "Contrast takes 2 passages, not 1." in looked(game="contrast", passages="One.")
        assert "There is no game 'chess'." in looked(game="chess", passages="One.")
        assert "Passage 1: The passage" in looked(passages="a\x07b")


def test_a_player_is_told_nothing_of_this(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    for path in ("/host/passages", "/host/passages/story-1"):
        assert visitor.get(path).status_code == 403
    assert visitor.send("/host/rounds/look", passages="One.").status_code == 403
