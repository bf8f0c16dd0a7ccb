"""What a person's move waits while others attack: ``python -m benchmarks.attacks``.

`xentarena serve` with `pocket`, on PostgreSQL (out of the test dependencies' wheel, or XENTARENA_BENCH_DATABASE_URL) or
on SQLite, with a class of 10,000 players, 10,000 events and 300 games. One person sends a move every half second,
whether those before are answered or not: first alone, then while up to ten hostile participants, or whoever has no
account, do what they can (benchmarks/_attackers.py). For each attack, and for those of a class all at once,

    idle, attacked   milliseconds from when a move is due to its score, the median and the worst
    lost             moves that had no score half a minute after the last
    refused          moves of the person's that were answered otherwise than with a score
    answers          what the attackers were told, and how often

``--database NAME`` one of them. ``--attack NAME`` one of them, several times for several. ``--code FOLDER``: the server
of another checkout, to compare. ``--seconds N`` of each attack. ``--json`` prints an object instead of a table.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import _crowd, _house
from benchmarks._attackers import ATTACKS, Plan, plan_of
from benchmarks._house import PASSAGE, Client

EVERY, IDLE_SECONDS, PATIENCE = 0.5, 2.5, 30.0
QUIET = 500.0  # milliseconds of a move when nobody attacks any more
HOSTILE = 10
#: Of a class, at once: by the numbers under which they were found, 8 to 13.
TOGETHER = ("streams", "invitations", "joining", "boards", "measuring", "repeats")
DUEL = "# Duel\n\nassign(s=story())\nelicit(black, x, 8)\nelicit(white, y, 8)\nreward(black, xed(s | x + y))\n"
_SIGNS = [
    sign + letter for sign in "!#$%&()*+,-./:;<=>?@[" for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
]
#: By the attack: what a hostile host brings.
SOURCES = {
    "processor": "\n".join(
        [
            "# Short items\n",
            f'assign(l="{" ".join(_SIGNS[:500])}".split())',
            f'assign(l1="{" ".join(_SIGNS[500:999])}".split())',
            "assign(l=l + l1)",
            "elicit(x, 5)",
            "beacon(flag_1)",
            "assign(t=" + " + ".join(['remove_common_words("", l)'] * 20) + ")",
            "replay(flag_1, 100)",
            "reward(xent(x))",
        ]
    ),
    "memory": "\n".join(
        [
            "# Much is shown\n",
            "elicit(x, 5)",
            'assign(s="abcdefgh")',
            "beacon(flag_1)",
            "assign(s=s + s)",
            "replay(flag_1, 9)",
            "beacon(flag_2)",
            "reveal(" + ", ".join(["s"] * 300) + ")",
            "replay(flag_2, 100)",
            "reward(xent(x))",
        ]
    ),
    "spelling": "# Bits\n\nelicit(bob, y, 8)\nreveal(alice, xent(y))\nelicit(alice, x, 8)\nreward(alice, xent(x))\n",
}


@dataclass(slots=True)
class Person:
    """Who plays. waits: milliseconds of each move. refused: how often a move was answered otherwise."""

    url: str
    token: str
    round: str
    waits: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    sent: int = 0

    def play(self, seconds: float) -> "Waits":
        """A move every half second; then wait for those that are on their way."""
        self.waits, self.refused = [], []
        begin, threads = time.perf_counter(), list[threading.Thread]()
        for number in range(int(seconds / EVERY)):
            due = begin + number * EVERY
            time.sleep(max(0.0, due - time.perf_counter()))
            self.sent += 1
            threads.append(threading.Thread(target=self._move, args=(due, f"ship {self.sent}"), daemon=True))
            threads[-1].start()
        until = time.perf_counter() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.perf_counter()))
        return Waits.of(self.waits, self.refused, len(threads))

    def _move(self, due: float, move: str) -> None:
        client = Client(self.url, self.token)
        try:
            made = client.post(f"/rounds/{self.round}/submissions?wait=60", {"move": move})
            while made["state"] == "queued":
                made = client.get(f"/submissions/{made['id']}?wait=60")
            if made["state"] == "scored":
                self.waits.append(1000 * (time.perf_counter() - due))
            else:
                self.refused.append(made["state"])
        except Exception as error:
            self.refused.append(repr(error)[:200])
        finally:
            client.close()


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds, of so many moves. lost: not scored when patience was over."""

    median: float
    worst: float
    moves: int
    lost: int
    refused: list[str]

    @classmethod
    def of(cls, waits: Sequence[float], refused: Sequence[str], moves: int) -> "Waits":
        found = list(waits)
        lost = moves - len(found) - len(refused)
        whole = found + [1000 * PATIENCE] * (moves - len(found))  # at least that
        return cls(statistics.median(whole), max(whole), moves, lost, list(refused))


@dataclass(frozen=True, slots=True)
class Result:
    """What an attack did to a person who played. answers: to the attackers."""

    attack: str
    idle: Waits
    attacked: Waits
    answers: dict[str, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """A class with its crowd, one person in it, and those who attack. hostile: attack → the round of its game."""

    person: Person
    plan: Plan
    hostile: dict[str, str | None]

    def attacked(self, names: Sequence[str], seconds: float) -> Result:
        """By these attacks, all at once."""
        self._settle()
        idle = self.person.play(IDLE_SECONDS)
        name = next((each for each in names if each in SOURCES), "")
        plan = replace(
            self.plan, attacks=names, seconds=seconds, source=SOURCES.get(name), hostile_round=self.hostile.get(name)
        )
        command = [sys.executable, "-m", "benchmarks._attackers"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mob:
            assert mob.stdin is not None
            assert mob.stdout is not None
            mob.stdin.write(plan_of(plan))
            mob.stdin.close()
            time.sleep(1.0)  # until they have begun
            found = self.person.play(seconds - 1.0)
            answers = json.loads(mob.stdout.read())
        return Result(" + ".join(names), idle, found, answers)

    def _settle(self) -> None:
        """Wait until what an attack has left is done, for a while."""
        until = time.perf_counter() + PATIENCE
        while self.person.play(EVERY).worst > QUIET and time.perf_counter() < until:
            pass


def _scene(url: str, database_url: str, wanted: Collection[str]) -> Scene:
    """wanted: the attacks that are to come. Games are brought for those alone: older servers may not come back."""
    host = Client(url, _house.HOST)
    while not any(each["workers"] for each in host.get("/judges")["items"]):
        time.sleep(0.2)
    class_, other = (host.post("/competitions", {"name": name, "bots": "mixed"}) for name in ("Class", "Other"))
    judge = {"judge": "pocket", "passages": [PASSAGE]}
    round_ = host.post(f"/competitions/{class_['id']}/rounds", {"game": "condense", "attempts": 1_000_000} | judge)
    game = host.post("/games", {"source": DUEL, "name": "duel"})["name"]
    duel = host.post(f"/competitions/{class_['id']}/rounds", {"game": game} | judge)
    person = Person(url, _join(host, class_, "Ada")["token"], round_["id"])
    person.play(EVERY)
    me = Client(url, person.token).get("/me")["player"]["id"]
    tokens = [_join(host, class_, f"bad {i}")["token"] for i in range(HOSTILE)]
    elsewhere = [_join(host, other, f"bad {i}")["token"] for i in range(HOSTILE)]
    _crowd.settle(database_url, class_["id"], me)
    hostile = {
        name: _hostile_round(host, other["id"], source, "pocket") for name, source in SOURCES.items() if name in wanted
    }
    host.close()
    ids = {"competition": class_["id"], "code": class_["code"], "round": round_["id"], "duel": duel["id"]}
    plan = Plan(url, (), 0.0, _house.HOST, tokens, elsewhere, passage=PASSAGE, **ids)
    person.play(2.0)  # the first of anything is slower
    return Scene(person, plan, hostile)


def _join(host: Client, competition: dict[str, Any], name: str) -> Any:
    return host.post("/competitions:join", {"code": competition["code"], "name": name})


def _hostile_round(host: Client, competition: str, source: str, judge: str) -> str | None:
    """Where the server does not take such a game there is none."""
    with suppress(RuntimeError):
        game = host.post("/games", {"source": source})["name"]
        wanted = {"game": game, "judge": judge, "passages": []}
        made: str = host.post(f"/competitions/{competition}/rounds", wanted)["id"]
        return made
    return None


def measure(database: str, attacks: Sequence[Sequence[str]], seconds: float, code: Path | None) -> Iterator[Result]:
    """One after the other."""
    with _served(database, code) as (url, database_url):
        scene = _scene(url, database_url, {name for names in attacks for name in names})
        for names in attacks:
            yield scene.attacked(names, seconds)


@contextmanager
def _served(database: str, code: Path | None) -> Iterator[tuple[str, str]]:
    """The addresses of a server and of its database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        stack.callback(_tell_errors, folder / "log")
        if database == "SQLite":
            url = stack.enter_context(_house.serving(folder, code=code))
            yield url, f"sqlite:///{folder / 'data' / 'xentarena.sqlite3'}"
            return
        there = stack.enter_context(_house.postgresql())
        if there is None:
            raise RuntimeError("there is no PostgreSQL: name one by XENTARENA_BENCH_DATABASE_URL")
        yield stack.enter_context(_house.serving(folder, there.url, code=code)), there.url


def _tell_errors(log: Path) -> None:
    """What the server was surprised by."""
    for line in log.read_text(encoding="utf-8").splitlines():
        if '"error"' in line:
            sys.stderr.write(line[:4_000] + "\n")


def line(result: Result) -> str:
    """Of the table."""
    idle, now = result.idle, result.attacked
    told = ", ".join(f"{name}: {count:,}" for name, count in result.answers.items())
    name = "together" if " + " in result.attack else result.attack
    waits = "".join(f"{value:>9,.0f}" for value in (idle.median, idle.worst, now.median, now.worst))
    times = now.median / idle.median
    return f"{name:<13}{waits}{times:>7.1f}{now.lost:>6}{len(now.refused):>9}   {told}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table, or one JSON object."""
    asked = _parser().parse_args(arguments)
    attacks = [TOGETHER if name == "together" else (name,) for name in asked.attack or (*ATTACKS, "together")]
    report: dict[str, Any] = {"cores": os.cpu_count()}
    for database in asked.database or ["PostgreSQL", "SQLite"]:
        if not asked.json:
            sys.stdout.write(
                f"{database:<13}{'idle':>9}{'worst':>9}{'attacked':>9}{'worst':>9}{'times':>7}  lost  refused\n"
            )
        report[database] = []
        for result in measure(database, attacks, asked.seconds, asked.code):
            report[database].append(asdict(result))
            if not asked.json:
                sys.stdout.write(line(result))
                sys.stdout.flush()
    if asked.json:
        sys.stdout.write(json.dumps(report) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks.attacks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", action="append", choices=["PostgreSQL", "SQLite"])
    parser.add_argument("--attack", action="append", choices=[*ATTACKS, "together"])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--code", type=lambda given: Path(given).resolve())
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
