"""Whom a host does not believe: no more work for them, and what they measured is measured again, with a look before it
counts."""

from collections.abc import Iterator
from functools import partial
from json import loads
from typing import Any

import pytest

from server.queue.messages import party
from tests.support.command import Ended, Run
from tests.support.databases import sqlite_at
from tests.support.hired import OTHER, hired, honest, play, zeros
from tests.support.scenario.deployment import answer
from tests.support.server import Json, RunningApp, new_class, problem
from tests.support.services import Postgres, Redis, eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import FakeJudge


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[RunningApp]:
    """Nothing is measured again unasked."""
    folder = tmp_path_factory.mktemp("house")
    redis = Redis(folder / "redis").start()
    url = postgres.migrated_database() if request.param == "postgresql" else sqlite_at(folder / "house.sqlite3")
    made = RunningApp(url, redis.url, remeasure=0, sweep=0.4, grace=0.2, lease=30.0)
    try:
        yield made.start()
    finally:
        made.stop()
        redis.stop()


def done(house: RunningApp, rescoring: str) -> Json:
    """What it changes; nothing while it is not worked out."""
    found: Json = answer(house.host.get(f"/rescorings/{rescoring}"))
    return found if found["done"] == found["of"] else {}


def ends(house: RunningApp, kind: str, name: str) -> Json:
    found: Json = answer(house.host.post("/workers:distrust", json={"kind": kind, "name": name}))
    return found


def said(ended: Ended) -> Any:
    """The JSON of a command, between the lines that the server of this process logs."""
    return next(loads(line) for line in ended.out.splitlines() if line.startswith(("[]", "[{", "{")))


def test_what_a_forger_measured_is_measured_again_and_the_board_mended(
    house: RunningApp, judge: FakeJudge, visitor: Visitor
) -> None:
    with hired(house, judge, zeros, lent=True) as forger:
        lesson = new_class(house, judge)
        cheat = play(lesson, ["worthless"])
        with hired(house, judge, honest, build=OTHER):
            stopped = ends(house, "worker", forger.name)
            assert stopped["distrusted"]["name"] == party(forger.name)
            assert stopped["measurements"] == 2
            (rescoring,) = stopped["rescorings"]
            eventually(lambda: forger.stopped, what="the end of the forger")
            good = play(lesson, ["25 is what it is worth"])
            seen = eventually(partial(done, house, rescoring["id"]), what="what was measured again")
            moved = {each["player"]["id"]: (each["before"]["rank"], each["after"]["rank"]) for each in seen["players"]}
            assert moved == {cheat.id: (1, 2), good.id: (2, 1)}
            assert [each["player"]["id"] for each in lesson.board()] == [cheat.id, good.id], "nothing changed yet"
            visitor.sign_in(house.host)
            page = visitor.get("/host/judges")
            assert f'href="/host/rescorings/{rescoring["id"]}"' in page.text
            assert (
                f"Not believed These get no work, and what they hand in is not taken. {party(forger.name)}"
                in text_of(page)
            )
            lesson.close()
            # As long as something is still to be worked out it says so (409).
            apply = f"/rescorings/{rescoring['id']}:apply"
            eventually(lambda: house.host.post(apply).is_success, what="the rescoring to be applied")
            board = lesson.board()
            assert [each["player"]["id"] for each in board] == [good.id, cheat.id]
            assert board[0]["bits"] == 25.0
            assert board[1]["bits"] < 60
            receipt = answer(cheat.get(f"/submissions/{board[1]['submission']}/receipt"))
            assert receipt["complete"]


def test_a_build_is_distrusted_and_trusted_again(
    house: RunningApp, judge: FakeJudge, visitor: Visitor, run: Run
) -> None:
    with hired(house, judge, honest, build=OTHER) as worker:
        lesson = new_class(house, judge)
        play(lesson, ["7 it is"])
        visitor.sign_in(house.host)
        visitor.send("/host/judges/distrust", kind="build", name=OTHER)
        eventually(lambda: worker.stopped, what="its end")
        assert not house.measurable(judge)
        worker.claims.leave()
        told = answer(house.host.get("/workers"))["distrusted"]
        assert (told[0]["kind"], told[0]["name"]) == ("build", OTHER)
        visitor.send("/host/judges/trust", kind="build", name=OTHER)
        problem(house.host.post("/workers:trust", json={"kind": "build", "name": OTHER}), 422, "invalid-request")
        assert "Nobody distrusts" in text_of(visitor.send("/host/judges/trust", kind="build", name=OTHER))
    at = ("--database-url", str(house.settings.database_url))

    def builds() -> list[Json]:
        told = said(run("worker-token", "distrusted", *at, "--json"))
        return [each for each in told if each["kind"] == "build"]  # workers are distrusted by other tests here

    with hired(house, judge, honest, build=OTHER) as again:
        play(lesson, ["8 it is"])
        assert again.made
        assert not again.stopped
        assert builds() == []
        stopped = said(run("worker-token", "distrust", OTHER, "--build", *at, "--json"))
        assert stopped["measurements"] >= 2
        assert lesson.round_id in stopped["rounds"]
        eventually(lambda: again.stopped, what="its end")
    assert [each["name"] for each in builds()] == [OTHER]
    assert run("worker-token", "trust", OTHER, "--build", *at).status == 0
    assert "Nobody distrusts" in run("worker-token", "trust", OTHER, "--build", *at).err
    assert "No worker and no build 'nobody'" in run("worker-token", "distrust", "nobody", *at).err
    audit = house.host.get("/audit.jsonl").text
    assert audit.count('"worker.trust"') == 2


def test_who_was_never_heard_of_is_not_distrusted(house: RunningApp) -> None:
    for kind in ("worker", "build"):
        problem(house.host.post("/workers:distrust", json={"kind": kind, "name": "nobody"}), 422, "invalid-request")
