"""Moves that wait at the same time are accepted in one transaction, and each is answered as if it had come alone."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest

from server.app import build
from server.arena.acceptance import Order
from server.arena.unit import Unit
from server.db.models import Submission
from server.http.desk import AT_ONCE, Desk
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, all_at_once, new_class, problem
from tests.support.services import Postgres
from tests.support.statements import statements
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work


def batch(*items: Json) -> Json:
    return {"json": {"items": list(items)}}


def test_a_batch_is_one_transaction_with_one_statement_for_each_table(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    with statements(slow_lesson.house) as seen:
        sent = answer(ada.post(f"{slow_lesson.submissions}:batch", **batch(*({"move": f"{i}"} for i in range(32)))))
    assert [each["status"] for each in sent["items"]] == [202] * 32
    for table in ("plays", "submissions", "measurements", "needs", "attempts"):
        assert len([each for each in seen if each.startswith(f"INSERT INTO {table} ")]) == 1, table
    hand.answer(*hand.take_all(33))
    ids = [each["submission"]["id"] for each in sent["items"]]
    scored = [answer(ada.get(f"/submissions/{id_}", params={"wait": 20})) for id_ in ids]
    assert [each["bits"] for each in scored] == [float(i) for i in range(32)]
    numbers = {row.id: row.number for row in slow_lesson.house.submissions(slow_lesson.round_id)}
    assert sorted(ids, key=numbers.__getitem__) == ids, "in the order in which they were sent"


def test_what_is_refused_in_a_batch_is_in_no_other_items_way(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=4)
    ada = lesson.join()
    answer(ada.submit(lesson.round_id, "1", key="old"), 201, 202)
    items: list[tuple[Json, int | str]] = [
        ({"move": "2"}, 202),
        ({"move": ""}, "invalid-request"),
        ({"move": "a\x07"}, "invalid-request"),
        ({"move": "3", "key": "new"}, 202),
        ({"move": "4", "key": "old"}, "idempotency-key-reused"),
        ({"move": "1", "key": "old"}, 200),
        ({"move": "3", "key": "new"}, 200),
        ({"move": "5", "key": "new"}, "idempotency-key-reused"),
        ({"move": "6", "practice": True}, "round-open"),
        ({"move": "", "key": "later"}, "invalid-request"),
        ({"move": "7", "key": "later"}, 202),
        ({"move": "8"}, "no-attempts-left"),
        ({"move": "9", "key": "never"}, "no-attempts-left"),
        ({"move": "7", "key": "later"}, 200),
    ]
    sent = answer(ada.post(f"{lesson.submissions}:batch", **batch(*(item for item, _ in items))))["items"]
    told = [each["problem"]["type"] if each.get("problem") else min(each["status"], 202) for each in sent]
    assert [202 if each == 201 else each for each in told] == [expected for _, expected in items]
    ids = [each["submission"]["id"] if each.get("submission") else None for each in sent]
    assert ids[3] == ids[6]
    assert ids[10] == ids[13]
    assert len(house.submissions(lesson.round_id)) == 4
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 4
    kept = house.sql("SELECT key FROM repeats WHERE route = :route", route=f"/rounds/{lesson.round_id}/submissions")
    assert sorted(key for (key,) in kept) == ["later", "new", "old"]


def test_one_key_many_times_in_batches_at_once_makes_one_submission(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    ada = lesson.join()
    item = {"move": "25", "key": "once"}
    batches = all_at_once(4, lambda _: answer(ada.post(f"{lesson.submissions}:batch", **batch(*[item] * 25)))["items"])
    sent = [each for items in batches for each in items]
    assert len({each["submission"]["id"] for each in sent}) == 1
    assert sorted(each["status"] for each in sent)[:99] == [200] * 99
    assert len(house.submissions(lesson.round_id)) == house.attempts_used(lesson.round_id, str(ada.id)) == 1


@pytest.fixture
def two_houses(
    postgres: Postgres, own_house: Callable[..., RunningApp], judge: FakeJudge
) -> Iterator[tuple[RunningApp, RunningApp]]:
    """Two processes of one server, as far as its database and its queue can tell."""
    url = postgres.migrated_database()
    houses = own_house(url), own_house(url)
    with at_work(houses[0].redis_url, judge):
        yield houses


Houses = tuple[RunningApp, RunningApp]


def sends(houses: Houses, lesson: Class) -> tuple[Caller, Callable[[int, list[Json]], list[Json]]]:
    """Somebody, and how they send a batch to one of the houses."""
    somebody = lesson.join()

    def send(i: int, items: list[Json]) -> list[Json]:
        caller = houses[i % 2].caller(str(somebody.token))
        sent: list[Json] = answer(caller.post(f"{lesson.submissions}:batch", **batch(*items)))["items"]
        return sent

    return somebody, send


@pytest.mark.parametrize("_", range(3))
def test_of_200_moves_in_two_processes_exactly_as_many_are_accepted_as_there_are_attempts(
    two_houses: Houses, judge: FakeJudge, _: int
) -> None:
    """Nobody has used an attempt before, so that there is no row yet that one could wait for."""
    lesson = new_class(two_houses[0], judge, attempts=10)
    ada, send = sends(two_houses, lesson)
    items = all_at_once(8, lambda i: send(i, [{"move": f"{i} {j}"} for j in range(25)]))
    statuses = [each["status"] for sent in items for each in sent]
    assert len([each for each in statuses if each in (201, 202)]) == 10
    assert statuses.count(409) == 190
    assert two_houses[0].attempts_used(lesson.round_id, str(ada.id)) == 10
    assert len(two_houses[0].submissions(lesson.round_id)) == 10


def test_one_key_many_times_in_batches_of_two_processes_makes_one_submission(
    two_houses: Houses, judge: FakeJudge
) -> None:
    lesson = new_class(two_houses[0], judge, attempts=3)
    ada, send = sends(two_houses, lesson)
    items = all_at_once(4, lambda i: send(i, [{"move": "25", "key": "once"}] * 25))
    assert len({each["submission"]["id"] for sent in items for each in sent}) == 1
    assert two_houses[0].attempts_used(lesson.round_id, str(ada.id)) == 1


def test_a_round_that_cannot_be_read_is_in_nobody_elses_way(
    own_house: Callable[..., RunningApp], judge: FakeJudge, capsys: pytest.CaptureFixture[str]
) -> None:
    house = own_house()
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge)
        broken, callers = lesson.another_round()["id"], [lesson.join() for _ in range(12)]
        house.sql("UPDATE rounds SET passages = '{' WHERE id = :id", id=broken)

        def send(i: int) -> int:
            return callers[i].submit(broken if i % 3 == 0 else lesson.round_id, f"{i}", wait=20).status_code

        assert all_at_once(12, send) == [500 if i % 3 == 0 else 201 for i in range(12)]
    problem(callers[0].submit(broken, "one"), 500, "internal-error")


def test_whoever_sends_one_move_waits_for_nobodys_batches(sqlite_house: RunningApp) -> None:
    """One of each participant is taken in turn, whatever else they have sent."""
    lesson = new_class(sqlite_house, PLAIN)
    bots, ada = [lesson.join(kind="bot") for _ in range(2)], lesson.join()
    context = build(sqlite_house.settings)
    desk = Desk(context)

    def orders(caller: Caller, count: int) -> list[Order]:
        return [Order(caller.token, lesson.round_id, f"{i}", None, False, lambda _: None) for i in range(count)]

    async def work() -> None:
        both = (desk.take(orders(bot, AT_ONCE), ids) for bot in bots)
        await asyncio.gather(*both, desk.take(orders(ada, 2), ids))
        await context.queue.close()

    asyncio.run(work())
    context.close()
    sent_by = [row.player_id for row in sqlite_house.submissions(lesson.round_id)]
    assert len(sent_by) == 2 * AT_ONCE + 2
    assert [number for number, player in enumerate(sent_by) if player == ada.id] == [2, 5]


def ids(_: Unit, rows: Sequence[Submission]) -> list[str]:
    return [row.id for row in rows]
