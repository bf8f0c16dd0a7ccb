"""Teams: who is in which, and boards of them against what anybody can add up from the players' boards."""

import random
from collections import defaultdict
from itertools import groupby

import pytest

from tests.support import duels
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, pointers, problem
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

Line = tuple[int, str, float]


def make(lesson: Class, *names: str) -> list[str]:
    path = f"/competitions/{lesson.id}/teams"
    return [answer(lesson.house.host.post(path, json={"name": name}), 201)["id"] for name in names]


def put(lesson: Class, player: Caller, team: str | None) -> Json:
    return answer(lesson.house.host.request("PUT", f"/players/{player.id}/team", json={"team": team}))


def there(lesson: Class) -> list[tuple[str, int]]:
    items = answer(lesson.house.host.get(f"/competitions/{lesson.id}/teams"))["items"]
    return [(each["name"], each["players"]) for each in items]


def board(lesson: Class, path: str, who: Caller | None = None) -> list[Line]:
    items = answer((who or lesson.house.host).get(f"{path}/team-leaderboard"))["items"]
    return [(each["rank"], each["team"]["name"], each["value"]) for each in items]


@pytest.fixture
def two(lesson: Class) -> tuple[Class, dict[str, Caller], dict[str, str]]:
    """Owls: Ada and Bob. Larks: Cyd. Dan is in neither."""
    people = {name: lesson.join(name) for name in ("Ada", "Bob", "Cyd", "Dan")}
    teams = dict(zip(("Owls", "Larks"), make(lesson, "Owls", "Larks"), strict=True))
    for name, team in {"Ada": "Owls", "Bob": "Owls", "Cyd": "Larks"}.items():
        assert put(lesson, people[name], teams[team])["team"] == teams[team]
    return lesson, people, teams


def test_a_team_has_what_the_best_of_its_players_has(two: tuple[Class, dict[str, Caller], dict[str, str]]) -> None:
    lesson, people, teams = two
    at = f"/rounds/{lesson.round_id}"
    assert board(lesson, at) == []
    for name, move in {"Ada": "4", "Bob": "6", "Cyd": "6", "Dan": "9"}.items():
        people[name].score(lesson.round_id, move)
    assert board(lesson, at, people["Dan"]) == [(1, "Owls", 6.0), (1, "Larks", 6.0)], "equal ones share a rank"
    people["Ada"].score(lesson.round_id, "7")
    assert board(lesson, at) == [(1, "Owls", 7.0), (2, "Larks", 6.0)]
    put(lesson, people["Ada"], teams["Larks"])
    assert board(lesson, at) == [(1, "Larks", 7.0), (2, "Owls", 6.0)], "it counts for the team they are in now"
    answer(lesson.house.host.post(f"/players/{people['Ada'].id}:remove"))
    assert [value for _, _, value in board(lesson, at)] == [6.0, 6.0]
    etag = lesson.house.host.get(f"{at}/team-leaderboard").headers["etag"]
    again = lesson.house.host.get(f"{at}/team-leaderboard", headers={"If-None-Match": etag})
    assert again.status_code == 304


@pytest.mark.parametrize("total", ["bits", "floored", "points", "percent"])
def test_boards_of_teams_are_what_players_boards_add_up_to(lesson: Class, total: str) -> None:
    draw = random.Random(total)
    answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"total": total}))
    rounds = [lesson.round_id, *(str(lesson.another_round()["id"]) for _ in range(2))]
    teams = make(lesson, "A", "B", "C", "D")
    players = [lesson.join(f"player {number}") for number in range(9)]
    of = {player.id: draw.choice([*teams, None]) for player in players}
    for player in players:
        put(lesson, player, of[player.id])
    sent = [(player, round_id) for player in players for round_id in rounds if draw.random() < 0.8]
    draw.shuffle(sent)
    for player, round_id in sent:
        scored = player.score(round_id, str(draw.randint(-4, 5)))
    alone = passage_bits(scored)
    sums: dict[str, float] = defaultdict(float)
    for round_id in rounds:
        bests: dict[str, float] = {}
        for entry in lesson.board(round_id):
            if team := of[entry["player"]["id"]]:
                bests[team] = max(bests.get(team, entry["bits"]), entry["bits"])
        items = answer(players[0].get(f"/rounds/{round_id}/team-leaderboard"))["items"]
        assert {each["team"]["id"]: each["value"] for each in items} == bests
        assert [each["rank"] for each in items] == [
            1 + sum(other > each["value"] for other in bests.values()) for each in items
        ]
        for team, best in bests.items():
            points = sum(other <= best for other in bests.values())
            floored = max(0.0, best)
            sums[team] += {"bits": best, "floored": floored, "points": points, "percent": 100 * floored / alone}[total]
    items = answer(players[0].get(f"/competitions/{lesson.id}/team-leaderboard"))["items"]
    assert {each["team"]["id"]: each["value"] for each in items} == pytest.approx(sums, abs=0.003), "cut in each round"
    values = [each["value"] for each in items]
    assert values == sorted(values, reverse=True)
    for value, shared in groupby(items, key=lambda each: each["value"]):
        assert {each["rank"] for each in shared} == {1 + sum(other > value for other in values)}


def passage_bits(scored: Json) -> float:
    """What the passage costs without the player's words."""
    (reward,) = (event for event in scored["events"] if event["type"] == "reward")
    return float(sum(token["after"] for token in reward["terms"][0]["tokens"]))


def test_a_teams_rating_is_that_of_its_best(house: RunningApp) -> None:
    lesson = duels.class_of(house)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    owls, larks = make(lesson, "Owls", "Larks")
    put(lesson, ada, owls), put(lesson, bob, larks)
    duels.duel(lesson, ada, bob, 5)
    ratings = {entry["player"]["id"]: entry["rating"]["value"] for entry in lesson.board()}
    found = answer(house.host.get(f"/rounds/{lesson.round_id}/team-leaderboard"))["items"]
    assert {each["team"]["id"]: each["value"] for each in found} == {owls: ratings[ada.id], larks: ratings[bob.id]}
    assert answer(house.host.get(f"/competitions/{lesson.id}/team-leaderboard"))["items"] == []


def test_while_boards_are_frozen_nobody_changes_teams(two: tuple[Class, dict[str, Caller], dict[str, str]]) -> None:
    lesson, people, teams = two
    host = lesson.house.host
    gone = make(lesson, "Gone")[0]
    answer(host.request("DELETE", f"/teams/{gone}"))
    answer(host.post(f"/competitions/{lesson.id}:freeze"))
    before = lesson.events()
    for asked in (
        host.request("PUT", f"/players/{people['Ada'].id}/team", json={"team": teams["Larks"]}),
        host.request("DELETE", f"/teams/{teams['Owls']}"),
        host.post(f"/teams/{gone}:restore"),
        host.post(f"/competitions/{lesson.id}/teams:spread", json={"count": 2}),
    ):
        assert "Unfreeze them first" in problem(asked, 409, "boards-frozen")["detail"]
    assert lesson.events() == before
    assert put(lesson, people["Ada"], teams["Owls"])["team"] == teams["Owls"], "where they are already"
    answer(host.post(f"/competitions/{lesson.id}:unfreeze"))
    put(lesson, people["Ada"], teams["Larks"])


def test_a_deleted_team_comes_back_with_those_who_are_in_no_other(
    two: tuple[Class, dict[str, Caller], dict[str, str]],
) -> None:
    lesson, people, teams = two
    host, owls = lesson.house.host, teams["Owls"]
    people["Ada"].score(lesson.round_id, "4")
    answer(host.request("DELETE", f"/teams/{owls}"))
    assert there(lesson) == [("Larks", 1)]
    assert board(lesson, f"/rounds/{lesson.round_id}") == []
    assert answer(people["Ada"].get("/me"))["player"]["team"] is None
    problem(host.request("DELETE", f"/teams/{owls}"), 404, "not-found")
    problem(host.request("PUT", f"/players/{people['Ada'].id}/team", json={"team": owls}), 404, "not-found")
    put(lesson, people["Bob"], teams["Larks"])
    assert make(lesson, "Owls"), "the name is free"
    problem(host.post(f"/teams/{owls}:restore"), 409, "name-taken")
    again = next(each for each in answer(host.get(f"/competitions/{lesson.id}/teams"))["items"] if each["id"] != owls
                 and each["name"] == "Owls")  # fmt: skip
    answer(host.request("DELETE", f"/teams/{again['id']}"))
    answer(host.post(f"/teams/{owls}:restore"))
    assert there(lesson) == [("Owls", 1), ("Larks", 2)]
    assert board(lesson, f"/rounds/{lesson.round_id}") == [(1, "Owls", 4.0)]


def test_players_are_spread_evenly_and_teams_that_are_missing_are_made(lesson: Class) -> None:
    path = f"/competitions/{lesson.id}/teams:spread"
    make(lesson, "Team 2")
    people = [lesson.join(f"player {number}") for number in range(7)]
    bot, gone = lesson.join("Bot", kind="bot"), lesson.join("Gone")
    answer(lesson.house.host.post(f"/players/{gone.id}:remove"))
    answer(lesson.house.host.post(path, json={"count": 3}))
    assert there(lesson) == [("Team 2", 3), ("Team 1", 2), ("Team 3", 2)]
    team = answer(people[0].get("/me"))["player"]["team"]
    lesson.join("late")
    answer(lesson.house.host.post(path, json={"count": 3}))
    assert sorted(size for _, size in there(lesson)) == [2, 3, 3]
    assert answer(people[0].get("/me"))["player"]["team"] == team, "who is in one stays there"
    assert answer(bot.get("/me"))["player"]["team"] is None
    for count in (0, -1, 101):
        assert pointers(problem(lesson.house.host.post(path, json={"count": count}), 422, "invalid-request")) == [
            "/count"
        ]


def test_bad_teams_are_refused_and_nothing_is_done(two: tuple[Class, dict[str, Caller], dict[str, str]]) -> None:
    lesson, people, teams = two
    host, path = lesson.house.host, f"/competitions/{lesson.id}/teams"
    for name in ("Owls", "owls ", "Оwls", "OWLS\u200d"):
        problem(host.post(path, json={"name": name}), 409, "name-taken")
    for name in ("", " ", "\u200b", "Host", "x" * 257):
        problem(host.post(path, json={"name": name}), 422, "invalid-request")
    problem(host.request("PATCH", f"/teams/{teams['Larks']}", json={"name": "owls"}), 409, "name-taken")
    assert answer(host.request("PATCH", f"/teams/{teams['Larks']}", json={"name": "LARKS"}))["name"] == "LARKS"
    other = new_class(lesson.house, PLAIN)
    elsewhere = make(other, "Owls")[0]
    stranger = other.join("Sue")
    for player, team in ((people["Dan"], elsewhere), (stranger, teams["Owls"]), (people["Dan"], "tea_none")):
        problem(host.request("PUT", f"/players/{player.id}/team", json={"team": team}), 404, "not-found")
    problem(host.request("PUT", "/players/ply_none/team", json={"team": None}), 404, "not-found")
    problem(stranger.get(path), 403, "forbidden")
    problem(people["Dan"].post(path, json={"name": "Mine"}), 403, "forbidden")
    make(lesson, *(f"team {number}" for number in range(98)))
    problem(host.post(path, json={"name": "one more"}), 409, "too-many-teams")
    roster = "name,team\nZoe,owls\nYan,Another\n"
    headers = {"Content-Type": "text/csv"}
    at = f"/competitions/{lesson.id}/roster"
    problem(host.post(at, content=roster, headers=headers), 409, "too-many-teams")
    assert len(there(lesson)) == 100
    assert {name for name, _ in there(lesson)} >= {"Owls", "LARKS"}
    assert len(answer(host.get(f"/competitions/{lesson.id}/players"))["items"]) == 4


def test_a_roster_says_the_team(lesson: Class) -> None:
    host, at = lesson.house.host, f"/competitions/{lesson.id}/roster"
    headers = {"Content-Type": "text/csv"}
    make(lesson, "Owls")
    roster = "Team;Name;Id\nowls;Ada;1\nLarks;Bob;2\n;Cyd;3\nlarks;Dan;4\n"
    lines = answer(host.post(f"{at}:preview", content=roster, headers=headers))["items"]
    assert [(line["name"], line["external_id"], line["team"]) for line in lines] == [
        ("Ada", "1", "owls"), ("Bob", "2", "Larks"), ("Cyd", "3", None), ("Dan", "4", "larks"),
    ]  # fmt: skip
    assert there(lesson) == [("Owls", 0)], "a preview makes nothing"
    answer(host.post(at, content=roster, headers=headers), 201)
    assert there(lesson) == [("Owls", 1), ("Larks", 2)]
    problem(host.post(at, content="name,team\nEve,Host\n", headers=headers), 422, "invalid-roster")
    ada = next(
        each for each in answer(host.get(f"/competitions/{lesson.id}/players"))["items"] if each["name"] == "Ada"
    )
    answer(host.post(f"/players/{ada['id']}:new-key"))
    lesson.join("Eve").score(lesson.round_id, "4")
    results = host.get(f"/competitions/{lesson.id}/results.csv").text.splitlines()
    assert ",external_id,team," in results[0]


def test_hosts_put_teams_together_on_a_page_and_players_see_theirs(lesson: Class, visitor: Visitor) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(lesson.round_id, "4"), bob.score(lesson.round_id, "6")
    visitor.sign_in(ada)
    assert "Teams" not in text_of(visitor.get(f"/rounds/{lesson.round_id}/board")), "there are none"
    visitor.sign_in(lesson.house.host)
    page = f"/host/competitions/{lesson.id}/teams"
    assert page in visitor.get(f"/host/competitions/{lesson.id}/people").text
    assert "2 players are in no team" in text_of(visitor.get(page))
    assert "Owls" in visitor.send(page, name="Owls").text
    refused = visitor.send(page, name="owls")
    assert (refused.status_code, "already a team named" in text_of(refused)) == (409, True)
    assert visitor.send(f"{page}/spread", count="x").status_code == 422
    assert "2 teams" in text_of(visitor.send(f"{page}/spread", count="2"))
    owls, team_1 = (each["id"] for each in answer(lesson.house.host.get(f"/competitions/{lesson.id}/teams"))["items"])
    visitor.send(f"{page}/members", **{f"of-{ada.id}": team_1, f"of-{bob.id}": ""})
    assert there(lesson) == [("Owls", 0), ("Team 1", 1)]
    assert visitor.send(f"{page}/members", **{f"of-{ada.id}": "tea_none"}).status_code == 404
    visitor.send(f"/host/teams/{team_1}/rename", name="Larks")
    assert "Take back" in text_of(visitor.send(f"/host/teams/{owls}/delete"))
    assert "Take back" not in text_of(visitor.send(f"/host/teams/{owls}/restore"))
    visitor.sign_in(ada)
    for part in (f"/rounds/{lesson.round_id}/board", "/rounds/board"):
        shown = text_of(visitor.get(part))
        assert "Teams Rank Name Bits 1 Larks yours 4.000" in shown
        assert "2 Ada you 4.000" in shown
