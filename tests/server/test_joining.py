"""A player joins with the code, gets a token once, and is known by it from then on."""

import httpx
import pytest

from server.arena import callers
from tests.support.scenario.deployment import HOST_TOKEN, answer
from tests.support.server import Caller, Class, RunningApp, new_class, new_competition, nothing_changes, problem
from tests.support.workers import PLAIN


def join(house: RunningApp, code: str, name: str, kind: str = "person") -> httpx.Response:
    return house.anyone.post("/competitions:join", json={"code": code, "name": name, "kind": kind})


def test_a_guest_joins_with_a_code_and_a_name_and_gets_a_token(lesson: Class) -> None:
    joined = answer(join(lesson.house, lesson.competition["code"], "Ada"), 201)
    assert set(joined) == {"token", "player"}
    assert joined["player"]["name"] == "Ada"
    assert joined["player"]["competition"] == lesson.id
    assert len(joined["token"]) >= 43, "256 bits"
    me = answer(lesson.house.caller(joined["token"]).get("/me"))
    assert me.pop("allowance")["submissions"]["used"] == 0
    assert me == {"scope": "play", "player": joined["player"], "competition": lesson.id, "name": None, "owner": False}


def test_only_a_digest_of_the_token_is_kept(lesson: Class) -> None:
    token = lesson.join().token
    assert token is not None
    assert lesson.house.sql("SELECT count(*) FROM tokens WHERE prefix = :start", start=token[:8]) == [(1,)]
    kept = lesson.house.sql("SELECT * FROM tokens WHERE prefix = :start", start=token[:8])
    assert token not in str(kept)


def test_the_codes_case_and_dashes_do_not_matter(lesson: Class) -> None:
    code = lesson.competition["code"]
    answer(join(lesson.house, f" {code[:3].lower()}-{code[3:].lower()} ", "Ada"), 201)


def test_an_unknown_code_is_said_to_be_unknown(house: RunningApp) -> None:
    with nothing_changes(house):
        problem(join(house, "NOSUCH", "Ada"), 404, "not-found")
        problem(join(house, "- -", "Ada"), 422, "invalid-request")


def test_two_players_of_one_competition_cannot_share_a_name(lesson: Class) -> None:
    lesson.join("Ada Lovelace")
    with nothing_changes(lesson.house):
        problem(join(lesson.house, lesson.competition["code"], "ADA  lovelace"), 409, "name-taken")
    answer(join(lesson.house, new_competition(lesson.house)["code"], "Ada Lovelace"), 201)


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u200b", "x" * 65, "notice\a", "left\u202eright", "half \ud800"],
    ids=lambda name: repr(name)[:12],
)
def test_a_name_has_to_be_one_that_people_can_see(lesson: Class, name: str) -> None:
    with nothing_changes(lesson.house):
        body = problem(join(lesson.house, lesson.competition["code"], name), 422, "invalid-request")
        assert body["errors"][0]["pointer"] == "/name"


def test_a_program_says_that_it_is_one_and_its_token_does_too(lesson: Class) -> None:
    bot = lesson.join(kind="bot")
    assert answer(bot.get("/me"))["scope"] == "bot"


def test_a_competition_may_take_no_bots(house: RunningApp) -> None:
    people = new_class(house, PLAIN, bots="none")
    problem(join(house, people.competition["code"], "robot", "bot"), 403, "forbidden")
    people.join("Ada")


def test_the_code_is_shown_to_hosts_only(lesson: Class) -> None:
    path = f"/competitions/{lesson.id}"
    assert answer(lesson.house.host.get(path))["code"] == lesson.competition["code"]
    assert answer(lesson.join().get(path))["code"] is None


def test_joining_is_an_event(lesson: Class) -> None:
    ada = lesson.join("Ada")
    newest = lesson.events()[-1]
    assert newest["type"] == "player.joined"
    assert newest["data"] == {"player": ada.id, "name": "Ada", "kind": "person"}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer a b", "Basic YTpi", "Bearer \xff\xfe", "Bearer " + "x" * 4_000]
)
def test_without_a_good_token_the_answer_is_401(house: RunningApp, header: str) -> None:
    response = house.anyone.get("/me", headers={b"Authorization": header.encode("latin-1")})
    problem(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_only_begins_like_a_good_one_is_not_known(lesson: Class) -> None:
    token = lesson.join().token
    assert token is not None
    problem(lesson.house.caller(token[:-1]).get("/me"), 401, "unauthorized")
    problem(lesson.house.caller(token[:8] + "x" * 35).get("/me"), 401, "unauthorized")


def test_a_token_can_be_given_up(lesson: Class) -> None:
    ada = lesson.join()
    assert ada.request("DELETE", "/me/token").status_code == 204
    problem(ada.get("/me"), 401, "unauthorized")
    problem(ada.submit(lesson.round_id, "one"), 401, "unauthorized")


def test_the_hosts_token_of_the_settings_is_good_whatever_happened_to_it(house: RunningApp) -> None:
    """`XENTARENA_HOST_TOKEN` is 'always accepted': also after it was given up, and where only its end is new."""
    first, second = "class-of-2026-" + "a" * 32, "class-of-2026-" + "b" * 32
    house.database.write(lambda session: callers.ensure_owner(session, first))
    assert house.caller(first).request("DELETE", "/me/token").status_code == 204
    house.database.write(lambda session: callers.ensure_owner(session, first))
    assert answer(house.caller(first).get("/me"))["scope"] == "host"
    house.database.write(lambda session: callers.ensure_owner(session, second))
    assert answer(house.caller(second).get("/me"))["scope"] == "host"
    problem(house.caller(first).get("/me"), 401, "unauthorized")
    problem(house.host.get("/me"), 401, "unauthorized")  # that of before
    house.database.write(lambda session: callers.ensure_owner(session, HOST_TOKEN))
    assert answer(house.host.get("/me"))["scope"] == "host"


def test_a_players_token_cannot_be_turned_into_a_hosts(lesson: Class) -> None:
    ada = lesson.join()
    assert ada.token is not None
    twin = ada.token[:8] + "x" * 40
    lesson.house.database.write(lambda session: callers.ensure_owner(session, twin))
    assert answer(ada.get("/me"))["scope"] == "play"
    assert answer(lesson.house.host.get("/me"))["scope"] == "host"


@pytest.mark.parametrize("kind", ["person", "bot"])
def test_a_player_can_do_nothing_that_is_a_hosts(lesson: Class, kind: str) -> None:
    ada, bob = lesson.join(kind=kind), lesson.join()
    sent = answer(bob.submit(lesson.round_id, "one", wait=10), 201)
    body = {"game": "condense", "passages": ["A text."]}
    calls = [
        ada.post("/competitions", json={"name": "mine"}),
        ada.post(f"/competitions/{lesson.id}/rounds", json=body),
        ada.get(f"/competitions/{lesson.id}/players"),
        ada.post(f"/players/{bob.id}:remove"),
        ada.post(f"/players/{bob.id}:readmit"),
        ada.post(f"/rounds/{lesson.round_id}:open"),
        ada.post(f"/rounds/{lesson.round_id}:pause"),
        ada.post(f"/rounds/{lesson.round_id}:close"),
        ada.post(f"/submissions/{sent['id']}:hide"),
        ada.post(f"/submissions/{sent['id']}:show"),
    ]
    with nothing_changes(lesson.house):
        for response in calls:
            problem(response, 403, "forbidden")


def test_a_host_does_not_play(lesson: Class) -> None:
    with nothing_changes(lesson.house):
        problem(lesson.house.host.submit(lesson.round_id, "one"), 403, "forbidden")


def test_another_competitions_token_opens_nothing_here(lesson: Class) -> None:
    stranger = new_class(lesson.house, PLAIN).join()
    with nothing_changes(lesson.house):
        for path in (
            f"/competitions/{lesson.id}",
            f"/competitions/{lesson.id}/rounds",
            f"/competitions/{lesson.id}/leaderboard",
            f"/competitions/{lesson.id}/events",
            f"/rounds/{lesson.round_id}",
            f"/rounds/{lesson.round_id}/leaderboard",
            lesson.submissions,
        ):
            problem(stranger.get(path), 403, "forbidden")
        problem(stranger.submit(lesson.round_id, "one"), 403, "forbidden")


def test_nothing_of_a_competition_is_open_to_those_who_have_no_token(lesson: Class) -> None:
    for path in (
        "/competitions",
        "/me/submissions",
        f"/competitions/{lesson.id}",
        f"/competitions/{lesson.id}/players",
        f"/competitions/{lesson.id}/events",
        f"/rounds/{lesson.round_id}",
        f"/rounds/{lesson.round_id}/leaderboard",
        lesson.submissions,
        "/submissions/sub_0",
        "/measurements/0",
    ):
        problem(lesson.house.anyone.get(path), 401, "unauthorized")


def test_a_player_sees_their_own_competition_only(lesson: Class) -> None:
    new_competition(lesson.house)
    assert [each["id"] for each in answer(lesson.join().get("/competitions"))["items"]] == [lesson.id]


def test_another_players_submission_stays_hidden(lesson: Class) -> None:
    ada, bob = lesson.join(), lesson.join()
    sent = ada.score(lesson.round_id, "a secret idea")
    problem(bob.get(f"/submissions/{sent['id']}"), 403, "forbidden")
    problem(bob.post(f"/submissions/{sent['id']}/moves", json={"move": "more"}), 403, "forbidden")
    assert answer(bob.get(lesson.submissions))["items"] == []
    assert answer(bob.get("/me/submissions"))["items"] == []
    assert answer(lesson.house.host.get(f"/submissions/{sent['id']}"))["id"] == sent["id"]


def test_a_removed_player_is_out_until_the_host_takes_them_back(lesson: Class) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "25")
    answer(lesson.house.host.post(f"/players/{ada.id}:remove"))
    problem(ada.get("/me"), 403, "forbidden")
    problem(ada.submit(lesson.round_id, "one"), 403, "forbidden")
    problem(ada.get(f"/rounds/{lesson.round_id}"), 403, "forbidden")
    assert lesson.board() == []
    answer(lesson.house.host.post(f"/players/{ada.id}:readmit"))
    assert [entry["bits"] for entry in lesson.board()] == [25.0], "with all they had"
    ada.score(lesson.round_id, "30")
    types = [event["type"] for event in lesson.events()]
    assert types == ["round.opened", *["player.joined", "standing.changed", "player.removed"], *types[4:]]
    assert types[4:] == ["player.joined", "standing.changed"]


def test_removing_somebody_twice_is_one_event(lesson: Class) -> None:
    ada = lesson.join()
    for _ in range(2):
        assert answer(lesson.house.host.post(f"/players/{ada.id}:remove"))["removed"] is True
    assert [event["type"] for event in lesson.events()].count("player.removed") == 1


def test_a_host_sees_who_joined_in_that_order(lesson: Class) -> None:
    joined = [lesson.join().id for _ in range(3)]
    listed = answer(lesson.house.host.get(f"/competitions/{lesson.id}/players"))["items"]
    assert [player["id"] for player in listed] == joined


def test_what_a_host_does_leaves_a_trace(lesson: Class) -> None:
    ada = lesson.join()
    answer(lesson.house.host.post(f"/players/{ada.id}:remove"))
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:close"))
    rows = lesson.house.sql(
        "SELECT action FROM audit WHERE target IN (:c, :r, :p) ORDER BY number",
        **{"c": lesson.id, "r": lesson.round_id, "p": ada.id},
    )
    assert [action for (action,) in rows] == ["competition.create", "round.create", "player.remove", "round.closed"]


def test_a_cookie_is_as_good_as_a_bearer_token_for_our_own_pages_only(lesson: Class) -> None:
    ada = lesson.join()
    nobody = Caller(lesson.house.http)
    cookie = {"Cookie": f"xentarena_token={ada.token}"}
    assert answer(nobody.get("/me", headers=cookie))["player"]["id"] == ada.id
    problem(nobody.submit(lesson.round_id, "one"), 401, "unauthorized")
    body, path = {"move": "one"}, lesson.submissions
    problem(nobody.post(path, json=body, headers={**cookie, "Origin": "https://evil.example"}), 401, "unauthorized")
    problem(nobody.post(path, json=body, headers=cookie), 401, "unauthorized")
    own = {**cookie, "Origin": lesson.house.url}
    answer(nobody.post(path, json=body, headers=own), 201, 202)
