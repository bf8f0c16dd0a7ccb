"""A game of two against each other, and its players' steps."""

from datetime import timedelta
from typing import Any

from server.db.models import Play
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class
from tests.support.workers import PLAIN

DUEL = """\
# Duel
#
# Black speaks, White speaks, and what White says after Black is Black's to gain.

assign(s=story())
elicit(black, x, 8)
elicit(white, y, 8)
reward(black, xed(s | x + y))
"""


def class_of(house: RunningApp, source: str = DUEL, /, **round_: Any) -> Class:
    passages = {"passages": ["The tide came in over the flats."]}
    return new_class(house, PLAIN, game=house.install_game(source), **{**passages, **round_})


def challenge(caller: Caller, class_: Class, **body: Any) -> Json:
    response = caller.post(f"/rounds/{class_.round_id}/challenges", json=body)
    assert response.status_code in (201, 202), response.text
    found: Json = response.json()
    return found


def move(caller: Caller, submission: Json, text: str, **params: Any) -> Json:
    response = caller.post(f"/submissions/{submission['id']}/moves", json={"move": text}, params=params)
    assert response.status_code in (201, 202), response.text
    found: Json = response.json()
    return found


def now(caller: Caller, submission: Json, **params: Any) -> Json:
    return answer(caller.get(f"/submissions/{submission['id']}", params=params))


def set_back(house: RunningApp, submission: Json, seconds: float) -> None:
    """As if that much of the move clock had run already."""

    def work(session: Any) -> None:
        play = session.get(Play, submission["play"])
        play.due_at = play.due_at - timedelta(seconds=seconds)

    house.database.write(work)


def begin(class_: Class, black: Caller, white: Caller) -> tuple[Json, Json]:
    """A play of these two before its first move: their submissions."""
    first = challenge(black, class_, seat="black", invite=white.id)
    return first, answer(white.post(f"/challenges/{first['play']}:accept", json={}), 202)


def end(black: Caller, white: Caller, begun: tuple[Json, Json], bits: float) -> Json:
    """Play it to its end, and to so many bits for black: black's submission."""
    move(black, begun[0], f"{bits}")
    move(white, begun[1], " it is", wait=30)
    return now(black, begun[0], wait=30)


def duel(class_: Class, black: Caller, white: Caller, bits: float) -> Json:
    """A whole play of these two."""
    return end(black, white, begin(class_, black, white), bits)
