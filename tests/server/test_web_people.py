"""The host's page of players: the same as by the API, with what is wrong told where it was typed."""

import re
from html import unescape

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp, nothing_changes
from tests.support.web import Visitor, nothing_from_elsewhere, text_of

ROSTER = "name;id\nAda Lovelace;1815\nZoë;\n"


@pytest.fixture
def host(lesson: Class, visitor: Visitor) -> Visitor:
    visitor.sign_in(lesson.house.host)
    return visitor


def page(lesson: Class) -> str:
    return f"/host/competitions/{lesson.id}/people"


def joining(host: Visitor, lesson: Class, how: str) -> None:
    assert host.send(f"{page(lesson)}/joining", joining=how).status_code == 200


def test_a_roster_is_looked_at_first_and_becomes_cards_that_sign_in(
    host: Visitor, lesson: Class, house: RunningApp
) -> None:
    with nothing_changes(house):
        seen = host.send(f"{page(lesson)}/roster/preview", roster=ROSTER)
    assert "2 players to be added" in text_of(seen)
    kept = re.search(r'name="roster" value="([^"]*)"', seen.text)
    assert kept
    cards = host.send(f"{page(lesson)}/roster", roster=unescape(kept[1]))
    nothing_from_elsewhere(cards)
    assert "no-store" in cards.headers["cache-control"]
    keys = re.findall(r'class="key">([^<]+)<', cards.text)
    assert len(keys) == cards.text.count("<svg") == 2
    assert [answer(house.caller(key).get("/me"))["player"]["name"] for key in keys] == ["Ada Lovelace", "Zoë"]
    again = host.get(page(lesson))
    assert "1815" in text_of(again)
    assert keys[0] not in again.text


def test_a_wrong_roster_comes_back_with_its_lines(host: Visitor, lesson: Class) -> None:
    lesson.join("Bob")
    for path in ("/roster/preview", "/roster"):
        with nothing_changes(lesson.house):
            refused = host.send(f"{page(lesson)}{path}", roster="Eve\nEVE\nHost\n")
        assert refused.status_code == 422
        assert "Line 2: The name 'EVE' is on line 1 already" in text_of(refused)
        assert "Line 3: " in text_of(refused)
        assert "Eve\nEVE\nHost" in refused.text
    assert host.send(f"{page(lesson)}/roster", roster="bob").status_code == 409


def test_a_new_key_is_a_card(host: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    cards = host.send(f"/host/players/{ada.id}/key")
    (key,) = re.findall(r'class="key">([^<]+)<', cards.text)
    assert ada.get("/me").status_code == 401
    assert answer(lesson.house.caller(key).get("/me"))["player"]["id"] == ada.id


def test_names_are_changed_and_refused_at_the_player(host: Visitor, lesson: Class) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    refused = host.send(f"/host/players/{ada.id}/rename", name="BOB")
    assert refused.status_code == 409
    assert 'value="BOB"' in refused.text
    assert "choose another name" in text_of(refused)
    assert host.send(f"/host/players/{ada.id}/rename", name="Ada L").url.path == page(lesson)
    host.send(f"/host/players/{bob.id}/remove")
    lesson.join("Bob")
    refused = host.send(f"/host/players/{bob.id}/readmit")
    assert (refused.status_code, "There is already a player named 'Bob'" in text_of(refused)) == (409, True)
    host.send(f"/host/players/{bob.id}/readmit-as", name="Bob B")
    assert [entry["name"] for entry in _members(lesson)] == ["Ada L", "Bob B", "Bob"]
    assert host.send("/host/players/ply_0/rename", name="x").status_code == 404


def _members(lesson: Class) -> list[dict[str, object]]:
    found: list[dict[str, object]] = answer(lesson.house.host.get(f"/competitions/{lesson.id}/players"))["items"]
    return found


def test_a_bulk_is_looked_at_removed_and_taken_back(host: Visitor, lesson: Class) -> None:
    lesson.join("Ada")
    trolls = [lesson.join(f"Troll {i}") for i in range(2)]
    seen = host.get(f"{page(lesson)}/since/{trolls[0].id}")
    assert "2 players joined since" in text_of(seen)
    since, until = (re.search(rf'name="{name}" value="([^"]+)"', seen.text) for name in ("since", "until"))
    assert since
    assert until
    lesson.join("Late")
    removed = host.send(f"{page(lesson)}/remove", since=since[1], until=until[1])
    assert "2 players: Troll 0, Troll 1" in text_of(removed)
    assert [each["removed"] for each in _members(lesson)] == [False, True, True, False]
    bulk = re.search(r"/removals/\w+/readmit", removed.text)
    assert bulk
    host.send(f"{page(lesson)}{bulk[0]}")
    assert not any(each["removed"] for each in _members(lesson))
    for removal in ("rmv_0", "%00", "x" * 1_000):
        assert host.send(f"{page(lesson)}/removals/{removal}/readmit").status_code == 404
    for moment in ("", "yesterday", "0001-01-01T00:00:00"):
        assert host.send(f"{page(lesson)}/remove", since=moment, until=moment).status_code in (409, 422)


def test_who_joins_waits_on_a_page_until_they_are_let_in(host: Visitor, lesson: Class, house: RunningApp) -> None:
    joining(host, lesson, "approval")
    ada = Visitor(house)
    waits = ada.join(lesson, "Ada")
    assert waits.url.path == "/waiting"
    assert "lets you in. This page goes on by itself" in text_of(waits)
    for path in ("/play", "/rounds", f"/rounds/{lesson.round_id}", "/me"):
        assert ada.get(path).url.path == "/waiting"
    assert "Let in Ada" in text_of(host.get(f"{page(lesson)}/waiting"))
    assert "1 of them waits to be let in" in text_of(host.get(f"/host/competitions/{lesson.id}"))
    host.send(f"{page(lesson)}/admit")
    assert ada.get("/waiting").url.path == f"/rounds/{lesson.round_id}"
    ada.http.close()


def test_who_waits_signs_in_on_another_device_and_waits_there(host: Visitor, lesson: Class, house: RunningApp) -> None:
    joining(host, lesson, "approval")
    body = {"code": lesson.competition["code"], "name": "Ada"}
    key = answer(house.anyone.post("/competitions:join", json=body), 201)["token"]
    ada = Visitor(house)
    assert ada.send("/sign-in", key=key).url.path == "/waiting"
    ada.http.close()


def test_joining_is_locked_and_the_code_renewed(host: Visitor, lesson: Class, house: RunningApp) -> None:
    joining(host, lesson, "locked")
    bob = Visitor(house)
    assert "Nobody can join this competition at the moment" in text_of(bob.join(lesson, "Bob"))
    joining(host, lesson, "open")
    renewed = host.send(f"{page(lesson)}/code")
    assert lesson.competition["code"] not in renewed.text
    assert "There is no competition with this code" in text_of(bob.join(lesson, "Bob"))
    assert host.send(f"{page(lesson)}/joining", joining="sometimes").status_code == 422
    bob.http.close()


def test_players_see_none_of_it(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    bob = lesson.join("Bob")
    with nothing_changes(lesson.house):
        for path in ("", "/waiting", f"/since/{bob.id}"):
            assert visitor.get(f"{page(lesson)}{path}").status_code == 403
        for path in ("/joining", "/code", "/admit", "/roster", "/roster/preview", "/remove", "/removals/rmv_0/readmit"):
            fields = {"joining": "open", "roster": "Eve", "since": "2026-01-01", "until": "2026-01-01"}
            assert visitor.send(f"{page(lesson)}{path}", **fields).status_code == 403
        for action in ("key", "rename", "readmit-as", "admit", "remove", "readmit"):
            assert visitor.send(f"/host/players/{bob.id}/{action}", name="Eve").status_code == 403
