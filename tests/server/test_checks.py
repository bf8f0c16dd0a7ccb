"""Measurements made again by another worker: a forger is found and stopped, whoever computes elsewhere is not."""

from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from server.arena import checks
from server.arena.checks import Said
from server.queue.messages import party
from tests.support.databases import sqlite_at
from tests.support.hired import ONE, OTHER, hired, honest, nearly, play, zeros
from tests.support.scenario.deployment import answer
from tests.support.server import Json, RunningApp, new_class
from tests.support.services import Postgres, Redis, eventually
from tests.support.workers import FakeJudge


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[RunningApp]:
    """Everything is measured again."""
    folder = tmp_path_factory.mktemp("house")
    redis = Redis(folder / "redis").start()
    url = postgres.migrated_database() if request.param == "postgresql" else sqlite_at(folder / "house.sqlite3")
    made = RunningApp(url, redis.url, remeasure=1, sweep=0.4, grace=0.5, lease=30.0)
    try:
        yield made.start()
    finally:
        made.stop()
        redis.stop()


def told(house: RunningApp) -> Json:
    found: Json = answer(house.host.get("/workers"))
    return found


def distrusted(house: RunningApp) -> set[str]:
    return {each["name"] for each in told(house)["distrusted"]}


def checked(house: RunningApp, judge: FakeJudge) -> list[str]:
    """Which checks of a judge are still to be made, or were."""
    rows = house.sql("SELECT state FROM checks WHERE judge = :judge", judge=judge.identity)
    return [row[0].lower() for row in rows]


def all_checked(house: RunningApp, judge: FakeJudge) -> None:
    eventually(lambda: (states := checked(house, judge)) and set(states) == {"known"}, what="the checks")


def test_honest_workers_of_two_builds_are_not_stopped(house: RunningApp, judge: FakeJudge) -> None:
    with hired(house, judge, honest) as one, hired(house, judge, nearly, build=OTHER) as other:
        eventually(lambda: len(told(house)["items"]) == 2, what="both")
        lesson = new_class(house, judge)
        player = play(lesson, [f"{number} of them" for number in range(12)])
        all_checked(house, judge)
        assert len(checked(house, judge)) >= 13
        assert not one.stopped
        assert not other.stopped
        again = house.sql(
            "SELECT m.worker, c.worker FROM checks c JOIN measurements m ON m.key = c.measurement"
            " WHERE m.judge = :judge",
            judge=judge.identity,
        )
        assert {frozenset(each) for each in again} == {frozenset((one.name, other.name))}, "each by the other one"
        named = {"name": house.player(str(player.id)).name}
        assert house.host.request("DELETE", f"/players/{player.id}", json=named).status_code == 204
        assert len(checked(house, judge)) <= 1, "deleted with what was measured for them"
    assert not [each for each in told(house)["differences"] if each["judge"] == judge.identity]


@pytest.mark.slow
@pytest.mark.parametrize("lent", [False, True], ids=["own", "lent"])
def test_whoever_stands_alone_is_stopped(
    house: RunningApp,
    judge: FakeJudge,
    lent: bool,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ExitStack() as workers:
        forger = workers.enter_context(hired(house, judge, zeros, lent=lent))
        lesson = new_class(house, judge)
        play(lesson, ["worthless"])
        assert lesson.board()[0]["bits"] > 200, "the forger was alone, and nobody could tell"
        one = workers.enter_context(hired(house, judge, honest))
        other = workers.enter_context(hired(house, judge, nearly, build=OTHER))
        for number in range(40):
            play(lesson, [f"{number} more"])
            if forger.stopped:
                break
        eventually(lambda: forger.stopped, what="the end of the forger")
        assert not one.stopped
        assert not other.stopped
        assert party(forger.name) in distrusted(house)
        found = next(each for each in told(house)["differences"] if each["stopped"] == [forger.name])
        assert {each["worker"] for each in found["said"]} == {forger.name, one.name, other.name}
        assert forger.name not in {each["id"] for each in told(house)["items"]}
        play(lesson, ["7 and no forger"])
    noted = house.sql("SELECT target FROM audit WHERE action = 'worker.distrust' AND token_id = 'server'")
    assert party(forger.name) in {target for (target,) in noted}
    assert "worker.stopped" in capsys.readouterr().out + caplog.text


def test_between_two_the_own_worker_is_believed_and_of_two_alike_nobody(house: RunningApp, judge: FakeJudge) -> None:
    with hired(house, judge, honest) as own, hired(house, judge, zeros, lent=True) as lent:
        lesson = new_class(house, judge)
        for number in range(40):
            play(lesson, [f"{number} of two"])
            if lent.stopped:
                break
        eventually(lambda: lent.stopped, what="the end of the lent one")
        assert not own.stopped
    alike = FakeJudge()
    with hired(house, alike, honest) as one, hired(house, alike, zeros, build=OTHER) as other:
        lesson = new_class(house, alike)
        play(lesson, ["1 of two alike"])
        differ = eventually(lambda: [each for each in told(house)["differences"] if each["judge"] == alike.identity])
        assert {each["worker"] for each in differ[0]["said"]} == {one.name, other.name}
        assert differ[0]["stopped"] == []
        assert not one.stopped
        assert not other.stopped


def said(worker: str, *values: float, build: str = ONE) -> Said:
    return Said(worker, build, array("f", values).tobytes())


def test_who_is_stopped() -> None:
    a, b, c = said("a", 1, 2), said("b", 1, 2.00001, build=OTHER), said("c", 0, 0)
    lent, second = said("tok_1/w", 0, 0), said("tok_2/w", 0, 0, build=OTHER)
    assert checks.to_stop([a, b], "float32") == []
    assert checks.to_stop([a, c], "float32") == []
    assert checks.to_stop([a, lent], "float32") == ["tok_1/w"]
    assert checks.to_stop([lent, said("tok_2/w", 1, 2)], "float32") == []
    assert checks.to_stop([c, a, b], "float32") == ["c"]
    assert checks.to_stop([lent, b, a], "float32") == ["tok_1/w"]
    assert checks.to_stop([lent, second, a], "float32") == [], "two tokens may be one person's"
    assert checks.to_stop([a, said("tok_1/w", 3), second], "float32") == ["tok_1/w", "tok_2/w"]
    assert checks.to_stop([a, said("b", 1, 2.00001), said("c", 1, 2)], "float32") == ["b"], "of one build all bits are"


def test_what_two_builds_may_differ_by() -> None:
    one = said("a", *[1.0] * 100)
    for apart, dtype, same in [(0.00009, "float32", True), (0.009, "float32", False), (0.03, "bfloat16", True)]:
        other = said("b", *[1.0 + apart] * 100, build=OTHER)
        assert checks.agree(one, other, dtype) is same, "all together count"
    assert not checks.agree(one, said("b", *[1.0] * 99, build=OTHER), "bfloat16")


def test_no_share_is_no_check(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house(remeasure=0, sweep=0.1)
    with hired(house, judge, honest), hired(house, judge, zeros, build=OTHER):
        lesson = new_class(house, judge)
        play(lesson, ["1 more", "2 more"])
        eventually(lambda: not checked(house, judge), what="nothing to check")
        assert told(house)["differences"] == []
