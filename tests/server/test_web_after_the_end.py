"""The pages of a round that has ended: practice, and what others wrote once the host reveals it."""

import re
from collections.abc import Iterator

import pytest

from tests.support.games import TWO_STEPS
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, RunningApp, new_class
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import PLAIN

HEADING = "Practice: the round has ended, and the board stands"
MEASURES_FIRST = "assign(s=story())\nreveal(xent(s))\nelicit(x, 10)\nreward(xed(s | x))"
TALK = "assign(s=story())\nelicit(x, 10)\nreveal(xed(s | x))\nelicit(y, 10)\nreward(xed(s | y))"
DUEL = "assign(s=story())\nelicit(black, x, 8)\nelicit(white, y, 8)\nreward(black, xed(s | x + y))"


@pytest.fixture
def host(house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(house)
    made.sign_in(house.host)
    yield made
    made.http.close()


def set_state(lesson: Class, how: str) -> None:
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:{how}"))


def practise(visitor: Visitor, lesson: Class, move: str) -> str:
    """By the form alone; the text of the page that it leads to."""
    return text_of(visitor.send(f"/rounds/{lesson.round_id}/moves", move=move, practice="on"))


def test_a_closed_round_is_practised_on_with_the_form_alone(visitor: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "5 boats")
    visitor.sign_in(ada)
    set_state(lesson, "close")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    assert HEADING in text_of(page)
    assert '<input type="hidden" name="practice" value="on">' in page.text
    board = visitor.get(f"/rounds/{lesson.round_id}/board").content
    text = practise(visitor, lesson, "25 ships")
    assert "Practice The round has ended: this does not count. 25.000 bits" in text
    assert "Your words make it 25.0 bits easier to predict" in text
    assert not re.search(r"your best|best so far|next rank|attempt", text, re.IGNORECASE)
    assert visitor.get(f"/rounds/{lesson.round_id}/board").content == board
    assert "your best 5.000 bits" in text_of(visitor.get("/rounds"))


def test_practice_has_a_list_of_its_own_and_no_part_in_the_curve(visitor: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    visitor.sign_in(ada)
    for move in ("1", "2", "3"):
        ada.score(lesson.round_id, move)
    mine = f"/rounds/{lesson.round_id}/mine"
    before = visitor.get(mine).text
    set_state(lesson, "close")
    practise(visitor, lesson, "44 ships")
    after = visitor.get(mine)
    assert after.text.endswith(before[before.index("<h2>Your moves</h2>") :])
    assert re.match(r"Your practice 44 ships practice 44\.000 bits [^ ]+ [^ ]+ UTC Your moves", text_of(after))


def test_when_the_round_is_opened_again_practice_is_out_of_the_way(visitor: Visitor, house: RunningApp) -> None:
    """Else a play that awaits its next move would hide the form of the round."""
    lesson = new_class(house, PLAIN, game=house.install_game(TWO_STEPS))
    visitor.sign_in(lesson.join("Ada"))
    set_state(lesson, "close")
    assert "The game awaits your next move." in practise(visitor, lesson, "2")
    set_state(lesson, "open")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    assert "data-submission" not in page.text
    assert 'name="practice"' not in page.text
    assert "Your practice" in text_of(page)


@pytest.mark.parametrize("source", [MEASURES_FIRST, TALK], ids=["before the first move", "between the moves"])
def test_games_that_measure_something_in_between_are_practised_too(
    visitor: Visitor, house: RunningApp, source: str
) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(source))
    visitor.sign_in(lesson.join("Ada"))
    set_state(lesson, "close")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    action = "begin" if "Begin a play" in page.text else "moves"
    begun = visitor.send(f"/rounds/{lesson.round_id}/{action}", move="2", practice="on")
    (submission,) = re.findall(r'data-submission="(\w+)"', begun.text)
    done = text_of(visitor.send(f"/submissions/{submission}/moves", move="5"))
    assert "this does not count. 5.000 bits" in done


def test_where_there_is_no_practice_there_is_no_form(visitor: Visitor, house: RunningApp) -> None:
    duel = new_class(house, PLAIN, game=house.install_game(DUEL))
    for lesson in (duel, new_class(house, PLAIN, opens_at="2099-01-01T00:00:00Z")):
        visitor.sign_in(lesson.join("Ada"))
        set_state(lesson, "close")
        page = visitor.get(f"/rounds/{lesson.round_id}")
        assert page.status_code == 200
        assert HEADING not in text_of(page)
        assert "data-move" not in page.text


def test_a_stale_form_of_an_open_round_is_told_where_to_go(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(lesson.join("Ada"))
    set_state(lesson, "close")
    page = visitor.send(f"/rounds/{lesson.round_id}/moves", move="25 ships")
    assert page.status_code == 409
    assert "It takes practice, which does not count" in text_of(page)
    assert "25 ships" in page.text, "what was typed is still there"
    set_state(lesson, "open")
    page = visitor.send(f"/rounds/{lesson.round_id}/moves", move="25 ships", practice="on")
    assert (page.status_code, "The round is open: play it." in text_of(page)) == (409, True)


def test_words_are_previewed_for_practice(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(lesson.join("Ada"))
    set_state(lesson, "close")
    path = f"/rounds/{lesson.round_id}/preview"
    assert "12 of 10 tokens." in text_of(visitor.send(path, move="far " * 12, practice="on"))
    assert visitor.send(path, move="far").status_code == 409


def test_a_hosts_list_says_what_is_practice(host: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "5 boats")
    set_state(lesson, "close")
    ada.score(lesson.round_id, "25 ships", practice=True)
    text = text_of(host.get(f"/host/competitions/{lesson.id}"))
    assert "25 ships 25.000 bits, practice" in text
    assert "5 boats 5.000 bits round" in text


# --- What others wrote ------------------------------------------------------------------------------------------------


@pytest.fixture
def players(lesson: Class) -> dict[str, Caller]:
    made = {name: lesson.join(name) for name in ("Ada", "Bob", "Cyd", "Dan")}
    for number, (name, player) in enumerate(made.items()):
        player.score(lesson.round_id, f"{9 - number} by {name.lower()[::-1]} <b>")
    return made


def test_a_host_reveals_and_conceals(
    host: Visitor, visitor: Visitor, lesson: Class, players: dict[str, Caller]
) -> None:
    manage, path = f"/host/competitions/{lesson.id}", f"/host/rounds/{lesson.round_id}"
    assert "Reveal moves" not in text_of(host.get(manage))
    visitor.sign_in(players["Dan"])
    set_state(lesson, "close")
    assert "Reveal moves round 1" in text_of(host.get(manage))
    assert "What others wrote" not in text_of(visitor.get(f"/rounds/{lesson.round_id}"))
    page = host.send(f"{path}/reveal", which="top")
    assert (page.url.path, "Moves are revealed round 1" in text_of(page)) == (manage, True)
    assert re.search(r'<option value="top" selected>', page.text)
    assert "Open round 1" not in text_of(page), "a revealed round is not opened again"
    others = visitor.get(f"/rounds/{lesson.round_id}")
    nothing_from_elsewhere(others)
    section = text_of(others).partition("What others wrote")[2]
    assert section.startswith(" 1. Somebody 9 by ada <b> 9.000 bits 2. Somebody 8 by bob <b> 8.000 bits 3. Somebody")
    assert "moves revealed" in text_of(visitor.get("/rounds"))
    host.send(f"{path}/conceal")
    assert text_of(visitor.get(f"/rounds/{lesson.round_id}/others")) == ""


def test_a_revealed_move_is_a_page_with_its_map_and_no_word_of_you(
    host: Visitor, visitor: Visitor, lesson: Class, players: dict[str, Caller]
) -> None:
    set_state(lesson, "close")
    host.send(f"/host/rounds/{lesson.round_id}/reveal", which="all")
    visitor.sign_in(players["Dan"])
    others = f"/rounds/{lesson.round_id}/others"
    (first, *_) = re.findall(rf'href="(/rounds/{lesson.round_id}/moves/\w+)"', visitor.get(others).text)
    page = visitor.get(first)
    nothing_from_elsewhere(page)
    text = text_of(page)
    assert "A move of somebody" in text
    assert "Sent 9 by ada <b>" in text
    assert 'data-bits="+9.00"' in page.text
    assert "Ada" not in text
    assert not re.search(r"\byour?\b", text.partition("A move of somebody")[2], re.IGNORECASE)
    host.send(f"/host/rounds/{lesson.round_id}/reveal", which="all", names="on")
    assert visitor.get(first).status_code == 404, "another reveal, other addresses"
    assert " 1. Ada 9 by ada <b>" in text_of(visitor.get(others))
    (first, *_) = re.findall(rf'href="(/rounds/{lesson.round_id}/moves/\w+)"', visitor.get(others).text)
    assert "A move of Ada" in text_of(visitor.get(first))


def test_who_may_see_none_is_told_so(
    host: Visitor, visitor: Visitor, lesson: Class, players: dict[str, Caller]
) -> None:
    set_state(lesson, "close")
    host.send(f"/host/rounds/{lesson.round_id}/reveal", which="below_own_best")
    visitor.sign_in(players["Dan"])
    assert "none that you may see" in text_of(visitor.get(f"/rounds/{lesson.round_id}"))


def test_bad_forms_of_a_host_say_what_is_wrong(
    host: Visitor, visitor: Visitor, lesson: Class, players: dict[str, Caller]
) -> None:
    path = f"/host/rounds/{lesson.round_id}"
    early = host.send(f"{path}/reveal", which="all")
    assert (early.status_code, "this one is open" in text_of(early)) == (409, True)
    set_state(lesson, "close")
    for which in ("", "some", "ALL"):
        page = host.send(f"{path}/reveal", which=which)
        assert (page.status_code, "Say whose moves are to be revealed." in text_of(page)) == (422, True)
    visitor.sign_in(players["Ada"])
    for action in ("reveal", "conceal"):
        assert visitor.send(f"{path}/{action}", which="all").status_code == 403
    assert answer(players["Ada"].get(f"/rounds/{lesson.round_id}"))["revealed"] is None


def test_a_play_of_several_moves_is_told_of_whoever_made_it(host: Visitor, visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(TALK))
    ada = lesson.join("Ada")
    begun = answer(ada.submit(lesson.round_id, "2 boats", wait=20), 201)
    answer(ada.post(f"/submissions/{begun['id']}/moves", json={"move": "5 ships"}, params={"wait": 20}), 201)
    set_state(lesson, "close")
    host.send(f"/host/rounds/{lesson.round_id}/reveal", which="all")
    visitor.sign_in(lesson.join("Bob"))
    others = visitor.get(f"/rounds/{lesson.round_id}/others")
    (first,) = re.findall(rf'href="(/rounds/{lesson.round_id}/moves/\w+)"', others.text)
    text = text_of(visitor.get(first)).partition("of somebody")[2]
    assert "Black 2 boats Shown to Black 2.000 bits Black 5 ships" in text
    assert not re.search(r"\byour?\b|Ada", text, re.IGNORECASE)
