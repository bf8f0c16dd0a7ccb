"""Guessed codes and floods of newcomers: refused, without a write, and nobody's class is closed by them."""

import time
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Connection, event

from server.errors import RequestError
from server.http.join_limits import GUESSES, JOINS, JoinLimits
from tests.support.scenario.deployment import answer
from tests.support.server import RunningApp, new_competition, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of


class Clock:
    """A clock that stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def join(house: RunningApp, code: str, name: str) -> httpx.Response:
    return house.anyone.post("/competitions:join", json={"code": code, "name": name})


def test_codes_are_guessed_only_so_often_and_without_a_write(own_house: Callable[..., RunningApp]) -> None:
    house = own_house(sweep=3_600)  # which writes
    house.arena.join_limits = JoinLimits(Clock())
    known, other = (new_competition(house)["code"] for _ in range(2))
    answer(join(house, known, "Ada"), 201)
    begun = list[bool]()
    event.listen(house.arena.database.engine, "begin", lambda each: begun.append(_writes(each)))
    eventually(lambda: _at_rest(begun), what="the end of the first sweep")
    begun.clear()
    statuses = [join(house, f"NOSUCH{number}", "Eve").status_code for number in range(GUESSES)]
    assert statuses == [404] * GUESSES
    assert len(begun) == GUESSES
    assert not any(begun)
    for code in ("NOSUCH", other):  # of one that is right, nothing is told either
        refused = join(house, code, "Eve")
        assert problem(refused, 429, "limit-reached")["limit"] == "codes"
        assert refused.headers["Retry-After"] == "1"
    answer(join(house, known, "Bob"), 201)  # whose code was right here before
    visitor = Visitor(house)
    page = visitor.send("/join", code="NOSUCH", name="Eve")
    visitor.http.close()
    assert page.status_code == 429
    assert "Too many join codes from your network were wrong." in text_of(page)


def _at_rest(begun: list[bool]) -> bool:
    count = len(begun)
    time.sleep(0.5)
    return len(begun) == count


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("xentarena_write", True))


def test_a_class_joins_at_once_and_a_flood_does_not() -> None:
    clock = Clock()
    limits = JoinLimits(clock)
    for _ in range(JOINS):
        limits.come("class")
    for _ in range(3):
        with pytest.raises(RequestError) as refused:
            limits.come("class")
        assert refused.value.limit == "joins"
    limits.come("another class")
    clock.now = 10.0
    for _ in range(50):
        limits.come("class")
    with pytest.raises(RequestError):
        limits.come("class")


def test_right_codes_are_no_guesses_wherever_one_has_many_addresses() -> None:
    limits = JoinLimits(Clock())
    for number in range(10 * GUESSES):
        limits.try_code("192.0.2.1", f"RIGHT{number}")
        limits.was_right("192.0.2.1", f"RIGHT{number}")
    for number in range(GUESSES):
        limits.try_code("192.0.2.1", f"WRONG{number}")
        limits.try_code(f"2001:db8::{number:x}", f"WRONG{number}")
    for address in ("192.0.2.1", "2001:db8::ffff"):
        with pytest.raises(RequestError):
            limits.try_code(address, "WRONG")
    limits.try_code("192.0.2.1", "RIGHT1")
    limits.try_code("192.0.2.2", "WRONG")
    limits.try_code("2001:db8:0:1::1", "WRONG")
