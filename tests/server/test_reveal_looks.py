"""The host's look at what a reveal would show: what is listed, what one button hides, and that it is nowhere then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import transfer
from tests.support.house import opened
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, nothing_changes, pointers, problem
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from xentarena import Client

RUDE = "8 rude kumquat"
#: In the order of playing. Bob's best and Cyd's are the same but for capitals; Bob has sent it before, too.
PLAYED = (
    ("Ada", "9 boats"), ("Bob", RUDE), ("Bob", "4 from bob"), ("Bob", RUDE), ("Cyd", "8  Rude KUMQUAT"),
    ("Dan", "5 from dan"), ("Eve", "3 from eve"),
)  # fmt: skip


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[RunningApp]:
    """One for each test: an export has what all classes of a house have said."""
    with opened(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def players(lesson: Class) -> dict[str, Caller]:
    made = {name: lesson.join(name) for name in dict(PLAYED)}
    for name, move in PLAYED:
        made[name].score(lesson.round_id, move)
    lesson.close()
    return made


def look(lesson: Class, **params: str) -> list[Json]:
    items: list[Json] = answer(lesson.house.host.get(f"/rounds/{lesson.round_id}/reveal", params=params))["items"]
    return items


def listed(lesson: Class, **params: str) -> list[tuple[str, float, int, bool]]:
    return [(each["moves"][0], each["bits"], each["players"], each["hidden"]) for each in look(lesson, **params)]


def set_all(lesson: Class, how: str, submissions: list[str]) -> list[Json]:
    path = f"/rounds/{lesson.round_id}/submissions:{how}"
    items: list[Json] = answer(lesson.house.host.post(path, json={"submissions": submissions}))["items"]
    return items


def revealed(lesson: Class) -> list[str]:
    items = answer(lesson.house.host.get(f"/rounds/{lesson.round_id}/moves"))["items"]
    return [each["moves"][0] for each in items]


BEFORE = [
    ("9 boats", 9.0, 1, False),
    (RUDE, 8.0, 2, False),
    ("5 from dan", 5.0, 1, False),
    ("3 from eve", 3.0, 1, False),
]


def test_the_same_words_are_one_text_and_hidden_they_stay_in_the_list_to_be_taken_back(
    lesson: Class, players: dict[str, Caller]
) -> None:
    assert listed(lesson) == listed(lesson, which="below_own_best") == BEFORE
    assert listed(lesson, which="top") == BEFORE[:2], "ranks 1, 2 and 2"
    rude = look(lesson)[1]
    assert len(rude["submissions"]) == 3, "the earlier attempt too, which would take the place of the hidden one"
    hidden = set_all(lesson, "hide", rude["submissions"])
    assert [(each["id"], each["hidden"]) for each in hidden] == [(each, True) for each in rude["submissions"]]
    assert listed(lesson) == [
        BEFORE[0], (RUDE, 8.0, 2, True), BEFORE[2], ("4 from bob", 4.0, 1, False), BEFORE[3],
    ]  # fmt: skip
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all"}))
    assert revealed(lesson) == [text for text, _, _, hidden in listed(lesson) if not hidden]
    set_all(lesson, "show", rude["submissions"])
    assert listed(lesson) == BEFORE


def test_what_is_looked_at_is_what_is_revealed(lesson: Class, players: dict[str, Caller]) -> None:
    for which in ("all", "top"):
        answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": which}))
        shown = [" ".join(text.split()).casefold() for text in revealed(lesson)]
        assert list(dict.fromkeys(shown)) == [text for text, _, _, _ in listed(lesson, which=which)]


def test_several_are_hidden_all_or_none(lesson: Class, players: dict[str, Caller]) -> None:
    path, rude = f"/rounds/{lesson.round_id}/submissions:hide", look(lesson)[1]["submissions"]
    for sent, at in (([*rude, "sub_0"], "/submissions/3"), ([], "/submissions"), (rude[0], "/submissions")):
        with nothing_changes(lesson.house):
            response = lesson.house.host.post(path, json={"submissions": sent})
            assert pointers(problem(response, 422, "invalid-request")) == [at]
    other = lesson.another_round()["id"]
    with nothing_changes(lesson.house):
        response = lesson.house.host.post(f"/rounds/{other}/submissions:hide", json={"submissions": rude})
        problem(response, 422, "invalid-request")
        problem(lesson.house.host.get(f"/rounds/{other}/reveal"), 409, "round-open")


def test_a_hidden_text_is_nowhere(
    lesson: Class, players: dict[str, Caller], house: RunningApp, visitor: Visitor, tmp_path: Path
) -> None:
    """Neither on a page, in an answer, a picture or a file that others see; before, it is in those that show texts."""
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all", "names": True}))
    rude, eve = look(lesson)[1]["submissions"], players["Eve"]
    places = everywhere(lesson, eve, visitor, tmp_path, rude[0])
    assert {name for name, text in places.items() if "kumquat" in text.lower()} == {
        "moves", "others", "submission", "receipt", "picture", "scene", "plays.jsonl", "measurements.jsonl",
    }  # fmt: skip
    set_all(lesson, "hide", rude)
    places = everywhere(lesson, eve, visitor, tmp_path, rude[0])
    assert not {name for name, text in places.items() if "kumquat" in text.lower()}
    assert "9 boats" in places["plays.jsonl"]
    assert "3 from eve" in places["measurements.jsonl"]
    set_all(lesson, "show", rude)
    again = everywhere(lesson, eve, visitor, tmp_path, rude[0])
    assert "kumquat" in again["plays.jsonl"]
    assert "kumquat" in again["moves"]


def everywhere(lesson: Class, who: Caller, visitor: Visitor, folder: Path, submission: str) -> dict[str, str]:
    """All that another player and a wall get to see, and what a shareable export has."""
    house, at = lesson.house, f"/rounds/{lesson.round_id}"
    api = {
        "moves": f"{at}/moves", "board": f"{at}/leaderboard", "submission": f"/submissions/{submission}",
        "receipt": f"/submissions/{submission}/receipt", "feed": f"/competitions/{lesson.id}/events?after=0",
    }  # fmt: skip
    found = {name: who.get(path).text for name, path in api.items()}
    visitor.sign_in(who)
    found["others"] = visitor.get(f"{at}/others").text
    found["picture"] = visitor.get(f"/submissions/{submission}/picture.svg").text
    visitor.sign_in(house.host)
    visitor.send(f"/host/competitions/{lesson.id}/wall")
    wall = f"/show/{lesson.competition['code']}"
    found |= {part: visitor.get(f"{wall}/{part}").text for part in ("scene", "board")}
    file = folder / "shared.zip"
    transfer.export(house.settings.database_url or "", file, shareable=True, force=True)
    return found | {name: content.decode() for name, content in transfer.members(file).items()}


def test_a_host_goes_through_the_texts_on_a_page_and_reveals(
    lesson: Class, players: dict[str, Caller], visitor: Visitor
) -> None:
    visitor.sign_in(lesson.house.host)
    at = f"/host/rounds/{lesson.round_id}"
    assert 'formmethod="get"' in visitor.get(f"/host/competitions/{lesson.id}").text
    page = visitor.get(f"{at}/reveal?which=all&names=on")
    nothing_from_elsewhere(page)
    told = text_of(page)
    assert "These 4 texts would be shown" in told
    assert "8 rude kumquat 8.000 bits 2 players Hide" in told
    rude = look(lesson)[1]["id"]
    page = visitor.send(f"{at}/texts/{rude}/hide", which="all", names="on")
    assert (page.url.query, page.url.fragment) == (b"which=all&names=on", rude), "at the same text, the same question"
    assert "hidden 2 players Show again" in text_of(page)
    assert listed(lesson)[1] == (RUDE, 8.0, 2, True)
    assert "Show again" not in text_of(visitor.send(f"{at}/texts/{rude}/show", which="all", names="on"))
    assert visitor.send(f"{at}/texts/txt_0/hide", which="all").status_code == 404
    assert visitor.send(f"{at}/texts/{rude}/burn", which="all").status_code in (404, 422)
    visitor.send(f"{at}/texts/{rude}/hide", which="top")
    assert visitor.send(f"{at}/reveal", which="all").status_code == 200
    assert "8 rude kumquat" not in revealed(lesson)
    visitor.sign_in(players["Eve"])
    assert visitor.get(f"{at}/reveal").status_code == 403
    with Client(lesson.house.url, players["Eve"].token) as client:
        assert [each.moves[0] for each in client.revealed(lesson.round_id)] == ["9 boats", "5 from dan", "4 from bob"]
