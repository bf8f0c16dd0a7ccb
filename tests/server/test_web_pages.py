"""The pages over HTTP: what is sent with them, who is let in, and that forms alone can do all that a player needs."""

import re

import httpx
import pytest

from tests.support.scenario.deployment import HOST_TOKEN, PASSAGE, answer
from tests.support.server import Class, RunningApp, new_class, nothing_changes
from tests.support.services import eventually
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import PLAIN, FakeJudge, hand_of

TWO_MOVES = """# Two moves
#
# Say one thing, then another.
assign(s=story())
elicit(x, 3)
reward(xed(s | x))
elicit(y, 4)
reward(xed(s | y))
"""


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def test_every_page_is_strict_about_what_it_loads(visitor: Visitor, lesson: Class) -> None:
    pages = ["/", "/join/ABC", "/sign-in", "/nothing"]
    for path in pages:
        nothing_from_elsewhere(visitor.get(path))
    visitor.join(lesson, "Ada")
    for path in ("/play", "/rounds", "/me", f"/rounds/{lesson.round_id}/board"):
        nothing_from_elsewhere(visitor.get(path))


def test_scripts_and_styles_are_sent_as_what_they_are(visitor: Visitor) -> None:
    for name, kind in (("arena.css", "text/css"), ("live.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        response = visitor.get(f"/static/{name}")
        assert response.headers["content-type"].startswith(kind)
        assert response.headers["x-content-type-options"] == "nosniff"
        unchanged = visitor.get(f"/static/{name}", headers={"If-None-Match": response.headers["etag"]})
        assert unchanged.status_code == 304
    assert visitor.get("/static/../pages.py").status_code == 404


def test_joining_puts_the_token_where_only_the_server_sees_it(visitor: Visitor, lesson: Class) -> None:
    response = visitor.http.post(
        "/join",
        data={"code": lesson.competition["code"], "name": "Ada"},
        headers={"Origin": lesson.house.url},
        follow_redirects=False,
    )
    assert (response.status_code, response.headers["location"]) == (303, "/play")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert visitor.get("/play").url.path == f"/rounds/{lesson.round_id}"


def test_behind_https_the_cookie_travels_only_there(house: RunningApp, lesson: Class) -> None:
    """As a proxy in front of the server says it."""
    headers = {"Origin": house.url, "X-Forwarded-Proto": "https"}
    fields = {"code": lesson.competition["code"], "name": "Ada"}
    response = httpx.post(f"{house.url}/join", data=fields, headers=headers)
    assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize("origin", [None, "null", "https://elsewhere.example", "http://127.0.0.1:1"])
def test_forms_of_other_sites_change_nothing(visitor: Visitor, lesson: Class, origin: str | None) -> None:
    visitor.join(lesson, "Ada")
    forged = {} if origin is None else {"Origin": origin}
    with nothing_changes(lesson.house):
        for path, fields in (
            (f"/rounds/{lesson.round_id}/moves", {"move": "forged"}),
            ("/join", {"code": lesson.competition["code"], "name": "Eve"}),
            ("/sign-in", {"key": HOST_TOKEN}),
            ("/sign-out", {}),
            ("/me/key", {}),
            ("/host/competitions", {"name": "forged"}),
        ):
            response = visitor.http.post(path, data=fields, headers=forged)
            assert response.status_code == 403
            assert "set-cookie" not in response.headers
            assert "was not sent by a page of this server" in text_of(response)


def test_a_form_that_is_none_is_refused(visitor: Visitor) -> None:
    origin = {"Origin": str(visitor.http.base_url).rstrip("/")}
    for content, kind, status in (
        (b"{}", "application/json", 415),
        (b"code=\xff", "application/x-www-form-urlencoded", 400),
        (b"code=%ff&name=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % i for i in range(1000)), "application/x-www-form-urlencoded", 400),
        (b"code=" + b"x" * 600_000, "application/x-www-form-urlencoded", 413),
    ):
        response = visitor.http.post("/join", content=content, headers={**origin, "Content-Type": kind})
        assert response.status_code == status, response.text
        assert response.headers["content-type"].startswith("text/html")


def test_forms_are_answered_at_the_field_that_is_wrong(visitor: Visitor, lesson: Class) -> None:
    lesson.join("Bob")
    for code, name, status, words in (
        ("NOSUCH", "Ada", 404, "There is no competition with this code."),
        (lesson.competition["code"], "bob", 409, "There is already a player named 'bob' here"),
        (lesson.competition["code"], "x\u202ey", 422, "The name has invisible characters."),
    ):
        with nothing_changes(lesson.house):
            response = visitor.send("/join", code=code, name=name)
        assert response.status_code == status
        assert words in text_of(response)
        assert f'value="{name}"' in response.text


def test_a_made_up_name_is_filled_in_and_the_code_is_kept(visitor: Visitor, lesson: Class) -> None:
    response = visitor.send("/join/name", code=lesson.competition["code"], name="")
    assert f'value="{lesson.competition["code"]}"' in response.text
    found = re.search(r'id="name" name="name" value="([^"]+)"', response.text)
    assert found
    assert visitor.join(lesson, found[1]).url.path == f"/rounds/{lesson.round_id}"


def test_a_move_can_be_made_and_read_without_scripts(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    response = visitor.send(f"/rounds/{lesson.round_id}/moves", move="tide 12.5 boats")
    assert response.url.path == f"/rounds/{lesson.round_id}"
    words = text_of(response)
    assert "12.500 bits" in words
    assert "<del>tide</del> " in response.text
    sides = re.search(r"([\d.,]+) bits after “ Topic: ⏎ ---⏎ ”, ([\d.,]+) bits after “ Topic: 12.5⏎ ---⏎ ”", words)
    assert sides
    assert float(sides[1]) - float(sides[2]) == 12.5
    refused = visitor.send(f"/rounds/{lesson.round_id}/moves", move="")
    assert refused.status_code == 422
    assert "The move is empty." in text_of(refused)


def test_what_a_reward_cost_is_shown_where_it_is_a_loss_for_another_text(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game="contrast", passages=[PASSAGE, "The court rose at noon."])
    visitor.join(lesson, "Ada")
    response = visitor.send(f"/rounds/{lesson.round_id}/moves", move="8")
    words = text_of(response)
    assert "Passage 1, made easier +8.000 bits" in words
    assert "Passage 2, made harder −8.000 bits" in words
    assert words.count("bits after “ Topic: ⏎ ---⏎ ”") == words.count("bits after “ Topic: 8⏎ ---⏎ ”") == 2


def test_a_play_of_several_moves_goes_on_from_the_page(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(TWO_MOVES))
    visitor.join(lesson, "Ada")
    first = visitor.send(f"/rounds/{lesson.round_id}/moves", move="5")
    assert "The game awaits your next move." in text_of(first)
    assert "At most 4 tokens of the judge, about 4 words" in text_of(first)
    action = re.search(r'action="(/submissions/[^"]+/moves)"', first.text)
    assert action
    second = visitor.send(action[1], move="7 one two three four")
    assert "12.000 bits" in text_of(second)
    assert "over the limit" in text_of(second)


def test_people_without_a_key_are_sent_to_the_door(visitor: Visitor, lesson: Class) -> None:
    for path in ("/play", "/rounds", f"/rounds/{lesson.round_id}", "/me"):
        assert visitor.get(path).url.path == "/"
    for path in ("/host", f"/host/competitions/{lesson.id}"):
        assert visitor.get(path).url.path == "/sign-in"


def test_a_key_that_is_no_longer_good_is_told_by_a_page(visitor: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    visitor.sign_in(ada)
    ada.request("DELETE", "/me/token")
    response = visitor.get("/play")
    assert response.status_code == 401
    assert "You are signed out" in text_of(response)
    assert visitor.get("/").status_code == 200


def test_what_goes_wrong_is_told_by_a_page_to_people_and_by_a_problem_to_programs(house: RunningApp) -> None:
    for path, accept, kind in (
        ("/nothing", "text/html", "text/html; charset=utf-8"),
        ("/nothing", "*/*", "application/problem+json"),
        ("/api/v1/nothing", "text/html", "application/problem+json"),
        ("/api/v1/competitions/none", "text/html", "application/problem+json"),
    ):
        response = httpx.get(f"{house.url}{path}", headers={"Accept": accept})
        assert response.status_code in (401, 404)
        assert response.headers["content-type"] == kind


def test_nobody_sees_another_players_move_or_round(visitor: Visitor, lesson: Class, house: RunningApp) -> None:
    sent = lesson.join("Bob").score(lesson.round_id, "11")
    visitor.join(lesson, "Ada")
    for path in (f"/submissions/{sent['id']}", f"/submissions/{sent['id']}/panel?wait=1"):
        response = visitor.get(path)
        assert response.status_code == 403
        assert "another player" in text_of(response)
    other = new_class(house, PLAIN)
    for part in ("", "/state", "/board", "/mine"):
        assert visitor.get(f"/rounds/{other.round_id}{part}").status_code == 403


def test_a_round_that_is_not_open_yet_keeps_its_passage(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, opens_at="2099-01-01T00:00:00Z")
    response = visitor.join(lesson, "Ada")
    assert response.url.path == "/rounds"
    page = visitor.get(f"/rounds/{lesson.round_id}")
    assert "opens 2099-01-01 00:00 UTC" in text_of(page)
    assert PASSAGE not in text_of(page)
    assert "Your words" not in text_of(page)


def test_bots_stand_on_a_board_of_their_own(visitor: Visitor, lesson: Class) -> None:
    lesson.join("Robby", "bot").score(lesson.round_id, "20")
    lesson.join("Bob").score(lesson.round_id, "10")
    visitor.join(lesson, "Ada")
    board = text_of(visitor.get(f"/rounds/{lesson.round_id}/board"))
    assert re.search(r"People .* 1 Bob 10.000 Bots .* 1 Robby bot 20.000", board)


@pytest.mark.slow
def test_a_long_board_shows_the_best_and_ones_own_line(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, bots="mixed")
    players = [lesson.join(f"Player {i}") for i in range(101)]
    for i, player in enumerate(players):
        player.submit(lesson.round_id, f"{2 + i / 2}")
    visitor.join(lesson, "Ada")
    assert "1.500 bits" in text_of(visitor.send(f"/rounds/{lesson.round_id}/moves", move="1.5"))
    for path in (f"/rounds/{lesson.round_id}/board", "/rounds/board"):
        board = text_of(visitor.get(path))
        assert "1 Player 100 52.000" in board
        assert "Player 0" not in board
        assert "102 Ada you 1.500 and 1 more" in board
    house.host.post(f"/players/{players[50].id}:remove")
    for path in (f"/rounds/{lesson.round_id}/board", "/rounds/board"):
        assert "101 Ada you 1.500" in text_of(visitor.get(path)), "whoever was removed is counted nowhere"


def test_a_board_is_never_older_than_the_last_event(visitor: Visitor, lesson: Class) -> None:
    bob = lesson.join("Bob")
    visitor.join(lesson, "Ada")
    for best in ("1", "2", "3"):
        bob.score(lesson.round_id, best)
        assert f"Bob {best}.000" in text_of(visitor.get(f"/rounds/{lesson.round_id}/board"))


def test_a_host_sees_moves_and_can_hide_them(visitor: Visitor, lesson: Class, house: RunningApp) -> None:
    sent = lesson.join("Bob").score(lesson.round_id, "11")
    visitor.sign_in(house.host)
    assert visitor.get("/").status_code == 200
    page = visitor.get(f"/host/competitions/{lesson.id}")
    assert "Bob 11 11.000 bits" in text_of(page)
    hidden = visitor.send(f"/host/submissions/{sent['id']}/hide")
    assert hidden.url.path == f"/host/competitions/{lesson.id}"
    assert "Bob 11 11.000 bits, hidden" in text_of(hidden)
    assert lesson.board() == []
    visitor.send(f"/host/submissions/{sent['id']}/show")
    assert [entry["bits"] for entry in lesson.board()] == [11]


def test_what_a_host_does_by_form_is_what_the_api_does(visitor: Visitor, lesson: Class, house: RunningApp) -> None:
    visitor.sign_in(house.host)
    for action, state in (("pause", "paused"), ("open", "open"), ("close", "closed")):
        visitor.send(f"/host/rounds/{lesson.round_id}/{action}")
        assert answer(house.host.get(f"/rounds/{lesson.round_id}"))["state"] == state
    assert [event["type"] for event in lesson.events()][-3:] == ["round.paused", "round.opened", "round.closed"]
    bob = lesson.join("Bob")
    visitor.send(f"/host/players/{bob.id}/remove")
    assert bob.get("/me").status_code == 403
    visitor.send(f"/host/players/{bob.id}/readmit")
    assert bob.get("/me").status_code == 200
    done = house.sql("SELECT action FROM audit WHERE target = :id ORDER BY number", id=bob.id)
    assert [row[0] for row in done] == ["player.remove", "player.readmit"]


def test_a_round_that_cannot_be_made_is_told_with_the_form_as_it_was(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(lesson.house.host)
    path = f"/host/competitions/{lesson.id}/rounds"
    for fields, words in (
        ({"passages": ""}, "takes 1 passage, not 0"),
        ({"passages": "one\n---\ntwo"}, "takes 1 passage, not 2."),
        ({"passages": PASSAGE, "attempts": "0"}, "The number of attempts is a whole number"),
        ({"passages": PASSAGE, "minutes": "-1"}, "How long the round lasts is a whole number"),
        ({"passages": PASSAGE, "game": "none"}, "There is no game 'none'."),
        ({"passages": PASSAGE, "judge": "none"}, "No worker has announced the judge 'none'"),
        ({"passages": PASSAGE, "move_seconds": "4"}, "in seconds, is a whole number from 5 to"),
        ({"passages": PASSAGE, "judges": "backward"}, "Say which judge is which as in backward=pocket-backward"),
        ({"passages": PASSAGE, "judges": f"critic={PLAIN.name}"}, "The game has no judge slot 'critic'"),
    ):
        with nothing_changes(lesson.house):
            response = visitor.send(path, **{"game": "condense", "judge": PLAIN.name} | fields)
        assert response.status_code == 422
        assert words in text_of(response)
        assert fields["passages"].split("\n")[0] in text_of(response)
    made = visitor.send(path, game="condense", judge=PLAIN.name, passages=PASSAGE, attempts="3", minutes="10")
    assert "2. Condense" in text_of(made)


def test_the_move_clock_and_further_judges_can_be_said_by_form(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(lesson.house.host)
    path = f"/host/competitions/{lesson.id}/rounds"
    fields = {"game": "arrow_of_time", "judge": PLAIN.name, "move_seconds": "45"}
    with hand_of(lesson.house.redis_url, reader := FakeJudge(direction="backward")):
        eventually(lambda: lesson.house.measurable(reader), what="the judge")
        refused = visitor.send(path, **fields, judges=f"backward={PLAIN.name}")
        assert "takes a judge that reads backward; this one reads forward" in text_of(refused)
        made = visitor.send(path, **fields, judges=f" backward = {reader.name} ,")
    assert "2. " in text_of(made)
    rounds = answer(lesson.house.host.get(f"/competitions/{lesson.id}/rounds"))["items"]
    newest = max(rounds, key=lambda each: int(each["number"]))
    assert newest["move_seconds"] == 45
    assert newest["judges"] == {"main": PLAIN.identity, "backward": reader.identity}


def test_players_are_not_hosts(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    bob = lesson.join("Bob")
    with nothing_changes(lesson.house):
        for path in (
            "/host/competitions",
            f"/host/competitions/{lesson.id}/rounds",
            f"/host/rounds/{lesson.round_id}/close",
            f"/host/players/{bob.id}/remove",
        ):
            assert visitor.send(path, name="x").status_code == 403
    for path in ("/host", f"/host/competitions/{lesson.id}"):
        assert visitor.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/no-such-page", "/rounds/no-such-round", "/host"])
def test_whoever_meets_trouble_is_still_signed_in(visitor: Visitor, lesson: Class, path: str) -> None:
    visitor.join(lesson, "Ada Unlucky")
    page = visitor.get(path)
    assert page.status_code in (403, 404)
    assert 'href="/me"' in page.text
    assert "Ada Unlucky" in text_of(page)
    visitor.http.cookies.clear()
    stranger = visitor.get("/no-such-page")
    assert (stranger.status_code, 'href="/me"' in stranger.text) == (404, False)
