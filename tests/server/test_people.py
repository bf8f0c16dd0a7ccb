"""Keys, names, removals and who may join: what a host does about the people of a competition."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server.launch.demo import open_demo
from tests.support.scenario.deployment import HOST_TOKEN, answer
from tests.support.server import Caller, Class, Json, RunningApp, all_at_once, nothing_changes, problem, stream
from tests.support.workers import PLAIN
from xentarena import Client
from xentarena.errors import ArenaError


def join(lesson: Class, name: str, code: str | None = None) -> httpx.Response:
    body = {"code": code or lesson.competition["code"], "name": name}
    return lesson.house.anyone.post("/competitions:join", json=body)


def host(lesson: Class, path: str, body: Json | None = None, status: int = 200) -> Json:
    return answer(lesson.house.host.post(path, json=body), status)


def joining(lesson: Class, how: str) -> None:
    changed = answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": how}))
    assert changed["joining"] == how


def rename(lesson: Class, player: Caller, name: str) -> httpx.Response:
    return lesson.house.host.request("PATCH", f"/players/{player.id}", json={"name": name})


def members(lesson: Class, **params: str) -> list[Json]:
    found: list[Json] = answer(lesson.house.host.get(f"/competitions/{lesson.id}/players", params=params))["items"]
    return found


def types(lesson: Class) -> list[str]:
    return [event["type"] for event in lesson.events()]


def audited(lesson: Class, target: str) -> list[str]:
    rows = lesson.house.sql("SELECT action FROM audit WHERE target = :target ORDER BY number", target=target)
    return [action for (action,) in rows]


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_a_new_key_is_the_same_player_and_the_old_one_ends_at_once(lesson: Class) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "25")
    given = host(lesson, f"/players/{ada.id}:new-key")
    problem(ada.get("/me"), 401, "unauthorized")
    problem(ada.submit(lesson.round_id, "one"), 401, "unauthorized")
    again = lesson.house.caller(given["token"])
    assert answer(again.get("/me"))["player"]["id"] == ada.id == given["player"]["id"]
    again.score(lesson.round_id, "30")
    assert [entry["bits"] for entry in lesson.board()] == [30.0]
    assert audited(lesson, str(ada.id)) == ["player.key"]


def test_streams_of_the_old_key_end(lesson: Class) -> None:
    ada = lesson.join("Ada")
    with stream(ada, lesson.id) as events:
        host(lesson, f"/players/{ada.id}:new-key")
        lesson.join("Bob")
        assert len(list(events.events())) <= 1
        assert events.ended


def test_of_two_new_keys_given_at_once_one_is_good(lesson: Class) -> None:
    ada = lesson.join()
    given = all_at_once(6, lambda _: host(lesson, f"/players/{ada.id}:new-key")["token"])
    seen = [lesson.house.caller(token).get("/me").status_code for token in given]
    assert sorted(seen) == [200] + [401] * 5


def test_a_bots_new_key_is_a_bots(lesson: Class) -> None:
    bot = lesson.join(kind="bot")
    again = lesson.house.caller(host(lesson, f"/players/{bot.id}:new-key")["token"])
    assert answer(again.get("/me"))["scope"] == "bot"


def test_who_was_removed_gets_no_key(lesson: Class) -> None:
    ada = lesson.join()
    host(lesson, f"/players/{ada.id}:remove")
    with nothing_changes(lesson.house):
        problem(lesson.house.host.post(f"/players/{ada.id}:new-key"), 409, "player-removed")


# --- Names ------------------------------------------------------------------------------------------------------------


def test_a_player_is_called_otherwise_everywhere(lesson: Class) -> None:
    ada = lesson.join("Rude")
    ada.score(lesson.round_id, "25")
    assert answer(rename(lesson, ada, "  Ada   Lovelace "))["name"] == "Ada Lovelace"
    assert [entry["player"]["name"] for entry in lesson.board()] == ["Ada Lovelace"]
    assert answer(ada.get("/me"))["player"]["name"] == "Ada Lovelace"
    newest = lesson.events()[-1]
    assert (newest["type"], newest["data"]["name"]) == ("player.renamed", "Ada Lovelace")
    answer(join(lesson, "Rude"), 201)
    assert audited(lesson, str(ada.id)) == ["player.rename"]


def test_a_name_that_is_there_already_or_none_is_refused_to_a_host_too(lesson: Class) -> None:
    ada, _ = lesson.join("Ada"), lesson.join("Bob")
    with nothing_changes(lesson.house):
        problem(rename(lesson, ada, "BOB"), 409, "name-taken")
        problem(rename(lesson, ada, ""), 422, "invalid-request")
        problem(rename(lesson, ada, "Admin"), 422, "invalid-request")
        problem(lesson.house.host.request("PATCH", "/players/ply_0", json={"name": "A"}), 404, "not-found")
    answer(rename(lesson, ada, "ADA"))


def test_a_name_goes_to_who_joins_or_to_who_is_renamed_never_to_both(lesson: Class) -> None:
    for turn in range(4):
        ada, name = lesson.join(), f"Ada {turn}"
        renamed, *joined = all_at_once(
            4,
            lambda i, ada=ada, name=name: join(lesson, name) if i else rename(lesson, ada, name),  # type: ignore[misc]
        )
        assert [renamed.status_code, *(each.status_code for each in joined)].count(409) == 3
        assert [each["name"] for each in members(lesson)].count(name) == 1


@pytest.mark.parametrize("name", ["аda", "ADA", "Ａda", "A\u200dda"])
def test_who_looks_like_somebody_else_needs_another_name(lesson: Class, name: str) -> None:
    lesson.join("Ada")
    with nothing_changes(lesson.house):
        body = problem(join(lesson, name), 409, "name-taken")
    assert "or one like it" in body["detail"]


@pytest.mark.parametrize("name", ["Host", "The H0st!", "ADMIN", "Spielleitung", "l’arbitre", "Xent Arena", "Admin 2"])
def test_nobody_is_called_like_who_runs_this(lesson: Class, name: str) -> None:
    with nothing_changes(lesson.house):
        body = problem(join(lesson, name), 422, "invalid-request")
    assert body["errors"][0]["pointer"] == "/name"
    assert "choose another name" in body["detail"]


# --- Removing and taking back -----------------------------------------------------------------------------------------


def test_a_removed_players_name_is_free_and_they_come_back_by_another(lesson: Class) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "25")
    host(lesson, f"/players/{ada.id}:remove")
    answer(join(lesson, "Ada"), 201)
    with nothing_changes(lesson.house):
        problem(lesson.house.host.post(f"/players/{ada.id}:readmit"), 409, "name-taken")
    problem(ada.get("/me"), 403, "forbidden")
    assert host(lesson, f"/players/{ada.id}:readmit", {"name": "Ada B"})["name"] == "Ada B"
    assert [entry["player"]["name"] for entry in lesson.board()] == ["Ada B"]
    assert audited(lesson, str(ada.id)) == ["player.remove", "player.readmit"]


def test_all_who_joined_since_a_moment_are_removed_together_and_taken_back_together(lesson: Class) -> None:
    ada = lesson.join("Ada")
    trolls = [lesson.join(f"Troll {i}") for i in range(3)]
    trolls[0].score(lesson.round_id, "25")
    since = members(lesson)[1]["joined_at"]
    assert [each["name"] for each in members(lesson, joined_since=since)] == ["Troll 0", "Troll 1", "Troll 2"]
    path = f"/competitions/{lesson.id}/players"
    removed = host(lesson, f"{path}:remove", {"joined_since": since})
    assert {each["id"] for each in removed["players"]} == {each.id for each in trolls}
    assert lesson.board() == []
    for each in trolls:
        problem(each.get("/me"), 403, "forbidden")
    answer(ada.get("/me"))
    answer(join(lesson, "Troll 1"), 201)
    undo = {"removal": removed["removal"]}
    with nothing_changes(lesson.house):
        assert "'Troll 1'" in problem(lesson.house.host.post(f"{path}:readmit", json=undo), 409, "name-taken")["detail"]
    host(lesson, f"/players/{trolls[1].id}:readmit", {"name": "Bob"})
    assert len(host(lesson, f"{path}:readmit", undo)["players"]) == 2
    assert [entry["bits"] for entry in lesson.board()] == [25.0]
    problem(lesson.house.host.post(f"{path}:readmit", json=undo), 404, "not-found")
    assert audited(lesson, lesson.id) == ["competition.create", "players.remove", "players.readmit"]


def test_who_joined_after_the_preview_is_not_removed_with_it(lesson: Class) -> None:
    lesson.join("Troll")
    (troll,) = members(lesson)
    lesson.join("Late")
    span = {"joined_since": troll["joined_at"], "joined_until": troll["joined_at"]}
    host(lesson, f"/competitions/{lesson.id}/players:remove", span)
    assert [each["removed"] for each in members(lesson)] == [True, False]
    with nothing_changes(lesson.house):
        problem(lesson.house.host.post(f"/competitions/{lesson.id}/players:remove", json=span), 409, "nobody-joined")


# --- Who may join -----------------------------------------------------------------------------------------------------


def test_where_joining_is_locked_nobody_joins_until_it_is_opened(lesson: Class) -> None:
    ada = lesson.join("Ada")
    joining(lesson, "locked")
    with nothing_changes(lesson.house):
        assert "Ask whoever runs it" in problem(join(lesson, "Bob"), 403, "joining-locked")["detail"]
    ada.score(lesson.round_id, "25")
    joining(lesson, "open")
    answer(join(lesson, "Bob"), 201)
    assert audited(lesson, lesson.id) == ["competition.create", "competition.joining", "competition.joining"]


def test_an_old_code_is_dead_once_there_is_a_new_one(lesson: Class) -> None:
    ada, before = lesson.join("Ada"), lesson.competition["code"]
    code = host(lesson, f"/competitions/{lesson.id}:renew-code")["code"]
    assert code != before
    problem(join(lesson, "Bob", before), 404, "not-found")
    answer(join(lesson, "Bob", code), 201)
    answer(ada.get("/me"))


def test_the_demo_tells_the_code_of_now(house: RunningApp, tmp_path: Path) -> None:
    made = (tmp_path / "demo.json", house.url, HOST_TOKEN, [PLAIN.identity])
    competition = open_demo(*made).competition
    code = answer(house.host.post(f"/competitions/{competition}:renew-code"))["code"]
    assert open_demo(*made).code == code


def waiting(lesson: Class, name: str) -> Caller:
    joined = answer(join(lesson, name), 201)
    assert joined["player"]["pending"] is True
    return Caller(lesson.house.http, joined["token"], joined["player"]["id"])


def test_who_waits_can_do_nothing_but_ask_whether_they_are_let_in(lesson: Class) -> None:
    joining(lesson, "approval")
    ada = waiting(lesson, "Ada")
    assert answer(ada.get("/me"))["player"]["pending"] is True
    with nothing_changes(lesson.house):
        for path in (f"/competitions/{lesson.id}", f"/rounds/{lesson.round_id}", "/competitions", "/me/submissions",
                     f"/competitions/{lesson.id}/events", f"/rounds/{lesson.round_id}/leaderboard"):  # fmt: skip
            problem(ada.get(path), 403, "pending")
        problem(ada.submit(lesson.round_id, "one"), 403, "pending")
    assert host(lesson, f"/players/{ada.id}:admit")["pending"] is False
    ada.score(lesson.round_id, "25")
    assert types(lesson)[1:] == ["competition.changed", "waiting.changed", "player.joined", "standing.changed"]
    assert lesson.events()[2]["data"] == {}, "a name that no host has looked at is told to nobody"
    assert audited(lesson, str(ada.id)) == ["player.admit"]


def test_who_asks_is_told_the_moment_they_are_let_in(lesson: Class) -> None:
    joining(lesson, "approval")
    ada = waiting(lesson, "Ada")
    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(lambda: answer(ada.get("/me", params={"wait": 30})))
        assert [each["name"] for each in host(lesson, f"/competitions/{lesson.id}/players:admit")["items"]] == ["Ada"]
        assert held.result(10)["player"]["pending"] is False


def test_a_bot_waits_to_be_let_in(lesson: Class) -> None:
    joining(lesson, "approval")
    with Client(lesson.house.url) as client, ThreadPoolExecutor(1) as threads:
        assert client.join(lesson.competition["code"], "Robot").player.pending
        with pytest.raises(ArenaError, match="has not let 'Robot' in"):
            client.wait_to_be_let_in(0.1)
        held = threads.submit(client.wait_to_be_let_in, 30)
        host(lesson, f"/competitions/{lesson.id}/players:admit")
        assert held.result(10).player is not None
        assert [each.id for each in client.rounds()] == [lesson.round_id]


def test_who_waits_may_be_turned_away(lesson: Class) -> None:
    joining(lesson, "approval")
    ada = waiting(lesson, "Something rude")
    host(lesson, f"/players/{ada.id}:remove")
    problem(ada.get("/me"), 403, "forbidden")
    assert "Something rude" not in str(lesson.events())
    assert host(lesson, f"/competitions/{lesson.id}/players:admit") == {"items": [], "next": None}
    assert host(lesson, f"/players/{ada.id}:readmit")["pending"] is True


WRONG: dict[str, tuple[str, str, object, str]] = {
    "no moment": ("POST", "/competitions/{c}/players:remove", {}, "/joined_since"),
    "a moment without a zone": (
        "POST", "/competitions/{c}/players:remove", {"joined_since": "2026-01-01T00:00:00"}, "/joined_since",
    ),
    "no such moment": (
        "POST", "/competitions/{c}/players:remove", {"joined_since": "2026-02-30T00:00:00Z"}, "/joined_since",
    ),
    "an unknown field": ("POST", "/competitions/{c}/players:readmit", {"removal": "rmv_0", "all": True}, "/all"),
    "a removal with NUL": ("POST", "/competitions/{c}/players:readmit", {"removal": "\0"}, "/removal"),
    "joining of another kind": ("PATCH", "/competitions/{c}", {"joining": "maybe"}, "/joining"),
    "joining null and total wrong": ("PATCH", "/competitions/{c}", {"joining": None, "total": "luck"}, "/total"),
    "no name": ("PATCH", "/players/{p}", {}, "/name"),
    "a name that is a number": ("PATCH", "/players/{p}", {"name": 5}, "/name"),
    "a name of 65 letters": ("PATCH", "/players/{p}", {"name": "x" * 65}, "/name"),
    "a name with NUL": ("PATCH", "/players/{p}", {"name": "A\0"}, "/name"),
    "half a letter": ("PATCH", "/players/{p}", {"name": "\ud800"}, "/name"),
    "nothing to see": ("PATCH", "/players/{p}", {"name": "ㅤ"}, "/name"),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "at"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_and_nothing_changes(
    lesson: Class, method: str, path: str, body: object, at: str
) -> None:
    ada = lesson.join()
    with nothing_changes(lesson.house):
        response = lesson.house.host.request(method, path.format(c=lesson.id, p=ada.id), json=body)
        assert [each["pointer"] for each in problem(response, 422, "invalid-request")["errors"]] == [at]


def test_what_is_not_there_is_said_not_to_be(lesson: Class) -> None:
    with nothing_changes(lesson.house):
        for path in ("competitions/cmp_0:renew-code", "competitions/cmp_0/players:admit", "players/ply_0:new-key",
                     "players/ply_0:admit", "players/ply_0:remove", "players/ply_0:readmit"):  # fmt: skip
            problem(lesson.house.host.post(f"/{path}"), 404, "not-found")
        span, text = {"joined_since": "2020-01-01T00:00:00Z"}, {"Content-Type": "text/plain"}
        problem(lesson.house.host.post("/competitions/cmp_0/players:remove", json=span), 404, "not-found")
        problem(lesson.house.host.post("/competitions/cmp_0/roster", content=b"Ada", headers=text), 404, "not-found")


def test_all_this_is_a_hosts(lesson: Class) -> None:
    ada, bob = lesson.join(), lesson.join()
    path, text = f"/competitions/{lesson.id}", {"Content-Type": "text/csv"}
    with nothing_changes(lesson.house):
        for who in (ada, lesson.house.anyone):
            for response in (
                who.post(f"{path}:renew-code"),
                who.post(f"{path}/players:admit"),
                who.post(f"{path}/players:remove", json={"joined_since": "2020-01-01T00:00:00Z"}),
                who.post(f"{path}/players:readmit", json={"removal": "rmv_0"}),
                who.post(f"{path}/roster", content=b"Eve", headers=text),
                who.post(f"{path}/roster:preview", content=b"Eve", headers=text),
                who.request("PATCH", path, json={"joining": "locked"}),
                who.request("PATCH", f"/players/{bob.id}", json={"name": "Eve"}),
                who.post(f"/players/{bob.id}:new-key"),
                who.post(f"/players/{bob.id}:admit"),
            ):
                assert response.json()["type"] == ("forbidden" if who is ada else "unauthorized")
