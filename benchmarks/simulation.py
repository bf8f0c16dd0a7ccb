"""Waiting times by simulation, for loads and machines that are not at hand: ``xentarena bench simulation``.

A discrete-event simulation of a move's way: it comes to one of the API processes, whose desk accepts whatever waits
in one transaction; it waits for a worker, which measures people's moves before programs' but every eighth of a program;
a referee in one of the processes settles whatever came back. An API process does one thing at a time, as the
interpreter does. Costs are what `bench server` measured (docs/performance.md) and can be given.

What it leaves out: the database's and Redis' own limits, networks, pages that are open, other games than Condense.
docs/scaling.md says what it was compared with, and draws it. ``--plot FILE`` writes that picture, ``--seconds N`` is
how long each run lasts in its own time, ``--json`` prints a list of objects instead of a table.
"""

import argparse
import json
import random
import statistics
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import simpy

from benchmarks._plot import Line, plot

AT_ONCE = 128  # moves of one transaction, and results of one
WARM_UP = 0.2  # of a run, in which what comes is not counted
Events = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True, slots=True)
class System:
    """What carries the load. Times in seconds. rate: measurements a second of one worker. batch_seconds and
    people_seconds: as in server.worker.loop.

    accept: of a group and of each move in it; settle: the same of results; rest: what a move takes besides, on the way.
    """

    processes: int = 1
    workers: int = 1
    rate: float = 100.0
    accept: tuple[float, float] = (0.0016, 0.0010)
    settle: tuple[float, float] = (0.0010, 0.0018)
    rest: float = 0.015
    batch_seconds: float = 0.5
    people_seconds: float = 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """Moves a second, as they come by chance."""

    people: float
    bots: float = 0.0


@dataclass(frozen=True, slots=True)
class Waited:
    """Milliseconds from a move to its score. lost: how much of what came was not scored by the end of the run."""

    people: float
    people_p99: float
    bots: float
    bots_p99: float
    lost: float


@dataclass(slots=True)
class _Move:
    came: float
    person: bool


class Simulation:
    """One run."""

    def __init__(self, system: System, load: Load, seconds: float, seed: int = 0) -> None:
        self._system, self._load, self._seconds = system, load, seconds
        self._draw = random.Random(seed)
        self._env = simpy.Environment()
        self._interpreters = [simpy.Resource(self._env) for _ in range(system.processes)]
        self._desks: list[simpy.Store] = [simpy.Store(self._env) for _ in range(system.processes)]
        self._lanes: dict[bool, deque[_Move]] = {True: deque(), False: deque()}
        self._rung = self._env.event()
        self._results = simpy.Store(self._env)
        self._owed = 0.0
        self._playing_until = 0.0
        self._came = 0
        self.waited: dict[bool, list[float]] = {True: [], False: []}

    def run(self) -> Waited:
        for person, rate in ((True, self._load.people), (False, self._load.bots)):
            if rate:
                self._env.process(self._arrivals(person, rate))
        for desk, interpreter in zip(self._desks, self._interpreters, strict=True):
            self._env.process(self._accept(desk, interpreter))
            self._env.process(self._settle(interpreter))
        for _ in range(self._system.workers):
            self._env.process(self._measure())
        self._env.run(self._seconds)
        people, bots = (sorted(self.waited[person]) for person in (True, False))
        scored = len(people) + len(bots)
        lost = 1 - scored / self._came if self._came else 0.0
        return Waited(_middle(people), _late(people), _middle(bots), _late(bots), lost)

    def _arrivals(self, person: bool, rate: float) -> Events:
        while True:
            yield self._env.timeout(self._draw.expovariate(rate))
            self._came += self._env.now > WARM_UP * self._seconds
            self._draw.choice(self._desks).put(_Move(self._env.now, person))

    def _accept(self, desk: simpy.Store, interpreter: simpy.Resource) -> Events:
        while True:
            group = yield from _whatever_waits(desk)
            yield from self._busy(interpreter, self._system.accept, len(group))
            for move in group:
                self._lanes[move.person].append(move)
            if not self._rung.triggered:
                self._rung.succeed()

    def _measure(self) -> Events:
        """The next batch is claimed when the one before is begun."""
        ahead: list[_Move] = []
        while True:
            batch = ahead or self._claim()
            while not batch:
                yield self._rung
                self._rung = self._env.event() if self._rung.processed else self._rung
                batch = self._claim()
            ahead = self._claim()
            for move in batch:
                yield self._env.timeout(1 / self._system.rate)
                self._results.put(move)

    def _claim(self) -> list[_Move]:
        system = self._system
        playing = self._env.now < self._playing_until
        count = max(1, min(1024, int(system.rate * (system.people_seconds if playing else system.batch_seconds))))
        self._owed = min(self._owed + count / 8, count)
        found = _taken(self._lanes[True], count - int(self._owed))
        bots = _taken(self._lanes[False], count - len(found))
        self._owed = max(0.0, self._owed - len(bots))
        found += bots + _taken(self._lanes[True], count - len(found) - len(bots))
        if any(move.person for move in found):
            self._playing_until = self._env.now + 30
        return found

    def _settle(self, interpreter: simpy.Resource) -> Events:
        while True:
            group = yield from _whatever_waits(self._results)
            yield from self._busy(interpreter, self._system.settle, len(group))
            for move in group:
                if move.came > WARM_UP * self._seconds:
                    self.waited[move.person].append(self._env.now - move.came + self._system.rest)

    def _busy(self, interpreter: simpy.Resource, cost: tuple[float, float], count: int) -> Events:
        with interpreter.request() as mine:
            yield mine
            yield self._env.timeout(cost[0] + cost[1] * count)


def _whatever_waits(store: simpy.Store) -> Generator[simpy.Event, Any, list[_Move]]:
    first = yield store.get()
    rest = store.items[: AT_ONCE - 1]
    del store.items[: AT_ONCE - 1]
    return [first, *rest]


def _taken(lane: deque[_Move], count: int) -> list[_Move]:
    return [lane.popleft() for _ in range(min(count, len(lane)))]


def _middle(waited: Sequence[float]) -> float:
    return 1000 * statistics.median(waited) if waited else 0.0


def _late(waited: Sequence[float]) -> float:
    return 1000 * waited[int(0.99 * len(waited))] if waited else 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """One run and what came of it."""

    what: str
    system: System
    load: Load
    waited: Waited


LAPTOP = System(rate=90)
GPU = System(rate=2_700)
FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


def runs(seconds: float) -> Iterator[Found]:
    """A class beside a program on a laptop; then a GPU behind one to eight API processes."""
    for people in (1, 5, 10, 20, 40, 60, 75):
        yield _found("a laptop, people alone", LAPTOP, Load(people), seconds)
        yield _found("a laptop, beside programs", LAPTOP, Load(people, bots=300), seconds)
    for workers in (2, 4):
        for people in (20, 80, 120, 160)[: workers + 1]:
            yield _found(f"{workers} laptops measure", replace(LAPTOP, workers=workers), Load(people), seconds)
    for processes in (1, 2, 4, 8):
        system = replace(GPU, processes=processes)
        most = min(system.rate, processes / (system.accept[1] + system.settle[1]))
        for fraction in FRACTIONS:
            what = f"a GPU, {processes} API process{'es' if processes > 1 else ''}"
            yield _found(what, system, Load(fraction * most), seconds)


def _found(what: str, system: System, load: Load, seconds: float) -> Found:
    return Found(what, system, load, Simulation(system, load, seconds).run())


def table(found: Sequence[Found]) -> str:
    lines = [f"{'':<30}{'people/s':>9}{'median':>9}{'p99 ms':>9}{'not yet':>9}"]
    for each in found:
        waited = each.waited
        line = f"{each.what:<30}{each.load.people:9.0f}{waited.people:9.0f}{waited.people_p99:9.0f}"
        lines.append(f"{line}{waited.lost:9.0%}")
    return "\n".join(lines) + "\n"


def picture(found: Sequence[Found]) -> str:
    """Median waiting times over moves a second, as SVG."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for each in found:
        if each.load.bots or each.waited.lost < 0.05:
            lines.setdefault(each.what, []).append((each.load.people, each.waited.people))
    return plot(
        [Line(name, points) for name, points in lines.items()],
        across="people's moves a second",
        up="median milliseconds from a move to its score",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--plot", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    found = list(runs(asked.seconds))
    if asked.plot:
        asked.plot.write_text(picture(found), encoding="utf-8")
    sys.stdout.write(json.dumps([asdict(each) for each in found]) + "\n" if asked.json else table(found))


if __name__ == "__main__":
    main()
