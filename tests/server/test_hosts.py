"""Hosts of their own competitions, co-hosts and observers: their keys, their pages, what they see of each other."""

from typing import Any

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, problem, stream
from tests.support.web import Visitor, text_of

SOURCE = "# {}\n#\n# Write.\n\nelicit(x, {})\nreward(xed(x | story()))\n"


def let_in(who: Caller, path: str = "/hosts", **body: Any) -> tuple[Caller, Json]:
    made = answer(who.post(path, json={"name": "Ms Byron", **body}), 201)
    return Caller(who.http, made["token"]), made["host"]


def test_a_host_sees_what_they_made_and_the_owner_everything(house: RunningApp, lesson: Class) -> None:
    byron, row = let_in(house.host)
    assert answer(byron.get("/competitions"))["items"] == []
    made = answer(byron.post("/competitions", json={"name": "Hers"}), 201)
    assert made["code"]
    assert [each["id"] for each in answer(byron.get("/competitions"))["items"]] == [made["id"]]
    assert {made["id"], lesson.id} <= {each["id"] for each in answer(house.host.get("/competitions"))["items"]}
    assert problem(byron.get(f"/competitions/{lesson.id}"), 403, "forbidden")["detail"] == (
        "This competition is another host's. Its host can let you in."
    )
    assert answer(byron.get("/me")) == {
        "scope": "host", "player": None, "competition": None, "name": "Ms Byron", "owner": False, "allowance": None,
    }  # fmt: skip
    assert answer(byron.get(f"/competitions/{made['id']}/hosts"))["items"] == [row]


def test_a_co_host_runs_one_competition_and_an_observer_looks_on(lesson: Class) -> None:
    at = f"/competitions/{lesson.id}/hosts"
    cohost, _ = let_in(lesson.house.host, at)
    observer, row = let_in(cohost, at, name="Mr Babbage", scope="observer")
    assert (row["scope"], row["competition"]) == ("observer", lesson.id)
    answer(cohost.post(f"/rounds/{lesson.round_id}:pause"))
    answer(cohost.post(f"/rounds/{lesson.round_id}:open"))
    told = problem(observer.post(f"/rounds/{lesson.round_id}:pause"), 403, "forbidden")
    assert told["detail"] == "Observers look on and change nothing: this needs a token of scope 'host'."
    ada = lesson.join("Ada")
    move = ada.score(lesson.round_id, "7 of ada")
    assert answer(observer.get(f"/submissions/{move['id']}"))["bits"] == 7.0
    told = problem(cohost.post("/competitions", json={"name": "Another"}), 403, "forbidden")
    assert told["detail"] == "This token is good for one competition. Only hosts of their own can do this."


def test_a_new_key_ends_the_old_one_and_its_streams_at_once(lesson: Class) -> None:
    observer, row = let_in(lesson.house.host, f"/competitions/{lesson.id}/hosts", scope="observer")
    with stream(observer, lesson.id, 0) as events:
        events.take(1)
        again = answer(lesson.house.host.post(f"/hosts/{row['id']}:renew"), 200)
        list(events.events())
        assert events.ended
    assert again["host"] == row
    problem(observer.get("/me"), 401, "unauthorized")
    answer(lesson.house.caller(again["token"]).get("/me"))
    answer(lesson.house.host.post(f"/hosts/{row['id']}:dismiss"))
    problem(lesson.house.caller(again["token"]).get("/me"), 401, "unauthorized")
    problem(lesson.house.host.post(f"/hosts/{row['id']}:renew"), 404, "not-found")
    assert answer(lesson.house.host.get(f"/competitions/{lesson.id}/hosts"))["items"] == []


def test_nobody_changes_their_own_key_nor_the_owners(lesson: Class) -> None:
    cohost, row = let_in(lesson.house.host, f"/competitions/{lesson.id}/hosts")
    problem(cohost.post(f"/hosts/{row['id']}:dismiss"), 409, "own-key")
    owner = lesson.house.sql("SELECT id FROM tokens WHERE owner")[0][0]
    problem(cohost.post(f"/hosts/{owner}:dismiss"), 404, "not-found")
    problem(lesson.house.host.post(f"/hosts/{owner}:renew"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 300}, "/name"),
        ({"name": "A", "scope": "owner"}, "/scope"),
        ({}, "/name"),
    ],
)
def test_a_wrong_invitation_says_what_is_wrong_and_makes_nothing(lesson: Class, body: Json, at: str) -> None:
    path = f"/competitions/{lesson.id}/hosts"
    told = problem(lesson.house.host.post(path, json=body), 422, "invalid-request")
    assert [each["pointer"] for each in told["errors"]] == [at]
    assert answer(lesson.house.host.get(path))["items"] == []
    problem(lesson.house.host.post("/competitions/cmp_none/hosts", json={"name": "A"}), 404, "not-found")


def test_a_game_belongs_to_the_host_who_brought_it(house: RunningApp) -> None:
    byron, _ = let_in(house.host)
    lovelace, _ = let_in(house.host)
    title = f"Verse {byron.token[:6] if byron.token else ''}"
    sources = [SOURCE.format(title, number) for number in (10, 11, 12)]
    game = answer(byron.post("/games", json={"source": sources[0]}), 201)
    again = answer(lovelace.post("/games", json={"source": sources[0]}), 200)
    assert again["digest"] == game["digest"], "the very program is there: it can be used"
    told = problem(lovelace.post("/games", json={"source": sources[1]}), 409, "name-taken")
    assert told["detail"] == f"'{game['name']}' is the name of another host's game. Give your game another name."
    problem(lovelace.post(f"/games/{game['name']}:withdraw"), 403, "forbidden")
    answer(byron.post("/games", json={"source": sources[1]}), 201)
    answer(house.host.post("/games", json={"source": sources[2], "name": game["name"]}), 201)
    answer(house.host.post(f"/games/{game['name']}:withdraw"))


def test_every_change_of_hosts_is_in_the_audit(lesson: Class) -> None:
    _, row = let_in(lesson.house.host, f"/competitions/{lesson.id}/hosts", scope="observer")
    answer(lesson.house.host.post(f"/hosts/{row['id']}:renew"))
    answer(lesson.house.host.post(f"/hosts/{row['id']}:dismiss"))
    rows = lesson.house.sql("SELECT action FROM audit WHERE target = :target ORDER BY number", target=row["id"])
    assert [each[0] for each in rows] == ["host.invite", "host.renew", "host.dismiss"]


def test_the_pages_give_a_key_once_and_an_observer_has_no_forms(lesson: Class, visitor: Visitor) -> None:
    visitor.sign_in(lesson.house.host)
    at = f"/host/competitions/{lesson.id}/hosts"
    assert "Hosts and observers" in text_of(visitor.get(f"/host/competitions/{lesson.id}"))
    made = visitor.send(at, name="Ms Byron", scope="observer")
    assert "The key of Ms Byron" in text_of(made)
    key = made.text.split('id="shown-key" readonly value="')[1].split('"')[0]
    assert key not in visitor.get(at).text
    assert visitor.send(at, name="", scope="observer").status_code == 422
    other = Visitor(lesson.house)
    front = other.sign_in(Caller(lesson.house.http, key))
    assert (front.url.path, front.status_code) == ("/host", 200)
    assert "New competition" not in front.text
    for path in (f"/host/competitions/{lesson.id}", at):
        shown = other.get(path)
        assert shown.status_code == 200
        assert 'method="post"' not in shown.text.split("<footer")[0]
    row = answer(lesson.house.host.get(f"/competitions/{lesson.id}/hosts"))["items"][0]
    assert other.send(f"{at}/{row['id']}/dismiss").status_code == 403
    visitor.send(f"{at}/{row['id']}/dismiss")
    assert other.get("/host").status_code in (401, 403)
    other.http.close()


def test_the_owners_page_lets_in_hosts_of_their_own(house: RunningApp, visitor: Visitor) -> None:
    visitor.sign_in(house.host)
    made = visitor.send("/host/hosts", name="Ms Byron of the page")
    assert "The key of Ms Byron of the page" in text_of(made)
    key = made.text.split('id="shown-key" readonly value="')[1].split('"')[0]
    visitor.sign_in(Caller(house.http, key))
    assert visitor.get("/host/hosts").status_code == 403
    made = visitor.send("/host/competitions", name="Hers", bots="none", total="floored")
    assert "Hers" in text_of(made)
    assert text_of(visitor.get("/host")).count("Hers") == 1
