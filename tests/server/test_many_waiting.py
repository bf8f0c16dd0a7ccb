"""Hundreds who wait cost neither a thread nor a connection: everyone else is answered as quickly as before."""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Event

import httpx
import pytest

from tests.support.server import Class, Json, RunningApp, new_class
from tests.support.services import Postgres, eventually
from tests.support.workers import FakeJudge, at_work, hand_of

WAITING = STREAMS = 300
PLAYERS = 30
HELD = 60  # seconds that a request for a score is held

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class Crowd:
    """One round; in it wait many for a score and many for news."""

    lesson: Class
    http: httpx.AsyncClient
    tokens: list[str]

    def auth(self, number: int = 0) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[number % PLAYERS]}"}

    async def wait_for_score(self, number: int) -> Json:
        """A score that is worth a quarter of the number, held until it is there."""
        path, body = self.lesson.submissions, {"move": str(number / 4)}
        response = await self.http.post(path, json=body, params={"wait": HELD}, headers=self.auth(number))
        shown: Json = response.json()
        assert response.status_code in (201, 202), shown
        return shown

    async def listen(self, number: int, opened: asyncio.Event, count: int) -> list[int]:
        """The numbers of the next events."""
        headers = {**self.auth(number), "Last-Event-ID": str(PLAYERS + 1)}
        seen: list[int] = []
        async with self.http.stream("GET", f"/competitions/{self.lesson.id}/events", headers=headers) as response:
            assert response.status_code == 200
            opened.set()
            async for line in response.aiter_lines():
                if line.startswith("id: "):
                    seen.append(int(line.removeprefix("id: ")))
                    if len(seen) == count:
                        break
        return seen

    def others(self, until: Event) -> list[float]:
        """The seconds of all that everyone else does meanwhile, over and over, over one connection of their own: the
        crowd's client is slow to find one among hundreds."""
        paths = ("/me", f"/rounds/{self.lesson.round_id}", f"/rounds/{self.lesson.round_id}/leaderboard", "/judges")
        seconds = []
        with httpx.Client(base_url=self.http.base_url, timeout=2 * HELD, headers=self.auth()) as http:
            while not until.wait(0.02):
                for path in paths:
                    start = time.perf_counter()
                    assert http.get(path).status_code == 200
                    seconds.append(time.perf_counter() - start)
        return seconds


@pytest.fixture(params=["sqlite", "postgresql"])
def crowded(request: pytest.FixtureRequest, own_house: Callable[..., RunningApp], judge: FakeJudge) -> Class:
    if request.param == "sqlite":
        house = own_house(threads=8)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.migrated_database()
        house = own_house(url, threads=8)
    with hand_of(house.redis_url, judge):
        return new_class(house, judge)


def test_300_wait_and_300_listen_while_the_judge_works(crowded: Class, judge: FakeJudge) -> None:
    with closing(HTTPConnection("127.0.0.1", crowded.house.port, timeout=30)) as idle:
        health(idle)
        begun = time.monotonic()
        tokens = [str(crowded.join().token) for _ in range(PLAYERS)]
        asyncio.run(run(crowded, judge, tokens))

        # Clients keep idle connections for five seconds and more, and would send a request into one that is being
        # closed.
        time.sleep(max(0.0, begun + 6 - time.monotonic()))
        health(idle)


def health(connection: HTTPConnection) -> None:
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    assert response.status == 200, response.read()
    response.read()


async def run(lesson: Class, judge: FakeJudge, tokens: list[str]) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=f"{lesson.house.url}/api/v1", timeout=120, limits=limits) as http:
        crowd = Crowd(lesson, http, tokens)
        opened = [asyncio.Event() for _ in range(STREAMS)]
        streams = [asyncio.create_task(crowd.listen(n, opened[n], PLAYERS)) for n in range(STREAMS)]
        await asyncio.gather(*(event.wait() for event in opened))
        waiting = [asyncio.create_task(crowd.wait_for_score(n)) for n in range(WAITING)]
        await asyncio.to_thread(eventually, lambda: len(lesson.house.submissions(lesson.round_id)) == WAITING)
        assert not any(task.done() for task in (*streams, *waiting)), "all of them wait"

        idle = Event()
        watching = asyncio.create_task(asyncio.to_thread(crowd.others, idle))
        await asyncio.sleep(2)
        idle.set()
        quiet = await watching

        done = Event()
        watching = asyncio.create_task(asyncio.to_thread(crowd.others, done))
        with at_work(lesson.house.redis_url, judge, seconds=0.005):
            start = time.perf_counter()
            scored = await asyncio.gather(*waiting)
            took = time.perf_counter() - start
            told = await asyncio.gather(*streams)
        done.set()
        busy = await watching

    assert [shown["bits"] for shown in scored] == [number / 4 for number in range(WAITING)], (
        "everyone's own score, once"
    )
    assert all(seen == told[0] == list(range(PLAYERS + 2, 2 * PLAYERS + 2)) for seen in told)
    report("waiting only", quiet)
    report(f"while {WAITING} scores came in {took:.1f} s", busy)
    assert max(quiet + busy) < HELD / 2, "nobody waited until those who wait had gone"


def report(what: str, seconds: list[float]) -> None:
    """For whoever runs the tests with -s."""
    middle, most = statistics.median(seconds) * 1000, max(seconds) * 1000
    sys.stdout.write(f"\n{what}: {len(seconds)} other requests, median {middle:.0f} ms, slowest {most:.0f} ms\n")
