"""What others wrote, once the host of a closed round reveals it: whose moves, to whom, and never a name too many."""

from collections.abc import Callable
from typing import Any

import pytest

from server.arena.callers import issue
from server.db.session import now
from server.db.states import Scope
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, pointers, problem, stream
from tests.support.services import eventually
from tests.support.workers import PLAIN
from xentarena import Client

DUEL = (
    "assign(s=story())\nelicit(black, x, 8)\nelicit(white, y, 8)\n"
    "reward(black, xed(s | x + y))\nreward(white, xed(s | y))"
)
DUO = "assign(s=story())\nelicit(alice, x, 8)\nelicit(bob, y, 8)\nreward(alice, xed(s | x))\nreward(bob, xed(s | y))"
SECRET = "assign(s=story())\nreveal(alice, 'Write of the sea.')\nelicit(alice, x, 8)\nreward(alice, xed(s | x))"
SCORES = {"Ada": 9, "Bob": 7, "Cyd": 7, "Dan": 5, "Eve": 3}


def reveal(lesson: Class, which: str = "all", names: bool | None = None) -> Json:
    body = {"which": which} | ({} if names is None else {"names": names})
    return answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:reveal", json=body))


def moves(who: Caller, lesson: Class) -> list[Json]:
    items: list[Json] = answer(who.get(f"/rounds/{lesson.round_id}/moves"))["items"]
    return items


def words(who: Caller, lesson: Class) -> list[str]:
    return [text for each in moves(who, lesson) for text in each["moves"]]


def play(lesson: Class, scores: dict[str, int] = SCORES) -> dict[str, Caller]:
    """Everyone plays something worse first, and the round is closed."""
    players = {name: lesson.join(name) for name in scores}
    for name, bits in scores.items():
        players[name].score(lesson.round_id, "0")
        players[name].score(lesson.round_id, f"{bits} from {name.lower()}")
    lesson.close()
    return players


@pytest.fixture
def players(lesson: Class) -> dict[str, Caller]:
    return play(lesson)


def test_everybodys_best_move_is_shown_best_first(lesson: Class, players: dict[str, Caller]) -> None:
    shown = reveal(lesson)
    assert (shown["state"], shown["revealed"]) == ("closed", {"which": "all", "names": False})
    found = moves(players["Ada"], lesson)
    assert [(each["rank"], each["bits"], each["moves"]) for each in found] == [
        (2, 7.0, ["7 from bob"]),
        (2, 7.0, ["7 from cyd"]),
        (4, 5.0, ["5 from dan"]),
        (5, 3.0, ["3 from eve"]),
    ]
    assert words(lesson.house.host, lesson)[0] == "9 from ada", "a host sees all that is revealed"


@pytest.mark.parametrize(
    ("which", "who", "seen"),
    [
        ("top", "Ada", ["bob", "cyd"]),
        ("top", "Eve", ["ada", "bob", "cyd"]),
        ("below_own_best", "Ada", ["bob", "cyd", "dan", "eve"]),
        ("below_own_best", "Bob", ["cyd", "dan", "eve"]),
        ("below_own_best", "Eve", []),
        ("below_own_best", "late", []),
        ("all", "late", ["ada", "bob", "cyd", "dan", "eve"]),
    ],
)
def test_who_sees_whose(lesson: Class, players: dict[str, Caller], which: str, who: str, seen: list[str]) -> None:
    reveal(lesson, which)
    players["late"] = lesson.join()
    assert [text.split()[-1] for text in words(players[who], lesson)] == seen
    every = words(lesson.house.host, lesson)
    assert len(every) == (3 if which == "top" else 5)


def test_of_bots_apart_the_best_three_are_shown_beside_the_best_three_people(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, bots="separate")
    for number in range(4):
        lesson.join(kind="bot").score(lesson.round_id, f"{90 + number} bot")
    ada = lesson.join()
    ada.score(lesson.round_id, "5 person")
    lesson.close()
    reveal(lesson, "top")
    ranks = [(each["kind"], each["rank"]) for each in moves(house.host, lesson)]
    assert ranks == [("bot", 1), ("bot", 2), ("bot", 3), ("person", 1)]


def test_a_move_is_opened_with_what_its_player_saw_of_it(lesson: Class, players: dict[str, Caller]) -> None:
    reveal(lesson)
    first = moves(players["Eve"], lesson)[0]
    shown = answer(players["Eve"].get(f"/rounds/{lesson.round_id}/moves/{first['id']}"))
    assert {name: shown[name] for name in first} == first
    (reward,) = [event for event in shown["events"] if event["type"] == "reward"]
    assert (reward["bits"], "".join(token["text"] for token in reward["tokens"])) == (9.0, PASSAGE)


def test_what_is_hidden_or_removed_stays_so(lesson: Class, players: dict[str, Caller]) -> None:
    host = lesson.house.host
    reveal(lesson, names=True)
    best = {entry["player"]["name"]: entry["submission"] for entry in lesson.board()}
    bobs = next(each["id"] for each in moves(host, lesson) if each["player"]["name"] == "Bob")
    answer(host.post(f"/submissions/{best['Bob']}:hide"))
    answer(host.post(f"/players/{players['Cyd'].id}:remove"))
    assert words(players["Eve"], lesson) == ["9 from ada", "5 from dan", "0"], "Bob's next best"
    problem(players["Eve"].get(f"/rounds/{lesson.round_id}/moves/{bobs}"), 404, "not-found")
    problem(players["Eve"].get(f"/submissions/{best['Bob']}"), 403, "forbidden")
    problem(players["Eve"].get(f"/submissions/{best['Cyd']}"), 403, "forbidden")
    answer(host.post(f"/submissions/{best['Bob']}:show"))
    answer(host.post(f"/players/{players['Cyd'].id}:readmit"))
    assert words(players["Eve"], lesson)[1:3] == ["7 from bob", "7 from cyd"]


def test_what_failed_or_is_practice_is_never_shown(lesson: Class, players: dict[str, Caller]) -> None:
    players["Eve"].score(lesson.round_id, "80 practised", practice=True)
    reveal(lesson)
    assert words(players["Ada"], lesson)[-1] == "3 from eve"


# --- Names ------------------------------------------------------------------------------------------------------------


def names_on_the_board(lesson: Class) -> set[str]:
    """Names and all ids that the board and the feed tell beside them."""
    told: set[str] = set()
    for entry in lesson.board():
        told |= {entry["player"]["name"], entry["player"]["id"], entry["submission"]}
    return told


def every_answer(who: Caller, lesson: Class) -> list[str]:
    """All that is told of revealed moves, by the API and by pages."""
    path = f"/rounds/{lesson.round_id}"
    texts = [who.get(f"{path}/moves").text, who.get(path).text]
    found = moves(who, lesson)
    page = {"Cookie": f"xentarena_token={who.token}", "Accept": "text/html"}
    site = [f"{path}/others", *(f"{path}/moves/{each['id']}" for each in found)]
    texts += [who.get(f"{path}/moves/{each['id']}").text for each in found]
    texts += [_main(who.http.get(f"{lesson.house.url}{each}", headers=page).text) for each in site]
    events = answer(who.get(f"/competitions/{lesson.id}/events", params={"after": 0}))["items"]
    return [*texts, *(str(each["data"]) for each in events if each["type"].startswith("round."))]


def _main(page: str) -> str:
    """Without the head of the page, which names whoever looks."""
    return page[page.find("<main") :] if "<main" in page else page


def test_without_names_nothing_leads_to_one(lesson: Class, players: dict[str, Caller]) -> None:
    reveal(lesson)
    secret = names_on_the_board(lesson)
    plays = {play for (play,) in lesson.house.sql("SELECT id FROM plays WHERE round_id = :id", id=lesson.round_id)}
    assert len(secret) == 15
    for who in (players["Eve"], lesson.house.host):
        texts = every_answer(who, lesson)
        assert len(texts) > 10
        for text in texts:
            assert not [each for each in secret | plays if each in text], text
    assert {each["player"] for each in moves(players["Eve"], lesson)} == {None}
    assert {each["submission"] for each in moves(players["Eve"], lesson)} == {None}


def test_with_names_each_is_told(lesson: Class, players: dict[str, Caller]) -> None:
    reveal(lesson, names=True)
    board = {entry["submission"]: entry["player"] for entry in lesson.board()}
    for each in moves(players["Eve"], lesson):
        assert each["player"] == board[each["submission"]]
    assert any("Ada" in text for text in every_answer(players["Eve"], lesson)[2:])


def test_a_submission_is_opened_by_others_only_while_its_name_is_revealed(
    lesson: Class, players: dict[str, Caller]
) -> None:
    best = {entry["player"]["name"]: entry["submission"] for entry in lesson.board()}
    path = f"/submissions/{best['Dan']}"
    eve = players["Eve"]
    problem(eve.get(path), 403, "forbidden")
    for which, names, open_ in (("all", False, False), ("all", True, True), ("top", True, False), ("all", True, True)):
        reveal(lesson, which, names)
        assert eve.get(path).status_code == (200 if open_ else 403), (which, names)
    assert answer(eve.get(path))["player"] == players["Dan"].id
    worse = next(each.id for each in lesson.house.submissions(lesson.round_id) if each.player_id == players["Dan"].id)
    problem(eve.get(f"/submissions/{worse}"), 403, "forbidden")
    problem(eve.post(f"{path}/moves", json={"move": "more"}), 403, "forbidden")
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:conceal"))
    problem(eve.get(path), 403, "forbidden")


def test_an_id_that_was_given_with_names_is_of_no_use_without(lesson: Class, players: dict[str, Caller]) -> None:
    reveal(lesson, names=True)
    named = {each["id"]: each["player"]["name"] for each in moves(players["Eve"], lesson)}
    reveal(lesson, names=False)
    assert not named.keys() & {each["id"] for each in moves(players["Eve"], lesson)}


# --- Who and when -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["scheduled", "open", "paused"])
def test_a_round_that_is_not_over_is_not_revealed(house: RunningApp, state: str) -> None:
    lesson = new_class(house, PLAIN, opens_at="2099-01-01T00:00:00Z" if state == "scheduled" else None)
    if state == "paused":
        answer(house.host.post(f"/rounds/{lesson.round_id}:pause"))
    with nothing_changes(house):
        said = problem(
            house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all"}), 409, f"round-{state}"
        )
    assert said["detail"] == f"Moves are revealed once a round has ended; this one is {state}."


def test_while_nothing_is_revealed_nobody_sees_anything(lesson: Class, players: dict[str, Caller]) -> None:
    for who in (players["Ada"], lesson.house.host):
        for path in ("moves", "moves/mov_0"):
            said = problem(who.get(f"/rounds/{lesson.round_id}/{path}"), 409, "round-not-revealed")
        assert said["detail"] == "Moves stay hidden until the host reveals them."
    assert answer(players["Ada"].get(f"/rounds/{lesson.round_id}"))["revealed"] is None


Maker = Callable[[Class], Caller]


def _removed(lesson: Class) -> Caller:
    gone = lesson.join()
    answer(lesson.house.host.post(f"/players/{gone.id}:remove"))
    return gone


def _board_reader(lesson: Class) -> Caller:
    return lesson.house.caller(lesson.house.database.write(lambda s: issue(s, Scope.BOARD, now(s))[0]))


ROLES: dict[str, tuple[Maker, int, int]] = {
    "host": (lambda lesson: lesson.house.host, 200, 200),
    "player": (lambda lesson: lesson.join(), 403, 200),
    "bot": (lambda lesson: lesson.join(kind="bot"), 403, 200),
    "player of another competition": (lambda lesson: new_class(lesson.house, PLAIN).join(), 403, 403),
    "removed player": (_removed, 403, 403),
    "reader of boards": (_board_reader, 403, 403),
    "nobody": (lambda lesson: lesson.house.anyone, 401, 401),
}


@pytest.mark.parametrize(("make", "changes", "sees"), ROLES.values(), ids=ROLES.keys())
def test_who_may_reveal_and_who_may_look(lesson: Class, make: Maker, changes: int, sees: int) -> None:
    play(lesson, {"Ada": 9})
    who, path = make(lesson), f"/rounds/{lesson.round_id}"
    reveal(lesson)
    move = moves(lesson.house.host, lesson)[0]["id"]
    for looked in (f"{path}/moves", f"{path}/moves/{move}"):
        assert who.get(looked).status_code == sees
    for sent, body in ((f"{path}:reveal", {"which": "top", "names": True}), (f"{path}:conceal", None)):
        before = answer(lesson.house.host.get(path))["revealed"]
        assert who.post(sent, json=body).status_code == changes
        after = answer(lesson.house.host.get(path))["revealed"]
        assert (after != before) == (changes == 200)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, ["/which"]),
        ({"which": "some"}, ["/which"]),
        ({"which": None}, ["/which"]),
        ({"which": "all", "names": "yes"}, ["/names"]),
        ({"which": "all", "names": None}, ["/names"]),
        ({"which": "all", "who": "Ada"}, ["/who"]),
    ],
)
def test_a_reveal_says_whose_moves(lesson: Class, body: Json, at: list[str]) -> None:
    lesson.close()
    with nothing_changes(lesson.house):
        response = lesson.house.host.post(f"/rounds/{lesson.round_id}:reveal", json=body)
        assert pointers(problem(response, 422, "invalid-request")) == at


def test_a_round_that_is_not_there_is_not_revealed(house: RunningApp) -> None:
    problem(house.host.post("/rounds/rnd_0:reveal", json={"which": "all"}), 404, "not-found")
    problem(house.host.post("/rounds/rnd_0:conceal"), 404, "not-found")
    problem(house.host.get("/rounds/rnd_0/moves"), 404, "not-found")


def test_a_revealed_round_is_not_opened_again_before_it_is_concealed(lesson: Class, players: dict[str, Caller]) -> None:
    host, path = lesson.house.host, f"/rounds/{lesson.round_id}"
    reveal(lesson)
    with nothing_changes(lesson.house):
        assert "Conceal them" in problem(host.post(f"{path}:open"), 409, "round-revealed")["detail"]
    assert answer(host.post(f"{path}:conceal"))["revealed"] is None
    assert answer(host.post(f"{path}:open"))["state"] == "open"
    players["Ada"].score(lesson.round_id, "11")


def test_what_is_revealed_is_told_in_the_feed_and_noted_once(lesson: Class) -> None:
    path, host = f"/rounds/{lesson.round_id}", lesson.house.host
    ada = lesson.join()
    lesson.close()
    before = answer(host.get(f"/competitions/{lesson.id}"))["last_event"]
    with stream(ada, lesson.id, before) as following:
        for _ in range(2):
            reveal(lesson, "top")
        reveal(lesson, "top", names=True)
        for _ in range(2):
            answer(host.post(f"{path}:conceal"))
        told = following.take(3)
    here = {"round": lesson.round_id}
    assert [(each["event"], each["data"]["data"]) for each in told] == [
        ("round.revealed", {**here, "which": "top", "names": False}),
        ("round.revealed", {**here, "which": "top", "names": True}),
        ("round.concealed", here),
    ]
    rows = lesson.house.sql("SELECT action FROM audit WHERE target = :id ORDER BY number", id=lesson.round_id)
    assert [action for (action,) in rows][2:] == ["round.reveal", "round.reveal", "round.conceal"]


# --- Several seats ----------------------------------------------------------------------------------------------------


def together(house: RunningApp, source: str, one: str, other: str) -> tuple[Class, Caller, Caller]:
    """Ada and Bob have played a game of two seats: both have a score, and one play holds the words of both."""
    lesson = new_class(house, PLAIN, game=house.install_game(source))
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    path = f"/rounds/{lesson.round_id}/challenges"
    first = answer(ada.post(path, json={"seat": one}), 202)
    second = answer(bob.post(path, json={"seat": other}), 201, 202)
    answer(ada.post(f"/submissions/{first['id']}/moves", json={"move": "9 boats"}), 201, 202)
    his = f"/submissions/{second['id']}"
    eventually(lambda: answer(bob.get(his))["state"] == "awaiting_move", what="Bob's turn")
    answer(bob.post(f"{his}/moves", json={"move": "3 replies"}), 201, 202)
    assert answer(bob.get(his, params={"wait": 20}))["state"] == "scored"
    lesson.close()
    return lesson, ada, bob


def test_a_play_of_two_is_shown_with_both_seats_and_no_names(house: RunningApp) -> None:
    lesson, ada, bob = together(house, DUEL, "black", "white")
    reveal(lesson, names=True)
    cyd = lesson.join("Cyd")
    assert [(each["player"]["name"], each["moves"]) for each in moves(cyd, lesson)] == [
        ("Ada", ["9 boats"]),
        ("Bob", ["3 replies"]),
    ]
    reveal(lesson)
    texts = every_answer(cyd, lesson)
    assert not [name for name in ("Ada", "Bob", str(ada.id), str(bob.id)) if any(name in text for text in texts)]
    assert any("3 replies" in text for text in texts[2:])


@pytest.mark.parametrize("how", ["hide", "remove"])
def test_a_play_in_which_one_seat_is_hidden_is_not_shown_at_all(house: RunningApp, how: str) -> None:
    """Not of two who are rated against each other: without the play they would not be on the board."""
    lesson, ada, bob = together(house, DUO, "alice", "bob")
    reveal(lesson)
    cyd = lesson.join("Cyd")
    assert len(moves(cyd, lesson)) == 2
    bobs = next(each.id for each in house.submissions(lesson.round_id) if each.player_id == bob.id)
    answer(house.host.post(f"/submissions/{bobs}:hide" if how == "hide" else f"/players/{bob.id}:remove"))
    assert [entry["player"]["id"] for entry in lesson.board()] == [ada.id]
    assert moves(cyd, lesson) == []


def test_what_a_seat_did_not_see_is_not_shown_to_others_either(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(SECRET))
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    mine = ada.score(lesson.round_id, "9 boats")
    lesson.close()
    reveal(lesson)
    (only,) = moves(bob, lesson)
    shown = answer(bob.get(f"/rounds/{lesson.round_id}/moves/{only['id']}"))
    assert shown["events"] == mine["events"], "as Ada saw it herself"
    assert "Write of the sea." in str(shown["events"])
    assert not any(PASSAGE[:20] in text for text in every_answer(bob, lesson))


# --- The client -------------------------------------------------------------------------------------------------------


def test_the_client_reads_what_is_revealed(lesson: Class, players: dict[str, Caller]) -> None:
    reveal(lesson, "top", names=True)
    with Client(lesson.house.url, players["Eve"].token) as client:
        shown: Any = client.round(lesson.round_id).revealed
        assert (shown.which, shown.names) == ("top", True)
        found = client.revealed(lesson.round_id)
        assert (found[0].rank, found[0].moves) == (1, ("9 from ada",))
        assert found[0].player
        assert client.submission(str(found[0].submission)).bits == 9.0
        assert client.revealed_play(lesson.round_id, found[0].id).events[-1].type == "reward"
