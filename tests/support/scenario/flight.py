"""Submissions in flight, and what must have become of them when they land."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from games import catalog
from games.engine import replay
from games.program import parse
from games.protocol import MAIN, Finished, JudgeFacts, Log, Move, NeedBits, Setup
from games.values.bits import millibits
from judge.judge import Judge, Pair
from server.db.session import normalised
from tests.support.scenario.deployment import Deployment, Game, Process, answer, answers
from tests.support.scenario.reference import words
from tests.support.services import eventually

PLAYERS = 10
EACH = int(os.environ.get("XENTARENA_TEST_EACH", "10"))  # submissions of each; 200 where somebody has an hour
PATIENCE = 1 + EACH // 20  # times as long as usual
PASSAGE = (
    "the old man put his coat on, went out, and told nobody where he was going. The dog followed him to the gate, "
    "sat down in the mud and looked after him until he was a dot on the hill. Nobody in the house had seen him so "
    "quiet since the spring, when the letter came and he burned it in the stove without a word."
)


class Flight:
    """Submissions of ten players, 100 unless told otherwise, sent but not waited for."""

    def __init__(self, arena: Deployment, judge: Judge, worker: Process | None = None, each: int = EACH) -> None:
        self.each = each
        seed = time.monotonic_ns()
        self.passage = f"Number {seed}: {PASSAGE}"
        self.game = Game.make(arena, passages=[self.passage])
        self.players = [self.game.join(f"player {i}") for i in range(PLAYERS)]
        self.moves = words(self.count, seed % 1000)
        self._judge = judge
        self._arena = arena
        self._worker = worker

    @property
    def count(self) -> int:
        return PLAYERS * self.each

    def take_off(self) -> None:
        """Send everything while the worker sleeps, then wake it: all are in flight at once."""
        if self._worker:
            self._worker.send(signal.SIGSTOP)
        with ThreadPoolExecutor(PLAYERS) as threads:
            for sent in [threads.submit(self._send, i) for i in range(PLAYERS)]:
                sent.result()
        if self._worker:
            self._worker.send(signal.SIGCONT)

    def scored(self) -> int:
        return self._rows("state = 'scored'")

    def in_flight(self, more: int = 5) -> None:
        """Wait until some more are scored; the fault must strike while many are not."""
        before = self.scored()
        eventually(lambda: self.scored() >= before + more, seconds=180 * PATIENCE, what="another score")
        assert self.scored() <= self.count - 10, "the judge was too quick for this test"

    def land(self, seconds: float = 360 * PATIENCE) -> None:
        """Everything is scored, exactly once, and as it would have been without any fault."""
        eventually(self._all_final, seconds=seconds, what="every score")
        eventually(lambda: answers(f"{self._arena.url}/healthz"), what="the API")
        submissions = self.game.all_submissions()
        assert len(submissions) == self.count
        assert {submission["state"] for submission in submissions} == {"scored"}
        got = sorted((submission["player"], round(submission["bits"] * 1000)) for submission in submissions)
        assert got == sorted(self._expected())
        self._board_is_right(got)

    def _all_final(self) -> bool:
        """Asked of the rows: asking the API again and again would take the time of those who work."""
        try:
            return self._rows("state <> 'queued'") >= self.count
        except DBAPIError:  # the database is coming up again
            return False

    def _rows(self, condition: str) -> int:
        query = f"SELECT count(*) FROM submissions WHERE {condition} AND round_id = '{self.game.round['id']}'"
        return count(self._arena, query)

    def _send(self, i: int) -> None:
        for k in range(self.each):
            move = self.moves[i * self.each + k]
            deadline = time.monotonic() + 120 * PATIENCE
            while time.monotonic() < deadline:
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
            (ids[n // self.each], score)
            for n, score in enumerate(undisturbed(self._judge, self.passage, list(self.moves)))
        ]

    def _board_is_right(self, got: list[tuple[str, int]]) -> None:
        best: dict[str, int] = {}
        for player, score in got:
            best[player] = max(score, best.get(player, score))
        with self._arena.client() as host:
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


def count(arena: Deployment, query: str) -> int:
    """A number from the rows themselves."""
    engine = create_engine(normalised(arena.database_url))
    with engine.connect() as connection:
        number: int = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return number
