"""Rounds in which the house has a seat: fixed texts there, or one of its bots."""

from typing import Any

import pytest

from games.runtime.house import BOTS
from tests.support.duels import DUEL, class_of, move, now
from tests.support.scenario.deployment import answer
from tests.support.server import Json, RunningApp, pointers, problem
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

#: White moves first, and twice.
FIRST = """\
# White first
#
# White speaks before Black and after.

assign(s=story())
elicit(white, y, 8)
elicit(black, x, 8)
elicit(white, y1, 8)
reward(black, xed(s | x + y + y1))
"""
SAYS = {"texts": [" by the sea", " it is"]}


def said(submission: Json, seat: str) -> list[str]:
    return [event["text"] for event in submission["events"] if event["type"] == "move" and event["seat"] == seat]


def test_a_player_plays_alone_against_what_the_house_says(house: RunningApp) -> None:
    lesson = class_of(house, house={"white": SAYS})
    ada = lesson.join("Ada")
    shown = answer(ada.get(f"/rounds/{lesson.round_id}"))
    assert (shown["seats"], shown["house"]) == (["black"], {"white": {"bot": None, "texts": None}})
    assert shown["passages"], "whoever is left sees everything"
    assert answer(house.host.get(f"/rounds/{lesson.round_id}"))["house"] == {"white": {"bot": None, **SAYS}}
    problem(ada.post(f"/rounds/{lesson.round_id}/challenges", json={}), 409, "one-seat")
    ended = answer(ada.submit(lesson.round_id, "25", wait=30), 201)
    assert (ended["state"], said(ended, "white")) == ("scored", [" by the sea"])
    assert ended["rewards"]["white"] == -ended["bits"] != 0
    assert [entry["bits"] for entry in lesson.board()] == [ended["bits"]]


def test_the_house_moves_first_and_its_moves_are_kept(house: RunningApp) -> None:
    lesson = class_of(house, FIRST, house={"white": SAYS})
    ada = lesson.join()
    opening = answer(ada.get(f"/rounds/{lesson.round_id}"))["opening"]
    assert opening["registers"]["y"] == " by the sea"
    at_once = answer(ada.submit(lesson.round_id, "25", wait=30), 201)
    begun = answer(ada.post(f"/rounds/{lesson.round_id}/submissions:begin"), 201)
    waits = now(ada, begun)
    assert (waits["state"], said(waits, "white")) == ("awaiting_move", [" by the sea"])
    in_two = move(ada, begun, "25", wait=30)
    for ended in (at_once, in_two):
        assert ended["state"] == "scored"
        assert said(ended, "white") == SAYS["texts"]
    assert at_once["bits"] == in_two["bits"]
    (receipt,) = [answer(ada.get(f"/submissions/{each['id']}/receipt")) for each in (at_once,)]
    assert receipt["complete"], receipt["because"]
    assert [each["seat"] for each in receipt["play"]["moves"]] == ["white", "black", "white"]


@pytest.mark.parametrize("bot", BOTS)
def test_a_bot_of_the_house_says_the_same_to_everybody(house: RunningApp, bot: str) -> None:
    lesson = class_of(house, FIRST, house={"white": {"bot": bot}})
    told = {tuple(said(lesson.join().score(lesson.round_id, "25"), "white")) for _ in range(3)}
    assert len(told) == 1
    assert all(0 < len(text.split()) <= 4 for text in told.pop())


def test_a_move_is_previewed_where_the_house_has_a_seat(house: RunningApp) -> None:
    lesson = class_of(house, FIRST, house={"white": SAYS})
    previewed = answer(lesson.join().post(f"/rounds/{lesson.round_id}/moves:preview", json={"move": "a b c"}))
    assert (previewed["tokens"], previewed["limit"]) == (3, 8)


def test_such_a_round_is_not_rated_and_takes_practice_once_it_has_ended(house: RunningApp) -> None:
    lesson = class_of(house, house={"white": SAYS})
    ada = lesson.join()
    ada.score(lesson.round_id, "25")
    answer(house.host.post(f"/rounds/{lesson.round_id}:close"))
    practised = answer(ada.submit(lesson.round_id, "30", practice=True, wait=30), 201)
    assert (practised["state"], practised["practice"]) == ("scored", True)


@pytest.mark.parametrize(
    ("seats", "pointer"),
    [
        ({"carol": SAYS}, "/house/carol"),
        ({"black": SAYS, "white": SAYS}, "/house"),
        ({"white": {}}, "/house/white"),
        ({"white": {**SAYS, "bot": "key_words"}}, "/house/white"),
        ({"white": {"bot": "chess"}}, "/house/white/bot"),
        ({"white": {"texts": ["good", " "]}}, "/house/white/texts/1"),
        ({"white": {"texts": ["word"] * 65}}, "/house/white/texts"),
        ({"white": {"speech": "x"}}, "/house/white/speech"),
        ({"white": "key_words"}, "/house/white"),
    ],
)
def test_what_a_house_may_not_be(house: RunningApp, seats: dict[str, Any], pointer: str) -> None:
    lesson = class_of(house)
    body = {"game": house.install_game(DUEL), "passages": ["The tide."], "house": seats}
    refused = house.host.post(f"/competitions/{lesson.id}/rounds", json=body)
    assert pointers(problem(refused, 422, "invalid-request")) == [pointer]


def test_seats_are_given_back_to_players_while_nobody_has_moved(house: RunningApp) -> None:
    lesson = class_of(house, house={"white": SAYS})
    host = house.host
    copy = answer(host.post(f"/rounds/{lesson.round_id}:duplicate"), 201)
    assert copy["house"] == {"white": {"bot": None, **SAYS}}
    changed = answer(host.request("PATCH", f"/rounds/{copy['id']}", json={"house": {}}))
    assert (changed["house"], changed["seats"]) == ({}, ["black", "white"])
    lesson.join().score(lesson.round_id, "25")
    problem(host.request("PATCH", f"/rounds/{lesson.round_id}", json={"house": {}}), 409, "round-played")


def test_a_host_says_it_in_the_form_of_a_round(visitor: Visitor, house: RunningApp) -> None:
    lesson = class_of(house)
    visitor.sign_in(house.host)
    form = {"game": house.install_game(FIRST), "passages": "The tide.", "judge": PLAIN.name}
    path = f"/host/competitions/{lesson.id}/rounds"
    page = text_of(visitor.send(path, **form, house="white: by the sea\nwhite : it is\n"))
    shown = max(answer(house.host.get(f"/competitions/{lesson.id}/rounds"))["items"], key=lambda each: each["number"])
    assert shown["house"] == {"white": {"bot": None, "texts": ["by the sea", "it is"]}}, page
    assert "White: the house" in text_of(visitor.get(f"/rounds/{shown['id']}"))
    edit = f"/host/rounds/{shown['id']}/edit"
    assert "white: by the sea\nwhite: it is</textarea>" in visitor.get(edit).text
    visitor.send(edit, **form, house="white = random_words")
    shown = answer(house.host.get(f"/rounds/{shown['id']}"))
    assert shown["house"] == {"white": {"bot": "random_words", "texts": []}}
    for wrong in ("white", "white = key_words\nwhite: and a text", "= key_words", "white:"):
        assert "as in white = key_words" in text_of(visitor.send(path, **form, house=wrong)), wrong
    assert "The house has no bot 'chess'" in text_of(visitor.send(path, **form, house="white = chess"))


def test_the_page_of_a_play_says_who_the_other_is(visitor: Visitor, house: RunningApp) -> None:
    lesson = class_of(house, house={"white": SAYS})
    ada = lesson.join("Ada")
    visitor.sign_in(ada)
    ended = ada.score(lesson.round_id, "25")
    page = text_of(visitor.get(f"/submissions/{ended['id']}"))
    assert "You play Black. White is the house" in page
    assert "by the sea" in page
