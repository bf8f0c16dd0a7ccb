"""Judges that are slow, or that crash: nobody else suffers, and nothing is done twice."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.queue.messages import LAST_DELIVERY
from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import Deployment, Game, answer
from tests.support.scenario.flight import count
from tests.support.services import Redis, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def arena(tmp_path: Path, own_redis: Redis) -> Iterator[Deployment]:
    url = sqlite_at(tmp_path / "arena.sqlite3")
    settings = {"XENTARENA_LEASE": "1", "XENTARENA_GRACE": "1", "XENTARENA_SWEEP": "0.5"}
    made = Deployment(tmp_path, url, own_redis.url, settings)
    made.start_api()
    yield made
    made.stop()


def test_a_measurement_that_always_crashes_the_worker_fails_and_its_batch_mates_are_scored(arena: Deployment) -> None:
    worker = arena.start_odd_worker("--deadly", "poison")
    arena.judge_ready()
    game = Game.make(arena, attempts=20)
    player = game.join("Ada")
    items = [{"move": f"ship {i}"} for i in range(8)] + [{"move": "poison"}] + [{"move": f"gull {i}"} for i in range(8)]
    answer(player.post(f"{game.submissions}:batch", json={"items": items}))
    crashes = 0
    while crashes < LAST_DELIVERY - 1:
        eventually(lambda: worker.process.poll() is not None, seconds=180, what=f"crash {crashes + 1}")
        crashes += 1
        worker.start()

    def final() -> bool:
        return count(arena, "SELECT count(*) FROM submissions WHERE state = 'queued'") == 0

    eventually(final, seconds=180, what="every result")
    found = {submission["events"][1]["text"]: submission for submission in game.all_submissions()}
    poison = found.pop("poison")
    assert poison["state"] == "failed"
    assert poison["reason"]["type"] == "measurement_failed"
    assert "no worker brought it back" in poison["reason"]["detail"]
    assert {submission["state"] for submission in found.values()} == {"scored"}
    assert len(found) == 16
    left = answer(player.get(f"/rounds/{game.round['id']}"))["attempts_left"]
    assert left == 4, "the attempt of the failed one was given back"
    assert worker.process.poll() is None, "the poison is gone"


def test_a_backlog_of_a_thousand_on_a_slow_judge_gets_no_second_entry(arena: Deployment, own_redis: Redis) -> None:
    worker = arena.start_odd_worker("--pause", "0.03")
    arena.judge_ready()
    before = xadds(own_redis)
    game = Game.make(arena)  # the passage alone is measured at once
    player = game.join("Bot", "bot")
    worker.send(signal.SIGSTOP)
    for start in range(0, 1000, 25):
        items = [{"move": f"ship number {i}"} for i in range(start, start + 25)]
        results = answer(player.post(f"{game.submissions}:batch", json={"items": items}))["items"]
        assert [result["status"] for result in results] == [202] * 25
    measurements = "SELECT count(*) FROM measurements"
    worker.send(signal.SIGCONT)
    assert count(arena, f"{measurements} WHERE state = 'pending'") > 900
    eventually(lambda: count(arena, f"{measurements} WHERE state = 'pending'") == 0, seconds=120, what="the end")
    assert count(arena, measurements) == 1001
    assert xadds(own_redis) - before == 2 * 1001, "one entry and one result each"
    assert count(arena, "SELECT count(*) FROM submissions WHERE state = 'scored'") == 1000
    assert count(arena, "SELECT max(tries) FROM measurements") == 0


def xadds(redis: Redis) -> int:
    """How many stream entries this Redis ever made, but for those by which it is tried whether it makes any: each of
    them is given a time to live."""
    with redis.client as client:
        stats = client.info("commandstats")
    assert isinstance(stats, dict)
    added, tried = (int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("xadd", "expire"))
    return added - tried
