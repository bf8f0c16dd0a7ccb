"""Hostile participants of a class on this machine, as a process of its own: ``python -m benchmarks._attackers``.

A plan (`Plan`, as JSON) comes by standard input; what they were answered goes to standard output, as JSON. They have
the lowest priority of the processor, since real ones have a machine of their own. benchmarks/attacks.py starts them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

Step = Callable[[int], Awaitable[None]]

STREAMS, HEADS, BODIES, FORMS = 100, 300, 100, 100
QUEUED, BATCH = 24, 32


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom they attack, for how many seconds, and who they are.

    tokens: of ten players of the class. elsewhere: of ten players of another competition, which one of them hosts.
    programs: the source of the hostile host's game, and its round, where the server took it.
    """

    url: str
    attacks: Sequence[str]
    seconds: float
    host: str
    tokens: Sequence[str]
    elsewhere: Sequence[str]
    competition: str
    code: str
    round: str
    duel: str
    passage: str
    source: str | None = None
    hostile_round: str | None = None


@dataclass
class Connection:
    """One kept connection of a participant."""

    host: str
    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=2**24)
        assert self.reader is not None
        self.writer.write(_head(method, path, headers, len(body)) + body)
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            return int(head[9:12]), await self._body(head.lower())
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            raise

    async def _body(self, head: bytes) -> bytes:
        assert self.reader is not None
        if b"content-length:" in head:
            return await self.reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        return await self.reader.readuntil(b"0\r\n\r\n") if b"chunked" in head else b""

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


@dataclass
class Mob:
    """Ten participants. counts: how often they got which answer."""

    plan: Plan
    counts: Counter[str] = field(default_factory=Counter)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        parts = urlsplit(self.plan.url)
        self.place = (parts.hostname or "", parts.port or 80)
        self.end = time.monotonic() + self.plan.seconds
        self.nonce = os.getpid()

    async def run(self) -> None:
        """All attacks of the plan at once, until the time is over."""
        everybody = [task for name in self.plan.attacks for task in ATTACKS[name](self)]
        tasks = [asyncio.ensure_future(each) for each in everybody]
        await asyncio.wait(tasks, timeout=self.plan.seconds + 1)
        for task in tasks:
            task.cancel()
        for failure in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(failure, Exception):
                self.counts[f"attacker failed: {failure!r}"[:120]] += 1

    def loops(self, count: int, step: Callable[[Mob, Connection, int], Awaitable[None]]) -> list[Awaitable[None]]:
        """The same step again and again, on so many connections."""
        return [self._loop(step, number) for number in range(count)]

    async def _loop(self, step: Callable[[Mob, Connection, int], Awaitable[None]], number: int) -> None:
        connection = Connection(*self.place)
        while time.monotonic() < self.end:
            try:
                await step(self, connection, number)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                self.counts["cut"] += 1
                connection.close()
                await asyncio.sleep(0.1)
        connection.close()

    async def ask(
        self, connection: Connection, what: str, method: str, path: str, *, token: str | None = None, sent: Any = None
    ) -> bytes:
        """Ask, and count how it was answered. Who is told to wait waits a little."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = b"" if sent is None else json.dumps(sent).encode()
        status, got = await connection.ask(method, path, headers | {"Content-Type": "application/json"}, body)
        self.counts[f"{what} {status}"] += 1
        if status == 429:
            await asyncio.sleep(0.05)
        return got

    def a_word(self) -> str:
        """One that nobody has said."""
        return f"word {self.nonce} {next(self.numbers)}"


def _head(method: str, path: str, headers: dict[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: arena", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


API = "/api/v1"


async def _upload(mob: Mob, connection: Connection, number: int) -> None:
    source = f"{mob.plan.source}\n# {next(mob.numbers)}" if mob.plan.source else ""
    await mob.ask(connection, "game", "POST", f"{API}/games", token=mob.plan.host, sent={"source": source})


async def _hostile_move(mob: Mob, connection: Connection, number: int) -> None:
    token, path = mob.plan.elsewhere[number % 10], f"{API}/rounds/{mob.plan.hostile_round}/submissions"
    await mob.ask(connection, "move", "POST", path, token=token, sent={"move": mob.a_word()})


def program(mob: Mob) -> list[Awaitable[None]]:
    """A game that takes too much: brought again and again, and played where the server made a round of it."""
    played = mob.loops(10, _hostile_move) if mob.plan.hostile_round else []
    return mob.loops(5, _upload) + played


async def _spell(mob: Mob, connection: Connection, number: int) -> None:
    """Bob says a word that nobody else has, and alice looks for it in what she is told."""
    alice, bob = (mob.plan.elsewhere[(2 * number + i) % 10] for i in range(2))
    path, word = f"{API}/rounds/{mob.plan.hostile_round}/challenges", f"secret{next(mob.numbers)}"
    made = json.loads(await mob.ask(connection, "seat", "POST", path, token=bob, sent={"seat": "bob"}))
    await mob.ask(connection, "seat", "POST", path, token=alice, sent={"seat": "alice"})
    if "id" in made:
        await mob.ask(
            connection, "move", "POST", f"{API}/submissions/{made['id']}/moves?wait=5", token=bob, sent={"move": word}
        )
        told = await mob.ask(
            connection, "list", "GET", f"{API}/rounds/{mob.plan.hostile_round}/submissions", token=alice
        )
        spelled = [event for each in json.loads(told)["items"] for event in each["events"] if word in json.dumps(event)]
        mob.counts["spelled"] += bool(spelled)


def spelling(mob: Mob) -> list[Awaitable[None]]:
    """Bits of a hidden move, shown to somebody else."""
    return mob.loops(5, _spell) if mob.plan.hostile_round else []


async def _games(mob: Mob, connection: Connection, number: int) -> None:
    await mob.ask(connection, "games", "GET", f"{API}/games?limit=1000")


def games(mob: Mob) -> list[Awaitable[None]]:
    """The list of games, without an account."""
    return mob.loops(10, _games)


async def _stream(mob: Mob, number: int) -> None:
    """All events from the first one on; when it ends, again."""
    head = {"Authorization": f"Bearer {mob.plan.tokens[number % 10]}", "Last-Event-ID": "0"}
    while time.monotonic() < mob.end:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(*mob.place)
            writer.write(_head("GET", f"{API}/competitions/{mob.plan.competition}/events", head, 0))
            first = await reader.read(65536)
            mob.counts[f"stream {first[9:12].decode()}"] += 1
            while time.monotonic() < mob.end and await reader.read(65536):
                pass
            writer.close()
        await asyncio.sleep(0.2)


def streams(mob: Mob) -> list[Awaitable[None]]:
    """A hundred event streams from the beginning."""
    return [_stream(mob, number) for number in range(STREAMS)]


async def _invite(mob: Mob, connection: Connection, number: int) -> None:
    token, path = mob.plan.tokens[number % 10], f"{API}/rounds/{mob.plan.duel}/challenges"
    invited = {"invite": f"bad {(number + 1 + next(mob.numbers) % 9) % 10}"}
    await mob.ask(connection, "challenge", "POST", path, token=token, sent=invited)
    if not next(mob.numbers) % 8:
        await mob.ask(connection, "list", "GET", path, token=token)


def invitations(mob: Mob) -> list[Awaitable[None]]:
    """As many invitations as are taken, and the list of them."""
    return mob.loops(10, _invite)


async def _join(mob: Mob, connection: Connection, number: int) -> None:
    sent = {"code": mob.plan.code, "name": mob.a_word()}
    await mob.ask(connection, "join", "POST", f"{API}/competitions:join", sent=sent)


async def _guess(mob: Mob, connection: Connection, number: int) -> None:
    sent = {"code": f"{next(mob.numbers):06d}", "name": mob.a_word()}
    await mob.ask(connection, "guess", "POST", f"{API}/competitions:join", sent=sent)


def joining(mob: Mob) -> list[Awaitable[None]]:
    """Guests without end, and guesses of codes."""
    return mob.loops(5, _join) + mob.loops(5, _guess)


async def _board(mob: Mob, connection: Connection, number: int) -> None:
    where = f"rounds/{mob.plan.round}" if number % 2 else f"competitions/{mob.plan.competition}"
    await mob.ask(connection, "board", "GET", f"{API}/{where}/leaderboard?limit=1", token=mob.plan.tokens[0])


async def _list(mob: Mob, connection: Connection, number: int) -> None:
    """Of two dozen that are queued; others are sent in now and then."""
    token, path = mob.plan.tokens[number % 10], f"{API}/rounds/{mob.plan.round}/submissions"
    if not next(mob.numbers) % 40:
        items = [{"move": mob.a_word()} for _ in range(QUEUED)]
        await mob.ask(connection, "batch", "POST", f"{path}:batch", token=token, sent={"items": items})
    await mob.ask(connection, "list", "GET", path, token=token)


def boards(mob: Mob) -> list[Awaitable[None]]:
    """Sixteen connections of one participant that read boards, and lists of what is queued."""
    return mob.loops(16, _board) + mob.loops(10, _list)


async def _measure(mob: Mob, connection: Connection, number: int) -> None:
    sent = {"prefix": mob.a_word(), "text": mob.plan.passage}
    token = mob.plan.elsewhere[number % 10]
    await mob.ask(connection, "measurement", "POST", f"{API}/measurements", token=token, sent=sent)
    await mob.ask(connection, "key", "GET", f"{API}/measurements/{next(mob.numbers):064x}", token=token)


def measuring(mob: Mob) -> list[Awaitable[None]]:
    """What a move of the class would score, by players of another competition."""
    return mob.loops(10, _measure)


async def _repeat(mob: Mob, connection: Connection, number: int) -> None:
    path = f"{API}/rounds/{mob.plan.round}/submissions:batch"
    items = [{"move": "sea ship"}] * BATCH
    got = await mob.ask(connection, "batch", "POST", path, token=mob.plan.tokens[number % 10], sent={"items": items})
    statuses = [each["status"] for each in json.loads(got).get("items", ())]
    mob.counts["rows"] += sum(status < 400 for status in statuses)
    if 429 in statuses:
        await asyncio.sleep(0.05)


def repeats(mob: Mob) -> list[Awaitable[None]]:
    """The same move, as often as it is taken."""
    return mob.loops(10, _repeat)


async def _drip(mob: Mob, kind: str, begun: bytes, rest: bytes) -> None:
    """Begin a request, and go on with it a byte at a time, or not at all."""
    while time.monotonic() < mob.end:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(*mob.place)
            mob.counts[kind] += 1
            writer.write(begun)
            while time.monotonic() < mob.end and not reader.at_eof():
                writer.write(rest)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.5)
            writer.close()
        await asyncio.sleep(0.2)


def slow(mob: Mob) -> list[Awaitable[None]]:
    """Three hundred half heads, a hundred bodies without end, a hundred half forms."""
    post = "POST {} HTTP/1.1\r\nHost: arena\r\nContent-Type: {}\r\n"
    body = post.format(f"{API}/competitions:join", "application/json") + "Transfer-Encoding: chunked\r\n\r\n"
    form = post.format("/join", "application/x-www-form-urlencoded") + "Content-Length: 60000\r\n\r\n"
    half = form + urlencode({"code": mob.plan.code})
    return [
        *(_drip(mob, "half head", b"GET /api/v1/games HTTP/1.1\r\nX-Long: ", b"") for _ in range(HEADS)),
        *(_drip(mob, "endless body", body.encode(), b"1\r\n \r\n") for _ in range(BODIES)),
        *(_drip(mob, "half form", half.encode(), b"") for _ in range(FORMS)),
    ]


#: By the name that `--attack` takes.
ATTACKS: dict[str, Callable[[Mob], list[Awaitable[None]]]] = {
    "processor": program,
    "memory": program,
    "spelling": spelling,
    "games": games,
    "streams": streams,
    "invitations": invitations,
    "joining": joining,
    "boards": boards,
    "measuring": measuring,
    "repeats": repeats,
    "slow": slow,
}


def plan_of(made: Plan) -> str:
    """What is handed to the process."""
    return json.dumps(asdict(made))


def main() -> None:
    """Attack by the plan that comes in, then tell how it was answered."""
    os.nice(19)
    mob = Mob(Plan(**json.loads(sys.stdin.read())))
    asyncio.run(mob.run())
    sys.stdout.write(json.dumps(dict(sorted(mob.counts.items()))) + "\n")


if __name__ == "__main__":
    main()
