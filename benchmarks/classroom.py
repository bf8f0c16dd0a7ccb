"""A class of 300 behind one address on one machine: everybody joins, moves and is scored, and the wall keeps up.

`xentarena serve` with the judge `pocket`, on SQLite and on PostgreSQL (as in `benchmarks.server`). Everybody joins at
once and then sends a move at once, so the last one waits for the judge; then each sends another at a moment of their
own within a minute. A wall follows by its stream, and with --pages so do the pages of players, as their script does.
The board is checked against the scores that were answered. Everything runs on the same cores, this program too.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from benchmarks import _house
from benchmarks._house import HOST, PASSAGE
from server.http.requests import COOKIE

WORDS = ("ships", "a lamp", "the sea at night", "waiting", "a storm", "sailors", "tax law", "Mara looks out")
MINUTE = 60.0  # seconds over which the second moves are spread
SPREAD = 0.6  # seconds over which a wall spreads its requests (server/web/static/live.js),
MORE = 0.02  # and more for each line of a board that a page shows
LINES = 50
Json = dict[str, Any]
Standing = tuple[str, float]  # a player's id, and bits


class Room:
    """A competition on a running server. tokens: player's id → key. times: what was measured → seconds."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self.web = httpx.AsyncClient(base_url=url, limits=limits, timeout=120)
        self.url = url
        self.tokens: dict[str, str] = {}
        self.best: dict[str, float] = {}
        self.times: dict[str, list[float]] = {}
        self.told: dict[Standing, float] = {}  # when players were told of a new best,
        self.shown: dict[Standing, float] = {}  # and when the wall showed it
        self.refused = 0

    async def ask(self, method: str, path: str, token: str | None, body: Json | None = None) -> Json:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.web.request(method, f"/api/v1{path}", json=body, headers=headers)
        self.refused += answer.status_code == 429
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        found: Json = answer.json()
        return found

    async def timed(self, what: str, work: Awaitable[Json]) -> Json:
        start = time.perf_counter()
        found = await work
        self.times.setdefault(what, []).append(time.perf_counter() - start)
        return found

    async def open(self) -> None:
        made = await self.ask("POST", "/competitions", HOST, {"name": "A large class", "bots": "mixed"})
        self.id, self.code = made["id"], made["code"]
        body = {"game": "condense", "passages": [PASSAGE], "judge": "pocket"}
        self.round = (await self.ask("POST", f"/competitions/{self.id}/rounds", HOST, body))["id"]

    async def join(self, number: int) -> None:
        body = {"code": self.code, "name": f"Pupil {number}"}
        joined = await self.timed("join", self.ask("POST", "/competitions:join", None, body))
        self.tokens[joined["player"]["id"]] = joined["token"]

    async def move(self, what: str, player: str, words: str, after: float = 0) -> None:
        await asyncio.sleep(after)
        path = f"/rounds/{self.round}/submissions?wait=60"
        scored = await self.timed(what, self.ask("POST", path, self.tokens[player], {"move": words}))
        while scored["state"] == "queued":
            scored = await self.ask("GET", f"/submissions/{scored['id']}?wait=60", self.tokens[player])
        if scored["state"] != "scored":
            raise RuntimeError(f"not scored: {scored}")
        if player not in self.best or scored["bits"] > self.best[player]:
            self.best[player] = scored["bits"]
            self.told[player, scored["bits"]] = time.perf_counter()

    async def follow(self, events: str, part: str, cookie: str, seen: Callable[[list[Standing], float], None]) -> None:
        """Fetch a part of a page anew whenever standings have changed, as its script does."""
        tasks: set[asyncio.Task[None]] = set()
        changed: list[Standing] = []

        async def load(spread: float) -> None:
            await asyncio.sleep(random.random() * spread)
            here, start = changed.copy(), time.perf_counter()
            changed.clear()
            answer = await self.web.get(part, headers={"Cookie": cookie, "Accept": "text/html"})
            answer.raise_for_status()
            seen(here, start)

        async with self.web.stream("GET", events, headers={"Cookie": cookie}, timeout=None) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                if line.startswith("data:") and '"standing.changed"' in line:
                    event = json.loads(line.removeprefix("data:"))["data"]
                    changed.append((event["player"], event["bits"]))
                    if len(changed) == 1:
                        spread = SPREAD if part.startswith("/show") else SPREAD + MORE * LINES
                        tasks.add(asyncio.create_task(load(spread)))

    async def wall(self) -> asyncio.Task[None]:
        """A wall that is open."""
        headers = {"Origin": self.url, "Cookie": f"{COOKIE}={HOST}"}
        opened = await self.web.post(f"/host/competitions/{self.id}/wall", headers=headers)
        cookie = opened.headers["set-cookie"].partition(";")[0]
        path = f"/show/{self.code}"

        def seen(here: list[Standing], start: float) -> None:
            now = time.perf_counter()
            self.shown |= dict.fromkeys(here, now)
            self.times.setdefault("the wall's board", []).append(now - start)

        return asyncio.create_task(self.follow(f"{path}/events", f"{path}/board", cookie, seen))

    def pages(self, count: int) -> list[asyncio.Task[None]]:
        """So many players look at the round's page."""

        def seen(_: list[Standing], start: float) -> None:
            self.times.setdefault("a page's board", []).append(time.perf_counter() - start)

        events, part = f"/api/v1/competitions/{self.id}/events", f"/rounds/{self.round}/board"
        return [
            asyncio.create_task(self.follow(events, part, f"{COOKIE}={token}", seen))
            for token in list(self.tokens.values())[:count]
        ]

    async def check(self) -> None:
        """The board against the best that everybody was told."""
        found: list[Json] = []
        cursor: str | None = ""
        while cursor is not None:
            path = f"/rounds/{self.round}/leaderboard?limit=100{cursor and f'&cursor={cursor}'}"
            page = await self.ask("GET", path, HOST)
            found += page["items"]
            cursor = page["next"]
        ranks = {bits: 1 + sum(each > bits for each in self.best.values()) for bits in self.best.values()}
        expected = {player: (ranks[bits], bits) for player, bits in self.best.items()}
        if {each["player"]["id"]: (each["rank"], each["bits"]) for each in found} != expected:
            raise RuntimeError("The board is not what the scores say.")


async def lesson(url: str, players: int, pages: int) -> Room:
    room = Room(url)
    await room.open()
    following = [await room.wall()]
    await room.timed("all joined", _all(room.join(number) for number in range(players)))
    following += room.pages(pages)
    await asyncio.sleep(1)
    first = [room.move("POST to scored, all at once", each, random.choice(WORDS)) for each in room.tokens]
    await room.timed("all scored", _all(first))
    second = [
        room.move("POST to scored, within a minute", each, f"{random.choice(WORDS)} {i}", random.random() * MINUTE)
        for i, each in enumerate(room.tokens)
    ]
    await _all(second)
    await asyncio.sleep(5)  # for the wall
    await room.check()
    broken = [each for each in following if each.done()]
    for each in following:
        each.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    await room.web.aclose()
    missing = room.told.keys() - room.shown.keys()
    if room.refused or broken or missing:
        raise RuntimeError(f"{room.refused} refused, {len(broken)} streams broken, {len(missing)} not on the wall")
    # The wall may have it before the player does.
    room.times["score to wall"] = [max(0, room.shown[each] - told) for each, told in room.told.items()]
    return room


async def _all(work: Iterable[Awaitable[None]]) -> Json:
    await asyncio.gather(*work)
    return {}


def measured(database_url: str | None, players: int, pages: int) -> Room:
    """On a fresh server; none: SQLite."""
    with tempfile.TemporaryDirectory() as folder, _house.serving(Path(folder), database_url) as url:
        return asyncio.run(lesson(url, players, pages))


def main(arguments: list[str] | None = None) -> None:
    """Run it on both databases, and print a table."""
    parser = argparse.ArgumentParser(prog="classroom", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--players", type=int, default=300)
    parser.add_argument("--pages", type=int, default=0, help="players whose page is open and follows the board")
    given = parser.parse_args(arguments)
    about = f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.0f}, {given.players} players, {given.pages} pages"
    sys.stdout.write(f"{about}, seconds\n")
    report("SQLite", measured(None, given.players, given.pages))
    with _house.postgresql() as postgresql:
        if postgresql:
            report("PostgreSQL", measured(postgresql.url, given.players, given.pages))


def report(name: str, room: Room) -> None:
    for what, times in room.times.items():
        ordered = sorted(times)
        late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        sys.stdout.write(
            f"{name:<11} {what:<34} {len(times):>6}  p50 {statistics.median(times):7.3f}  p99 {late:7.3f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
