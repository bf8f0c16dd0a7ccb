"""Workers that are hired by the name, beside Redis or lent: honest ones of two builds, and forgers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from server.arena import worker_tokens
from server.queue.introductions import Introduction
from server.queue.messages import Job, NotLetIn, RedisError, Result
from server.queue.worker import Claims, RedisClaims
from server.worker.lent import LentClaims, Server
from tests.support.frames import hint_in
from tests.support.server import Caller, Class, RunningApp
from tests.support.services import eventually
from tests.support.workers import FakeJudge, bits, measurement, packed

ONE, OTHER = "cpu AVX-512", "cpu AVX2"
Says = Callable[[Job], Sequence[float]]


def honest(job: Job) -> Sequence[float]:
    return bits(job.prefix, job.text, job.profile)


def nearly(job: Job) -> Sequence[float]:
    """As another build computes it."""
    return [each + 0.0001 for each in honest(job)]


def zeros(job: Job) -> Sequence[float]:
    """A text after somebody's words costs nothing, so that the words are worth all of it."""
    return [0.0] * len(honest(job)) if hint_in(job.prefix) else honest(job)


@dataclass
class Hired:
    """A worker in a thread. stopped: the server does not let it in any more. names: its own, and its token's."""

    claims: Claims
    name: str
    judge: FakeJudge
    build: str
    says: Says
    made: list[str] = field(default_factory=list)
    stopped: bool = False

    def work(self, ends: threading.Event) -> None:
        introduction = [Introduction.of(self.judge.info())]
        while not ends.is_set() and not self.stopped:
            try:
                self.claims.announce(introduction, self.build, {self.judge.identity: 100.0})
                for claim in self.claims.claim(8, block=0.05):
                    self.claims.publish_all([(claim, self._result(measurement(claim)))])
                    self.made.append(measurement(claim).lane.partition("@")[0])
            except NotLetIn:
                self.stopped = True
            except RedisError:
                ends.wait(0.1)

    def _result(self, job: Job) -> Result:
        return Result(job.key, self.build, bits=packed(self.says(job)))


@contextmanager
def hired(house: RunningApp, judge: FakeJudge, says: Says, *, build: str = ONE, lent: bool = False) -> Iterator[Hired]:
    name, claims = f"own-{judge.name}-{id(says)}-{build[-1]}", None
    if lent:
        token, row = house.database.write(lambda session: worker_tokens.create(session, "a GPU"))
        claims, name = LentClaims(Server(house.url, token), "w-1", (judge.identity,)), f"{row.id}/w-1"
    worker = Hired(claims or RedisClaims(house.redis_url, name, (judge.identity,), 30), name, judge, build, says)
    ends = threading.Event()
    thread = threading.Thread(target=worker.work, args=(ends,), daemon=True)
    thread.start()
    try:
        eventually(lambda: house.measurable(judge), what="the judge")
        yield worker
    finally:
        ends.set()
        thread.join(10)
        if not worker.stopped:
            worker.claims.leave()
        worker.claims.close()


def play(lesson: Class, moves: Sequence[str]) -> Caller:
    """Somebody joins, and makes these moves."""
    player = lesson.join()
    for move in moves:
        player.score(lesson.round_id, move)
    return player
