"""Pull the plugs, one after the other, with 200 submissions in flight: every one is scored, once, and the same.

Nothing is patched. Where a fault has to strike between two steps, the server that the second step needs is stopped
(SIGSTOP, or a lock held on the rows), so that the process hangs there; then it is killed.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from games import catalog
from games.bits import millibits
from games.engine import replay
from games.program import parse
from games.values import MAIN, Finished, JudgeFacts, Log, Move, NeedBits, Setup
from judge.measure import Judge, Pair
from server.migrations import migrate
from tests.scenarios.arena import Arena, Game, Process, answer
from tests.scenarios.reference import words
from tests.services import Postgres, Redis, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLAYERS, EACH = 10, 20
LEASE = 1.5
PASSAGE = (
    "the old man put his coat on, went out, and told nobody where he was going. The dog followed him to the gate, "
    "sat down in the mud and looked after him until he was a dot on the hill. Nobody in the house had seen him so "
    "quiet since the spring, when the letter came and he burned it in the stove without a word."
)


@dataclass
class System:
    """An arena that tests harm and leave whole."""

    arena: Arena
    redis: Redis
    postgres: Postgres | None
    api: Process
    worker: Process


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket", threads=2)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    postgres: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = postgres.new_database() if postgres else f"sqlite:///{folder / 'arena.sqlite3'}"
    migrate(url)
    redis = Redis(folder / "redis").start()
    settings = {"XENTARENA_LEASE": str(LEASE), "XENTARENA_GRACE": "1", "XENTARENA_SWEEP": "0.5"}
    arena = Arena(folder, url, redis.url, settings)
    try:
        made = System(arena, redis, postgres, arena.start_api(), arena.start_worker())
        arena.judge_ready()
        yield made
    finally:
        arena.stop()
        redis.stop()


class Flight:
    """200 submissions of ten players, sent but not waited for."""

    def __init__(self, system: System, judge: Judge) -> None:
        seed = time.monotonic_ns()
        self.passage = f"Number {seed}: {PASSAGE}"
        self.game = Game.make(system.arena, passages=[self.passage])
        self.players = [self.game.join(f"player {i}") for i in range(PLAYERS)]
        self.moves = words(PLAYERS * EACH, seed % 1000)
        self._judge = judge
        self._system = system

    def take_off(self) -> None:
        """Send everything while the worker sleeps, then wake it: all are in flight at once."""
        self._system.worker.send(signal.SIGSTOP)
        with ThreadPoolExecutor(PLAYERS) as threads:
            for sent in [threads.submit(self._send, i) for i in range(PLAYERS)]:
                sent.result()
        self._system.worker.send(signal.SIGCONT)

    def scored(self) -> int:
        round_id = self.game.round["id"]
        return count(self._system, f"SELECT count(*) FROM submissions WHERE state = 'scored' AND round_id = '{round_id}'")

    def in_flight(self, more: int = 5) -> None:
        """Wait until some more are scored; the fault must strike while many are not."""
        before = self.scored()
        eventually(lambda: self.scored() >= before + more, what="another score")
        assert self.scored() <= PLAYERS * EACH - 10, "the judge was too quick for this test"

    def land(self) -> None:
        """Everything is scored, exactly once, and as it would have been without any fault."""
        eventually(self._all_final, seconds=120, what="every score")
        submissions = self.game.all_submissions()
        assert len(submissions) == PLAYERS * EACH
        assert {submission["state"] for submission in submissions} == {"scored"}
        got = sorted((submission["player"], round(submission["bits"] * 1000)) for submission in submissions)
        assert got == sorted(self._expected())
        self._board_is_right(got)

    def _all_final(self) -> bool:
        try:
            states = [submission["state"] for submission in self.game.all_submissions()]
        except (httpx.TransportError, AssertionError):  # the API is coming up again
            return False
        return len(states) == PLAYERS * EACH and "queued" not in states

    def _send(self, i: int) -> None:
        for k in range(EACH):
            move = self.moves[i * EACH + k]
            for _ in range(200):
                try:
                    headers = {"Idempotency-Key": f"{i}-{k}"}
                    response = self.players[i].post(self.game.submissions, json={"move": move}, headers=headers)
                except httpx.TransportError:
                    response = None
                if response is not None and response.status_code in (200, 201, 202):
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(f"a submission was never accepted: {response and response.text}")

    def _expected(self) -> list[tuple[str, int]]:
        ids = [answer(player.get("/me"))["player"]["id"] for player in self.players]
        return [
            (ids[n // EACH], score) for n, score in enumerate(undisturbed(self._judge, self.passage, list(self.moves)))
        ]

    def _board_is_right(self, got: list[tuple[str, int]]) -> None:
        best: dict[str, int] = {}
        for player, score in got:
            best[player] = max(score, best.get(player, score))
        with self._system.arena.client() as host:
            board = answer(host.get(f"/rounds/{self.game.round['id']}/leaderboard"))["items"]
        assert {entry["player"]["id"]: round(entry["bits"] * 1000) for entry in board} == best


def undisturbed(judge: Judge, passage: str, moves: list[str]) -> list[int]:
    """Millibits of each move, by the engine and the judge alone: no server, no queue."""
    program = parse(catalog.source("condense"))
    setup = Setup((passage,), "seed", {MAIN: JudgeFacts(judge.tokens.ends, judge.context)})
    needs = [replay(program, setup, Log((Move("black", move),))) for move in moves]
    asked = {each for need in needs if isinstance(need, NeedBits) for each in need.measurements}
    order = sorted(asked)
    bits = dict(zip(order, judge.measure([Pair(each.prefix, each.text) for each in order]), strict=True))
    scores = []
    for move in moves:
        end = replay(program, setup, Log((Move("black", move),), bits))
        assert isinstance(end, Finished)
        scores.append(millibits(end.rewards["black"]))
    return scores


@pytest.fixture
def flight(system: System, judge: Judge) -> Flight:
    return Flight(system, judge)


def test_nothing_happens(flight: Flight) -> None:
    flight.take_off()
    flight.land()


def test_the_worker_is_killed_at_random_points(system: System, flight: Flight) -> None:
    flight.take_off()
    for _ in range(3):
        flight.in_flight()
        time.sleep(random.uniform(0, 0.3))
        system.worker.kill()
        system.worker.start()
    flight.land()


def test_the_worker_is_stopped_past_its_lease_and_goes_on(system: System, flight: Flight) -> None:
    second = system.arena.start_worker()
    try:
        flight.take_off()
        flight.in_flight(1)
        system.worker.send(signal.SIGSTOP)
        time.sleep(LEASE * 2)
        system.worker.send(signal.SIGCONT)
        flight.land()
    finally:
        second.stop()


def test_redis_is_wiped(system: System, flight: Flight) -> None:
    flight.take_off()
    for _ in range(2):
        flight.in_flight()
        with system.redis.client as client:
            client.flushall()
        time.sleep(0.5)
    flight.land()


def test_redis_is_stopped_and_started(system: System, flight: Flight) -> None:
    flight.take_off()
    flight.in_flight()
    system.redis.stop(signal.SIGKILL)
    time.sleep(2)
    system.redis.start()
    flight.land()


def test_redis_is_away_while_moves_come(system: System, flight: Flight) -> None:
    system.redis.stop()
    flight.take_off()
    system.redis.start()
    flight.land()


def test_postgresql_restarts_as_after_a_crash(system: System, flight: Flight) -> None:
    if system.postgres is None:
        flight.take_off()  # SQLite has no server to restart; its crash is the API's, below
    else:
        with ThreadPoolExecutor(1) as thread:
            sending = thread.submit(flight.take_off)
            time.sleep(0.3)
            system.postgres.crash_and_restart()
            time.sleep(1)
            system.postgres.crash_and_restart()
            sending.result()
    flight.land()


def test_the_api_is_killed_between_commit_and_enqueue(system: System, flight: Flight) -> None:
    flight.take_off()
    flight.in_flight(1)
    late = flight.game.join("late")
    system.redis.pause()
    with pytest.raises(httpx.ReadTimeout):  # committed, and hanging at the queue
        late.post(flight.game.submissions, json={"move": "harbour whale"}, timeout=1)
    assert count(system, "SELECT count(*) FROM measurements WHERE prefix = 'harbour whale'") == 1
    system.api.kill()
    system.redis.go_on()
    restart(system)
    newest = eventually(lambda: scored_moves(late), what="the committed move's score")
    assert newest[0]["bits"] is not None
    with system.arena.client() as host:
        answer(host.post(f"/submissions/{newest[0]['id']}:hide"))
        answer(host.post(f"/players/{newest[0]['player']}:remove"))
    expect_all_but(flight, str(newest[0]["id"]))


def test_the_api_is_killed_between_commit_and_acknowledgement(system: System, flight: Flight) -> None:
    flight.take_off()
    flight.in_flight(1)
    with holding_measurements(system):
        time.sleep(1.5)  # the referee has claimed results and hangs at their rows
        system.redis.pause()
    known = "SELECT count(*) FROM measurements WHERE state <> 'pending'"
    before = count(system, known)
    eventually(lambda: count(system, known) > before or None, seconds=15, what="the commit")
    system.api.kill()
    system.redis.go_on()
    restart(system)
    flight.land()


def restart(system: System) -> None:
    system.api.start()
    eventually(lambda: answers(system), what="the API")


def answers(system: System) -> bool:
    try:
        return httpx.get(f"{system.arena.url}/healthz", timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def scored_moves(player: httpx.Client) -> list[dict[str, object]]:
    items = answer(player.get("/me/submissions"))["items"]
    return [item for item in items if item["state"] == "scored"]


def expect_all_but(flight: Flight, extra: str) -> None:
    """As `land`, with one more submission in the round."""
    everything: Callable[[], list[dict[str, object]]] = flight.game.all_submissions
    eventually(lambda: all(each["state"] == "scored" for each in everything()), seconds=120, what="every score")
    flight.game.all_submissions = lambda: [each for each in everything() if each["id"] != extra]  # type: ignore[method-assign]
    flight.land()


def count(system: System, query: str) -> int:
    engine = create_engine(system.arena.database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        number: int = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return number


class holding_measurements:
    """The rows of measurements are locked: whoever would change one waits."""

    def __init__(self, system: System) -> None:
        self._engine = create_engine(system.arena.database_url.replace("postgresql://", "postgresql+psycopg://"))
        self._lock = "LOCK TABLE measurements IN EXCLUSIVE MODE" if system.postgres else "BEGIN IMMEDIATE"

    def __enter__(self) -> None:
        self._connection = self._engine.connect()
        self._connection.execute(text(self._lock))

    def __exit__(self, *error: object) -> None:
        self._connection.rollback()
        self._connection.close()
        self._engine.dispose()


def test_a_fresh_folder_of_logs_has_no_defects(system: System) -> None:
    """Runs in any order: whatever was pulled so far, no process met an error that it did not foresee."""
    logs = "".join(Path(process.log).read_text() for process in system.arena.processes)
    assert "loop.error" not in logs
    assert "request.defect" not in logs
    assert "play.broken" not in logs
