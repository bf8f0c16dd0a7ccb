"""What those see who watch the server, also while a part of it is away."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, problem, stream
from tests.support.services import Postgres, Redis, eventually
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work


def ready(house: RunningApp) -> Json:
    response = house.http.get(f"{house.url}/readyz")
    body: Json = response.json()
    assert response.status_code == (200 if body["ready"] else 503)
    return body


def metrics(house: RunningApp) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values."""
    response = house.http.get(f"{house.url}/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_a_process_that_lives_says_so(house: RunningApp) -> None:
    response = house.http.get(f"{house.url}/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_means_database_and_redis_and_tells_of_every_judge(slow_lesson: Class, hand: Hand) -> None:
    house, judge = slow_lesson.house, slow_lesson.judge
    for number in range(3):
        answer(slow_lesson.join().submit(slow_lesson.round_id, str(number)), 202)
    shown = ready(house)
    assert (shown["ready"], shown["database"], shown["redis"]) == (True, True, True)
    assert shown["judges"][judge.identity] == {"name": judge.name, "workers": 1, "queue": 4}
    assert shown["judges"][PLAIN.identity]["workers"] == 1


def test_counters_count(slow_lesson: Class, hand: Hand) -> None:
    house, judge = slow_lesson.house, slow_lesson.judge
    before = metrics(house)
    ada = slow_lesson.join()
    answer(ada.submit(slow_lesson.round_id, "1"), 202)
    age = ("xentarena_queue_age_seconds", judge.identity)
    eventually(lambda: 0.1 < metrics(house).get(age, 0) < 60, what="the age of the queue")
    problem(ada.submit(slow_lesson.round_id, ""), 422, "invalid-request")
    problem(ada.get("/rounds/nope"), 404, "not-found")
    hand.answer(*hand.take_all(2))
    eventually(lambda: slow_lesson.board(), what="the score")
    eventually(lambda: metrics(house).get(("xentarena_workers", judge.identity)) == 1.0, what="the gauges")

    def more(*name: str) -> float:
        return metrics(house).get(name, 0) - before.get(name, 0)

    assert more("xentarena_submissions_accepted_total", "person") == 1
    assert more("xentarena_refused_total", "invalid-request") == 1
    assert more("xentarena_refused_total", "not-found") == 1
    assert more("xentarena_measurements_settled_total", "known") >= 2
    route = "/api/v1/rounds/{round_id}/submissions"
    assert more("xentarena_request_seconds_count", "POST", route, "202") == 1
    assert more("xentarena_request_seconds_count", "POST", route, "422") == 1
    depth = ("xentarena_queue_depth", judge.identity)
    eventually(lambda: metrics(house)[depth] == 0, what="the empty queue")
    eventually(lambda: metrics(house)[age] == 0, what="no age")


def test_metrics_name_no_id_so_that_they_stay_few(lesson: Class) -> None:
    lesson.join().get(f"/rounds/{lesson.round_id}")
    text = lesson.house.http.get(f"{lesson.house.url}/metrics").text
    assert not re.search(r"(rnd|cmp|sub|ply)_[0-9a-f]{16}", text)


def test_open_streams_are_counted(lesson: Class) -> None:
    ada, name = lesson.join(), ("xentarena_event_streams",)
    before = metrics(lesson.house).get(name, 0)
    with stream(ada, lesson.id, 0) as events:
        events.take(1)
        assert metrics(lesson.house)[name] == before + 1
    lesson.join()  # a stream notices that nobody reads when it has something to say
    eventually(lambda: metrics(lesson.house)[name] == before, what="the end of the stream")


def test_a_defect_of_ours_is_admitted_without_its_insides(
    own_house: Callable[..., RunningApp], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    house = own_house()

    @house.app.get("/api/v1/defect")
    async def defect() -> None:
        raise RuntimeError("a secret of the server")

    response = house.anyone.get("/defect")
    problem(response, 500, "internal-error")
    assert "secret" not in response.text
    assert "a secret of the server" in capsys.readouterr().out + caplog.text, "the log has it"
    assert house.anyone.get("/judges").status_code == 200


# --- Without Redis ----------------------------------------------------------------------------------------------------


def test_without_redis_everything_but_scoring_goes_on(
    own_house: Callable[..., RunningApp], own_redis: Redis, judge: FakeJudge
) -> None:
    house = own_house()
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada = lesson.join()
        ada.score(lesson.round_id, "1")
        own_redis.stop()
        slowest = 0.0

        def quick(response: Callable[[], object]) -> None:
            nonlocal slowest
            start = time.monotonic()
            response()
            slowest = max(slowest, time.monotonic() - start)

        quick(lambda: house.http.get(f"{house.url}/healthz").raise_for_status())
        shown = ready(house)
        assert (shown["ready"], shown["database"], shown["redis"]) == (False, True, False)
        assert metrics(house)
        quick(lambda: answer(ada.submit(lesson.round_id, "2"), 202))
        quick(lambda: answer(ada.submit(lesson.round_id, "1"), 201))
        quick(lambda: answer(ada.get(f"/rounds/{lesson.round_id}/leaderboard")))
        quick(lambda: answer(ada.get("/judges")))
        quick(lambda: lesson.join())
        quick(lambda: lesson.another_round())
        quick(lambda: answer(house.host.post(f"/rounds/{lesson.round_id}:pause")))
        with stream(ada, lesson.id, 2) as events:
            told = events.take(4)
            assert [event["event"] for event in told][:2] == ["standing.changed", "player.joined"]
            lesson.join()
            assert events.take(1)[0]["event"] == "player.joined", "also without the notice"
        own_redis.start()
    assert slowest < 20, f"{slowest:.1f} seconds"
    eventually(lambda: ready(house)["ready"], what="Redis again")


# --- Without the database ---------------------------------------------------------------------------------------------


@contextmanager
def full_disk(house: RunningApp) -> Iterator[None]:
    """SQLite may take no page more. PostgreSQL says what it says where a disk is full; a full one is not to be had."""
    if not house.database.sqlite:
        house.sql(
            "CREATE FUNCTION full_disk() RETURNS trigger AS"
            " 'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''disk_full''; END' LANGUAGE plpgsql"
        )
        house.sql("CREATE TRIGGER full_disk BEFORE INSERT ON submissions EXECUTE FUNCTION full_disk()")
        yield
        house.sql("DROP FUNCTION full_disk CASCADE")
        return
    engine, most = house.app.state.context.database.engine, 1

    def bound(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")

    event.listen(engine, "checkout", bound)
    yield
    most = 2**30


@pytest.mark.slow
def test_with_a_full_disk_the_server_says_503_and_takes_moves_when_there_is_room(
    own_house: Callable[..., RunningApp],
    postgres: Postgres,
    judge: FakeJudge,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("server.db.session.FULL_FOR", 1.0)
    for url in (None, postgres.migrated_database()):
        house = own_house(url)
        with at_work(house.redis_url, judge):
            lesson = new_class(house, judge)
            ada = lesson.join()
            assert ready(house)["troubles"] == []
            with full_disk(house):
                refused = first_refused(ada, lesson)
                told = problem(refused, 503, "disk-full")
                assert int(refused.headers["Retry-After"]) > 0
                assert "the same Idempotency-Key" in told["detail"]
                shown = ready(house)
                assert (shown["ready"], shown["database"], shown["redis"]) == (False, False, True)
                assert "disk" in shown["troubles"][0]
                page = house.http.get(f"{house.url}/host/competitions/{lesson.id}", headers=house.host.headers)
                assert "The disk of the database is full" in page.text
                for _ in range(5):
                    problem(ada.submit(lesson.round_id, "and another"), 503, "disk-full")
                answer(ada.get("/me"))
            assert answer(ada.submit(lesson.round_id, "25", wait=20), 201)["bits"] == 25.0
            time.sleep(1)
            assert ready(house)["ready"]
        house.stop()
    log = capsys.readouterr().out + caplog.text
    assert log.count("disk_full") == 2, "once for each house"
    assert "request.defect" not in log


def first_refused(ada: Caller, lesson: Class) -> httpx.Response:
    """The pages that are free in the file are taken up first."""
    sent = (ada.submit(lesson.round_id, str(number)) for number in range(1000))
    return next(response for response in sent if response.status_code >= 300)


@pytest.mark.slow
def test_without_its_database_the_server_says_503_and_comes_back_by_itself(
    own_house: Callable[..., RunningApp], postgres: Postgres, judge: FakeJudge
) -> None:
    url = postgres.migrated_database()
    house = own_house(url)
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada = lesson.join()
        ada.score(lesson.round_id, "1")
        shut_off(postgres, url, allowed=False)
        for response in (ada.submit(lesson.round_id, "2", key="k"), ada.get("/me")):
            problem(response, 503, "database-away")
            assert int(response.headers["Retry-After"]) > 0
        shown = ready(house)
        assert (shown["ready"], shown["database"]) == (False, False)
        assert house.http.get(f"{house.url}/healthz").status_code == 200
        shut_off(postgres, url, allowed=True)
        assert answer(ada.submit(lesson.round_id, "2", key="k", wait=20), 201)["bits"] == 2.0
        assert ready(house)["ready"] is True


def shut_off(postgres: Postgres, url: str, *, allowed: bool) -> None:
    """Nobody gets into this database any more, and whoever was in is thrown out."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}'.encode())
        if not allowed:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
