"""Hundreds who wait cost neither a thread nor a connection: everyone else is answered as quickly as before."""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection

import httpx
import pytest

from tests.support.server import Class, Json, RunningApp, new_class
from tests.support.services import Postgres, eventually
from tests.support.workers import FakeJudge, at_work, hand_of

WAITING = STREAMS = 300
PLAYERS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@dataclass
class Crowd:
    """One round; in it wait many for a score and many for news."""

    lesson: Class
    http: httpx.AsyncClient
    tokens: list[str]
    seconds: list[float] = field(default_factory=list)

    def auth(self, number: int = 0) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[number % PLAYERS]}"}

    async def wait_for_score(self, number: int) -> Json:
        """A score that is worth a quarter of the number, held until it is there."""
        path, body = self.lesson.submissions, {"move": str(number / 4)}
        response = await self.http.post(path, json=body, params={"wait": 60}, headers=self.auth(number))
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

    async def ask(self, path: str) -> None:
        start = time.perf_counter()
        response = await self.http.get(path, headers=self.auth())
        assert response.status_code == 200
        self.seconds.append(time.perf_counter() - start)

    async def others(self, until: asyncio.Event) -> None:
        """What everyone else does meanwhile, over and over."""
        paths = ("/me", f"/rounds/{self.lesson.round_id}", f"/rounds/{self.lesson.round_id}/leaderboard", "/judges")
        while not until.is_set():
            for path in paths:
                await self.ask(path)
            await asyncio.sleep(0.02)


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
    idle = HTTPConnection("127.0.0.1", crowded.house.port, timeout=30)
    health(idle)
    begun = time.monotonic()
    tokens = [str(crowded.join().token) for _ in range(PLAYERS)]
    asyncio.run(run(crowded, judge, tokens))

    # Clients keep idle connections for five seconds and more, and would send a request into one that is being closed.
    time.sleep(max(0.0, begun + 6 - time.monotonic()))
    health(idle)
    idle.close()


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

        idle = asyncio.Event()
        watching = asyncio.create_task(crowd.others(idle))
        await asyncio.sleep(2)
        idle.set()
        await watching
        quiet, crowd.seconds = crowd.seconds, []

        done = asyncio.Event()
        watching = asyncio.create_task(crowd.others(done))
        with at_work(lesson.house.redis_url, judge, seconds=0.005):
            start = time.perf_counter()
            scored = await asyncio.gather(*waiting)
            took = time.perf_counter() - start
            told = await asyncio.gather(*streams)
        done.set()
        await watching
        busy = crowd.seconds

    assert [shown["bits"] for shown in scored] == [number / 4 for number in range(WAITING)], (
        "everyone's own score, once"
    )
    assert all(seen == told[0] == list(range(PLAYERS + 2, 2 * PLAYERS + 2)) for seen in told)
    report("waiting only", quiet)
    report(f"while {WAITING} scores came in {took:.1f} s", busy)
    assert statistics.median(quiet) < 1
    assert max(quiet) < 5
    assert max(busy) < 10


def report(what: str, seconds: list[float]) -> None:
    """For whoever runs the tests with -s."""
    middle, most = statistics.median(seconds) * 1000, max(seconds) * 1000
    sys.stdout.write(f"\n{what}: {len(seconds)} other requests, median {middle:.0f} ms, slowest {most:.0f} ms\n")
