"""How long players are kept: off, until a host says so; then they are deleted, and the host hears of it before."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.arena import retention
from server.arena.outbox import Outbox
from server.arena.workforce import Workforce
from server.db.models import Competition, Player, Round
from server.db.retention import Retention
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, pointers, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

OFF = {"days": None, "as_server": True, "due_at": None}


def kept(lesson: Class) -> Json:
    return answer(lesson.house.host.get(f"/competitions/{lesson.id}/retention"))


def choose(who: Caller, lesson: Class, **said: Any) -> Json:
    return answer(who.request("PUT", f"/competitions/{lesson.id}/retention", json=said))


def days_from_now(lesson: Class) -> float:
    due = datetime.fromisoformat(kept(lesson)["due_at"])
    return (due - datetime.now(UTC)) / timedelta(days=1)


def ended(house: RunningApp, days_ago: int) -> tuple[Class, Caller, Caller]:
    """A competition of two that ended so long ago."""
    lesson = new_class(house, PLAIN)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(lesson.round_id, "25"), bob.score(lesson.round_id, "9")
    lesson.close()
    then = datetime.now(UTC) - timedelta(days=days_ago)

    def age(session: Session) -> None:
        session.execute(update(Round).where(Round.id == lesson.round_id).values(opens_at=then, closed_at=then))
        session.execute(update(Player).where(Player.competition_id == lesson.id).values(joined_at=then))

    house.database.write(age)
    return lesson, ada, bob


def let_time_pass(lesson: Class) -> None:
    """The moment at which its players are to be deleted has come."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    due = (Retention.id == lesson.id, Retention.due_at.is_not(None))
    lesson.house.database.write(lambda session: session.execute(update(Retention).where(*due).values(due_at=past)))


def players(lesson: Class) -> int:
    query = select(func.count()).select_from(Player).where(Player.competition_id == lesson.id)
    return lesson.house.database.read(lambda session: session.scalars(query).one())


def told(lesson: Class) -> list[tuple[str, str | None, str | None]]:
    lines = map(json.loads, lesson.house.host.get("/audit.jsonl").text.splitlines())
    return [
        (each["action"], each["before"], each["after"])
        for each in lines
        if each["target"] == lesson.id and "retention" in each["action"]
    ]


def test_it_is_off_and_whoever_hosts_switches_it_on_and_off(house: RunningApp) -> None:
    lesson, ada, _ = ended(house, 100)
    assert kept(lesson) == OFF
    problem(ada.get(f"/competitions/{lesson.id}/retention"), 403, "forbidden")
    for wrong, at in (
        ({"days": 0}, "/days"),
        ({"days": 3651}, "/days"),
        ({"days": 5, "as_server": True}, "/as_server"),
    ):
        refused = house.host.request("PUT", f"/competitions/{lesson.id}/retention", json=wrong)
        assert pointers(problem(refused, 422, "invalid-request")) == [at]
    choose(house.host, lesson, days=120)
    assert 19 < days_from_now(lesson) < 21, "twenty days are left of those after its end"
    choose(house.host, lesson, days=10)
    assert 0.9 < days_from_now(lesson) <= 1, "its time is past, and yet the host has a day"
    assert choose(house.host, lesson) == {"days": None, "as_server": False, "due_at": None}
    assert choose(house.host, lesson, as_server=True) == OFF
    words = [(action, after) for action, _, after in told(lesson) if action == "competition.retention"]
    assert words == [("competition.retention", each) for each in ("120 days", "10 days", "for good", "as the server")]


@pytest.mark.slow
def test_a_competition_that_goes_on_is_not_at_its_end(house: RunningApp) -> None:
    lesson, *_ = ended(house, 100)
    answer(house.host.post(f"/rounds/{lesson.round_id}:open"))
    assert choose(house.host, lesson, days=30)["due_at"] is None
    lesson.close()
    eventually(lambda: kept(lesson)["due_at"], what="the day")
    assert 29.9 < days_from_now(lesson) <= 30
    lesson.another_round(opens_at="2099-01-01T08:00:00Z")
    eventually(lambda: kept(lesson)["due_at"] is None, what="a round that is to come")


def test_players_are_deleted_when_their_time_has_come_and_not_before(house: RunningApp, visitor: Visitor) -> None:
    lesson, ada, bob = ended(house, 100)
    other, *_ = ended(house, 100)
    choose(house.host, lesson, days=30)
    due = kept(lesson)["due_at"]
    visitor.sign_in(house.host)
    page = text_of(visitor.get(f"/host/competitions/{lesson.id}"))
    assert "Players and all that is theirs will be deleted at" in page
    assert "set when the players are deleted" in text_of(visitor.get(f"/host/competitions/{lesson.id}/audit"))
    assert players(lesson) == 2
    let_time_pass(lesson)
    eventually(lambda: players(lesson) == 0, what="nobody there")
    eventually(lambda: told(lesson)[-1][0] == "competition.retention-done", what="a word of it")
    for gone in (ada, bob):
        problem(gone.get("/me"), 401, "unauthorized")
    assert lesson.board() == []
    assert (players(other), kept(other)) == (2, OFF)
    assert [action for action, *_ in told(lesson)] == [
        "competition.retention", "competition.retention-due", "competition.retention-done",
    ]  # fmt: skip
    assert datetime.fromisoformat(told(lesson)[1][2] or "") == datetime.fromisoformat(due)
    assert "the server" in text_of(visitor.get(f"/host/competitions/{lesson.id}/audit"))


def test_whoever_switches_it_off_or_opens_a_round_in_time_keeps_everybody(house: RunningApp) -> None:
    off, *_ = ended(house, 100)
    again, *_ = ended(house, 100)
    for lesson in (off, again):
        choose(house.host, lesson, days=30)
    choose(house.host, off)
    answer(house.host.post(f"/rounds/{again.round_id}:open"))
    for lesson in (off, again):
        let_time_pass(lesson)

    def sweep(session: Session) -> bool:
        retention.plan(session, Outbox())
        return retention.delete_due(session, Outbox(), house.settings, Workforce())

    house.database.write(sweep)
    assert (players(off), players(again)) == (2, 2)


def test_the_owner_says_it_for_all_who_say_nothing(house: RunningApp, visitor: Visitor) -> None:
    plain, *_ = ended(house, 10)
    own, *_ = ended(house, 10)
    choose(house.host, own, days=200)
    host = house.caller(answer(house.host.post("/hosts", json={"name": "Ms Byron"}), 201)["token"])
    problem(host.request("PUT", "/retention", json={"days": 5}), 403, "forbidden")
    visitor.sign_in(house.host)
    visitor.send("/host/retention", how="days", days="40")
    try:
        assert answer(house.host.get("/retention")) == {"days": 40}
        assert (kept(plain)["days"], kept(plain)["as_server"], kept(own)["days"]) == (40, True, 200)
        assert 29 < days_from_now(plain) < 31
        assert 189 < days_from_now(own) < 191
        visitor.send(f"/host/competitions/{plain.id}/retention", how="kept", days="90")
        assert kept(plain) == {"days": None, "as_server": False, "due_at": None}
        assert visitor.send(f"/host/competitions/{plain.id}/retention", how="days", days="soon").status_code == 422
    finally:
        answer(house.host.request("PUT", "/retention", json={"days": None}))
    rows = house.database.read(lambda session: session.scalars(select(Retention.due_at).join(
        Competition, Competition.id == Retention.id).where(Retention.as_server)).all())  # fmt: skip
    assert rows == [None] * len(rows)
