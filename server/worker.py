"""A worker: claim → measure → publish → acknowledge. Needs a Redis address, a judge, and nothing else."""

import os
import secrets
import socket
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from sys import byteorder

import structlog

from judge.measure import Judge, Pair
from server.jobs import LAST_DELIVERY, Claim, Claims, RedisError, Result
from server.settings import Settings

log = structlog.get_logger()

BATCH_SECONDS = 0.5  # a claim is about this much work, so that a person never waits long behind a batch
FIRST_CLAIM, LARGEST_CLAIM = 8, 512
HELLO = 2.0  # seconds between two announcements


class Worker:
    """One process that serves some judges."""

    def __init__(self, settings: Settings, judges: Sequence[Judge]) -> None:
        assert settings.redis_url is not None
        self._judges = {judge.identity: judge for judge in judges}
        self._build = judges[0].build
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._claims = Claims(settings.redis_url, name, tuple(self._judges), settings.lease)
        self._lease = settings.lease
        self._hands = Hands(settings, self._claims)
        self._infos = [judge.info() for judge in judges]
        self._rate = 0.0  # measurements per second, a moving average

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then give back what was not begun."""
        threading.Thread(target=self._stay_known, args=(stop,), daemon=True).start()
        while not stop.is_set():
            try:
                self.work_once(stop)
            except RedisError as error:
                log.warning("worker.redis_away", error=str(error))
                stop.wait(0.5)
        try:
            self._claims.leave()
        except RedisError:
            log.info("worker.left_without_goodbye")

    def work_once(self, stop: threading.Event) -> int:
        """Claim some jobs and do them; returns how many were done."""
        count = max(1, min(LARGEST_CLAIM, int(self._rate * BATCH_SECONDS))) if self._rate else FIRST_CLAIM
        claims = self._claims.claim(count, block=0.5)
        if not claims:
            return 0
        start, done = time.perf_counter(), 0
        with self._hands.holding(claims):
            for judge, batch in groupby(sorted(claims, key=_judge_of), key=_judge_of):
                for claim, result in self._results(self._judges[judge], list(batch)):
                    self._publish(claim, result)
                    done += 1
                    if stop.is_set() or self._hands.lapsed:
                        break
        pace = done / (time.perf_counter() - start)
        self._rate = pace if not self._rate else 0.8 * self._rate + 0.2 * pace
        return done

    def _results(self, judge: Judge, claims: list[Claim]) -> Iterator[tuple[Claim, Result]]:
        """Measure a batch. If it fails as a whole, each of it is tried alone: one bad apple must not spoil it."""
        if claims[0].delivery >= LAST_DELIVERY:
            failure = f"It was handed out {claims[0].delivery} times and no worker brought it back."
            yield claims[0], Result(claims[0].job.key, judge.build, failure=failure)
            return
        left = dict(enumerate(claims))
        try:
            for i, bits in judge.measure_each([_pair(claim) for claim in claims]):
                yield left.pop(i), Result(claims[i].job.key, judge.build, bits=_packed(bits))
        except RedisError:
            raise
        except Exception as error:
            log.warning("worker.batch_failed", judge=judge.name, size=len(claims), error=repr(error))
            for claim in left.values():
                yield claim, self._alone(judge, claim)

    def _alone(self, judge: Judge, claim: Claim) -> Result:
        try:
            return Result(claim.job.key, judge.build, bits=_packed(judge.measure([_pair(claim)])[0]))
        except Exception as error:
            log.exception("worker.measurement_failed", key=claim.job.key)
            return Result(claim.job.key, judge.build, failure=f"{type(error).__name__}: {error}")

    def _publish(self, claim: Claim, result: Result) -> None:
        self._claims.publish(claim, result)
        self._hands.drop(claim)

    def _stay_known(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._claims.announce(self._infos, self._build, round(self._rate, 3))
            except RedisError as error:
                log.warning("worker.announce_failed", error=str(error))
            stop.wait(HELLO)


class Hands:
    """What a worker holds, with leases that are renewed from a thread of their own.

    A worker that was stopped for longer than a lease has lost what it held: others may have it.
    """

    def __init__(self, settings: Settings, claims: Claims) -> None:
        self._claims = claims
        self._lease = settings.lease
        self._held: dict[str, Claim] = {}
        self._renewed = time.monotonic()
        self._changed = threading.Lock()
        self.lapsed = False
        threading.Thread(target=self._renew_for_ever, daemon=True).start()

    @contextmanager
    def holding(self, claims: Sequence[Claim]) -> Iterator[None]:
        """Hold these until the block ends; what was not dropped by then is given back."""
        with self._changed:
            self._held = {claim.entry: claim for claim in claims}
            self._renewed = time.monotonic()
            self.lapsed = False
        try:
            yield
        finally:
            with self._changed:
                left, self._held = list(self._held.values()), {}
            if left and not self.lapsed:
                self._claims.give_back(left)

    def drop(self, claim: Claim) -> None:
        with self._changed:
            self._held.pop(claim.entry, None)

    def _renew_for_ever(self) -> None:
        while True:
            time.sleep(self._lease / 4)
            with self._changed:
                if self._held and time.monotonic() - self._renewed > self._lease:
                    self.lapsed = True
                if self._held and not self.lapsed:
                    self._renew()

    def _renew(self) -> None:
        try:
            self._claims.renew(list(self._held.values()))
            self._renewed = time.monotonic()
        except RedisError as error:
            log.warning("worker.renewal_failed", error=str(error))


def run(settings: Settings, *, stop: threading.Event) -> None:
    """Load the judges of the settings and work until `stop` is set."""
    judges = [Judge.load(source, dtype=settings.dtype) for source in settings.judge]
    for judge in judges:
        log.info("worker.judge", name=judge.name, identity=judge.identity, build=judge.build, context=judge.context)
    Worker(settings, judges).run(stop)


def _judge_of(claim: Claim) -> str:
    return claim.job.judge


def _pair(claim: Claim) -> Pair:
    return Pair(claim.job.prefix, claim.job.text, claim.job.profile)


def _packed(bits: Sequence[float]) -> bytes:
    """float32, little-endian."""
    values = array("f", bits)
    if byteorder == "big":
        values.byteswap()
    return values.tobytes()
