"""The wall: who may see it, and what is on it at each moment."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, RunningApp, new_class, new_competition, problem
from tests.support.services import eventually
from tests.support.web import HTML, Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import PLAIN, FakeJudge

PARTS = ("", "/scene", "/steps", "/board", "/joined", "/announced", "/events")


@pytest.fixture
def host(house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(house)
    made.sign_in(house.host)
    yield made
    made.http.close()


def code(lesson: Class) -> str:
    return str(lesson.competition["code"])


def opened(host: Visitor, lesson: Class) -> httpx.Response:
    return host.send(f"/host/competitions/{lesson.id}/wall")


def wall_token(host: Visitor, path: str) -> str:
    return next(
        each.value or "" for each in host.http.cookies.jar if each.name == "xentarena_wall" and each.path == path
    )


def scene(host: Visitor, lesson: Class) -> str:
    return text_of(host.get(f"/show/{code(lesson)}/scene"))


def play(lesson: Class, **moves: str) -> dict[str, Caller]:
    players = {name: lesson.join(name) for name in moves}
    for name, move in moves.items():
        players[name].score(lesson.round_id, move)
    return players


def reveal(lesson: Class, which: str = "top", *, names: bool = True) -> None:
    lesson.close()
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": which, "names": names}))


def test_a_host_opens_a_wall_and_only_its_own_address_has_its_token(host: Visitor, lesson: Class) -> None:
    response = opened(host, lesson)
    assert response.status_code == 200
    assert response.url.path == f"/show/{code(lesson)}"
    assert response.url.query == b""
    nothing_from_elsewhere(response)
    made = response.history[0].headers["set-cookie"]
    assert f"Path=/show/{code(lesson)};" in f"{made};"
    assert "HttpOnly" in made
    assert "Max-Age" not in made, "gone with the browser"
    text = text_of(response)
    assert code(lesson) in text
    assert str(lesson.house.host.token) not in response.text


def test_the_walls_token_reads_what_players_see_and_does_nothing(
    host: Visitor, lesson: Class, house: RunningApp
) -> None:
    opened(host, lesson)
    wall = house.caller(wall_token(host, f"/show/{code(lesson)}"))
    seen = {"scope": "board:read", "player": None, "competition": lesson.id, "name": None, "owner": False}
    assert answer(wall.get("/me")) == seen | {"allowance": None}
    assert answer(wall.get(f"/competitions/{lesson.id}"))["code"] is None
    answer(wall.get(f"/rounds/{lesson.round_id}/leaderboard"))
    problem(wall.get(f"/competitions/{lesson.id}/players"), 403, "forbidden")
    problem(wall.post(lesson.submissions, json={"move": "9"}), 403, "forbidden")
    problem(wall.post(f"/rounds/{lesson.round_id}:close"), 403, "forbidden")
    problem(wall.post("/measurements", json={"text": "9", "judge": "plain"}), 403, "forbidden")
    other = new_class(house, PLAIN)
    problem(wall.get(f"/rounds/{other.round_id}/leaderboard"), 403, "forbidden")


def _nobody(house: RunningApp, lesson: Class) -> Visitor:
    return Visitor(house)


def _player(house: RunningApp, lesson: Class) -> Visitor:
    made = Visitor(house)
    made.join(lesson, "Ada")
    return made


def _host(house: RunningApp, lesson: Class) -> Visitor:
    made = Visitor(house)
    made.sign_in(house.host)
    return made


def _of_another(house: RunningApp, lesson: Class) -> Visitor:
    """The wall of another competition, whose token somebody puts into the cookie of this one."""
    made, other = _host(house, lesson), new_class(house, PLAIN)
    opened(made, other)
    made.http.cookies.set("xentarena_wall", wall_token(made, f"/show/{code(other)}"))
    return made


def _with_a_key_of(make: Callable[[RunningApp, Class], str]) -> Callable[[RunningApp, Class], Visitor]:
    return lambda house, lesson: _with_cookie(house, make(house, lesson))


def _with_cookie(house: RunningApp, token: str) -> Visitor:
    made = Visitor(house)
    made.http.cookies.set("xentarena_wall", token)
    return made


def _ended(house: RunningApp, lesson: Class) -> Visitor:
    made = _host(house, lesson)
    opened(made, lesson)
    made.send(f"/host/competitions/{lesson.id}/wall/end")
    return made


NOT_LET_IN = {
    "nobody": _nobody,
    "player": _player,
    "host": _host,
    "wall of another competition": _of_another,
    "host's own key in the cookie": _with_a_key_of(lambda house, _: str(house.host.token)),
    "player's key in the cookie": _with_a_key_of(lambda _, lesson: str(lesson.join().token)),
    "ended": _ended,
}


@pytest.mark.parametrize("make", NOT_LET_IN.values(), ids=NOT_LET_IN.keys())
def test_for_everybody_else_there_is_nothing_there(
    house: RunningApp, lesson: Class, make: Callable[[RunningApp, Class], Visitor]
) -> None:
    visitor = make(house, lesson)
    for part in PARTS:
        there, nowhere = visitor.get(f"/show/{code(lesson)}{part}"), visitor.get(f"/show/NOSUCH{part}")
        assert there.status_code == nowhere.status_code == 404
        assert there.text == nowhere.text == visitor.get("/nothing-here").text
    assert visitor.send(f"/show/{code(lesson)}/names", names="hidden").status_code == 404
    visitor.http.close()


@pytest.mark.parametrize("way", ["/wall", "/wall/end"])
def test_only_a_host_opens_and_ends_walls(house: RunningApp, lesson: Class, visitor: Visitor, way: str) -> None:
    visitor.join(lesson, "Ada")
    assert visitor.send(f"/host/competitions/{lesson.id}{way}").status_code == 403


def test_ending_the_wall_ends_its_stream(host: Visitor, lesson: Class) -> None:
    opened(host, lesson)
    with host.http.stream("GET", f"/show/{code(lesson)}/events", headers={**HTML, "Accept": "*/*"}) as stream:
        pieces = stream.iter_text()
        assert "xentarena" in next(pieces)
        lesson.join("Ada")
        assert "player.joined" in next(pieces)
        host.send(f"/host/competitions/{lesson.id}/wall/end")
        assert "round.closed" not in "".join(pieces), "it comes to an end by itself"


def test_how_many_walls_there_are_is_on_the_hosts_page_and_in_the_audit(host: Visitor, lesson: Class) -> None:
    page = f"/host/competitions/{lesson.id}"
    assert "End the wall" not in text_of(host.get(page))
    opened(host, lesson)
    assert "End the wall" in text_of(host.get(page))
    opened(host, lesson)
    assert "End all walls" in text_of(host.get(page))
    assert "End" not in text_of(host.send(f"{page}/wall/end")).split("Open the wall")[1].split("Rounds")[0]
    host.send(f"{page}/wall/end")
    rows = lesson.house.sql("SELECT action FROM audit WHERE target = :id ORDER BY number", id=lesson.id)
    assert [row.action for row in rows][-3:] == ["wall.open", "wall.open", "wall.end"], "nothing ended the second time"


def test_before_a_round_the_wall_says_how_to_join(host: Visitor, house: RunningApp) -> None:
    competition = new_competition(house)
    lesson = Class(house, competition, {}, PLAIN)
    text = text_of(opened(host, lesson))
    assert f"Join at 127.0.0.1:{house.port} Only this computer reaches this address." in text
    assert f"with the code {code(lesson)} 0 players have joined" in text
    gone = lesson.join("Gone")
    lesson.join("Ada")
    assert "2 players have joined" in text_of(host.get(f"/show/{code(lesson)}/joined"))
    answer(house.host.post(f"/players/{gone.id}:remove"))
    assert "1 player has joined" in scene(host, lesson)
    lesson.another_round(opens_at="2099-01-01T08:00:00Z", closes_at="2099-01-01T09:00:00Z")
    assert "It begins at 2099-01-01 08:00 UTC ." in scene(host, lesson)


def test_other_addresses_are_told_as_they_were_asked_for(host: Visitor, lesson: Class) -> None:
    opened(host, lesson)
    page = host.get(f"/show/{code(lesson)}", headers={"Host": "arena.example:8080"})
    assert "Join at arena.example:8080 with the code" in text_of(page)
    assert f"QR code of http://arena.example:8080/join/{code(lesson)}" in page.text


def test_a_server_that_listens_everywhere_tells_the_address_that_others_reach(
    own_house: Callable[..., RunningApp],
) -> None:
    house = own_house(host="0.0.0.0")
    lesson, host = Class(house, new_competition(house), {}, PLAIN), Visitor(house)
    host.sign_in(house.host)
    told = re.search(r"Join at (\S+)", text_of(opened(host, lesson)))
    assert told is not None
    assert told[1].endswith(f":{house.port}")
    host.http.close()


def test_an_open_round_has_a_countdown_and_a_board_with_ties(host: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, closes_at="2099-01-01T09:00:00Z")
    play(lesson, Ada="9", Bob="12", Cleo="9", Dot="3")
    text = text_of(opened(host, lesson))
    assert "Condense · Round 1 until 2099-01-01 09:00 UTC" in text
    assert "1 Bob 12.000 2 Ada 9.000 2 Cleo 9.000 4 Dot 3.000" in text
    assert text_of(host.get(f"/show/{code(lesson)}/board")) in text


def test_the_last_hour_is_counted_down(host: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, closes_at=(datetime.now(UTC) + timedelta(minutes=30)).isoformat())
    assert re.search(r'role="timer" data-left="1[78]\d\d"', opened(host, lesson).text)
    assert re.search(r"Round 1 (29:\d\d|30:00)", scene(host, lesson))


def test_without_names_players_have_numbers_and_the_wall_keeps_to_it(host: Visitor, lesson: Class) -> None:
    play(lesson, Ada="9", Bob="12")
    opened(host, lesson)
    path = f"/show/{code(lesson)}"
    host.send(f"{path}/names", names="hidden")
    for part in ("", "/scene", "/board"):
        page = host.get(f"{path}{part}")
        assert "1 Player 2 12.000 2 Player 1 9.000" in text_of(page)
        assert "Ada" not in page.text
    host.send(f"{path}/names", names="shown")
    assert "1 Bob 12.000" in scene(host, lesson)


def test_a_number_stays_when_somebody_else_is_deleted(host: Visitor, lesson: Class) -> None:
    """Also when those who came before and after them are, one after the other."""
    players = play(lesson, Ada="9", Bob="12", Cleo="15", Dot="18")
    opened(host, lesson)
    path = f"/show/{code(lesson)}"
    host.send(f"{path}/names", names="hidden")
    for name in ("Cleo", "Ada"):
        response = lesson.house.host.request("DELETE", f"/players/{players[name].id}", json={"name": name})
        assert response.status_code == 204
    play(lesson, Eve="3")
    assert "1 Player 4 18.000 2 Player 2 12.000 3 Player 5 3.000" in text_of(host.get(f"{path}/board"))


def test_teams_stand_beside_the_players_and_have_numbers_too(host: Visitor, house: RunningApp) -> None:
    """Bots, which have a board of their own, make room for them."""
    lesson = new_class(house, PLAIN, bots="separate")
    at = f"/competitions/{lesson.id}/teams"
    gone, red, blue = (answer(house.host.post(at, json={"name": name}), 201) for name in ("Gone", "Red", "Blue"))
    players = play(lesson, Ada="9", Bob="12")
    opened(host, lesson)
    assert "Teams" not in scene(host, lesson), "nobody is in one"
    for name, team in (("Ada", red), ("Bob", blue)):
        answer(house.host.request("PUT", f"/players/{players[name].id}/team", json={"team": team["id"]}))
    lesson.join("Hal", kind="bot").score(lesson.round_id, "20")
    answer(house.host.request("DELETE", f"/teams/{gone['id']}"))
    board = f"/show/{code(lesson)}/board"
    assert text_of(host.get(board)) == "People 1 Bob 12.000 2 Ada 9.000 Teams 1 Blue 12.000 2 Red 9.000"
    host.send(f"/show/{code(lesson)}/names", names="hidden")
    hidden = "People 1 Player 2 12.000 2 Player 1 9.000 Teams 1 Team 3 12.000 2 Team 2 9.000"
    assert text_of(host.get(board)) == hidden


def test_both_judges_stand_on_it_after_the_reveal(host: Visitor, house: RunningApp, other: FakeJudge) -> None:
    lesson = new_class(house, PLAIN, second_judge=other.identity)
    play(lesson, Ada="25 z", Bob="9 a good deal longer indeed")
    opened(host, lesson)
    at = f"/rounds/{lesson.round_id}/second-judge"
    eventually(lambda: house.host.get(at).status_code == 200 and house.host.get(at).json()["done"] == 2, what="it")
    assert other.name not in host.get(f"/show/{code(lesson)}").text
    reveal(lesson, "all")
    text = text_of(host.get(f"/show/{code(lesson)}/board"))
    assert text == f"{PLAIN.name} {other.name} 1 Ada 25.000 1.000 ▼ 1 fell 1 2 Bob 9.000 12.500 ▲ 1 rose 1"
    answer(house.host.post(f"/competitions/{lesson.id}:freeze"))
    assert other.name not in host.get(f"/show/{code(lesson)}/board").text


@pytest.mark.parametrize(("hidden", "name"), [("shown", "Cleo"), ("hidden", "Player 3")])
def test_the_best_three_are_revealed_from_the_third_upwards(
    host: Visitor, lesson: Class, hidden: str, name: str
) -> None:
    play(lesson, Ada="9", Bob="12", Cleo="15", Dot="3")
    opened(host, lesson)
    host.send(f"/show/{code(lesson)}/names", names=hidden)
    reveal(lesson)
    page = host.get(f"/show/{code(lesson)}/scene")
    assert re.findall(r'<span class="rank">(\d[a-z]+)</span>', page.text) == ["3rd", "2nd", "1st"]
    assert f"1st {name} 15.000 bits" in text_of(page)
    assert '<blockquote class="words" dir="auto">15</blockquote>' in page.text
    assert page.text.count('class="tokens"') == 3
    assert ">3</blockquote>" not in page.text


def test_a_reveal_without_names_and_of_everybody(host: Visitor, lesson: Class) -> None:
    play(lesson, Ada="9", Bob="12", Cleo="15", Dot="3")
    opened(host, lesson)
    reveal(lesson, "all", names=False)
    text = scene(host, lesson)
    steps = text[: text.index("1 Cleo 15.000")]  # the board has the names, as everywhere
    assert "4th 3.000 bits" in steps
    assert not re.search("Ada|Bob|Cleo|Dot", steps)


def test_what_each_player_sees_alone_is_not_on_the_wall(host: Visitor, lesson: Class) -> None:
    play(lesson, Ada="9", Bob="12")
    opened(host, lesson)
    reveal(lesson, "below_own_best")
    page = host.get(f"/show/{code(lesson)}/scene")
    assert "What others wrote is on your own device." in text_of(page)
    assert "blockquote" not in page.text


def test_hidden_moves_and_removed_players_are_on_no_wall(host: Visitor, lesson: Class) -> None:
    players = play(lesson, Ada="9", Bob="12", Cleo="15", Dot="3")
    opened(host, lesson)
    submission = answer(players["Bob"].get("/me/submissions"))["items"][0]["id"]
    answer(lesson.house.host.post(f"/submissions/{submission}:hide"))
    answer(lesson.house.host.post(f"/players/{players['Cleo'].id}:remove"))
    reveal(lesson)
    page = host.get(f"/show/{code(lesson)}/scene").text
    assert "Ada" in page
    assert not re.search("Bob|Cleo|>12<|>15<", page)
    submission = answer(players["Ada"].get("/me/submissions"))["items"][0]["id"]
    answer(lesson.house.host.post(f"/submissions/{submission}:hide"))
    assert not re.search("Ada|>9<", host.get(f"/show/{code(lesson)}/steps").text), "also of what is on show already"


def test_the_wall_goes_on_to_the_next_round_and_back_to_what_is_revealed(host: Visitor, lesson: Class) -> None:
    play(lesson, Ada="9")
    opened(host, lesson)
    lesson.close()
    assert "Round 1 Ended" in scene(host, lesson)
    second = lesson.another_round()
    assert "Round 2" in scene(host, lesson)
    answer(lesson.house.host.post(f"/rounds/{second['id']}:pause"))
    assert "Round 2 Paused" in scene(host, lesson)
    answer(lesson.house.host.post(f"/rounds/{second['id']}:close"))
    assert "Round 2 Ended" in scene(host, lesson)
    reveal(lesson)
    assert "Round 1" in scene(host, lesson)
    eventually(lambda: "What the best wrote" in scene(host, lesson), what="the reveal")
