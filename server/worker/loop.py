"""A worker: claim → measure (or write) → publish → acknowledge. Needs a queue, a judge, and nothing else."""

import json
import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby

import structlog

from judge import experiments, sampling
from judge.codec import pack_bits
from judge.judge import Judge, JudgeError, Pair
from server.queue.claiming import Claim
from server.queue.introductions import Introduction
from server.queue.messages import (
    LAST_DELIVERY,
    PEOPLE_LANES,
    ExperimentJob,
    GenerationJob,
    Job,
    NotLetIn,
    RedisError,
    Result,
)
from server.settings import Settings
from server.worker.claims import open_claims
from server.worker.leases import PAUSE, LeaseKeeper

log = structlog.get_logger()

BATCH_SECONDS = 0.5  # a claim is about this much work
PEOPLE_SECONDS = 0.02  # the same while people play: a move waits for the batch in hand and the next, whosever they are
PLAYING = 30.0  # seconds after a person's move in which the next one is expected
TEXT_SECONDS = 0.25  # between two batches a text is written for this long; while people play, as long as a batch takes
FIRST_CLAIM, LARGEST_CLAIM = 8, 1024
TRIAL = tuple(
    f"{opening} the mill had stood at the bend of the river for as long as anybody could remember. In spring the water"
    " came up to the second step, and the miller carried his sacks to the loft. His daughter kept the accounts in a"
    " green book; she knew what every farmer owed, and which of them would never pay. When the railway came, people"
    " bought their flour in town, and one autumn the wheel turned for the last time."
    for opening in ("They say that", "In those days", "Old as it was,", "Before the war")
)  # what a judge is tried on while there is nothing to do: as long as a usual passage
HELLO = 2.0  # seconds between two announcements
LISTEN = 2.0  # seconds for which an idle worker waits for work at once; as long may it take to end

Steps = Iterator[Result | None]  # a None after each step, at last the result


class Worker:
    """One process that serves some judges. The next batch is claimed while the device works on this one."""

    def __init__(self, settings: Settings, judges: Sequence[Judge]) -> None:
        self._judges = {judge.identity: judge for judge in judges}
        self._build = judges[0].build
        self._heartbeat = settings.heartbeat
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.claims = open_claims(settings, name, tuple(self._judges))
        self.leases = LeaseKeeper(self.claims, self.claims.lease)
        self._texts: deque[tuple[Claim, Steps]] = deque()
        self._introductions = [Introduction.of(judge.info()) for judge in judges]
        self._rates: dict[str, float] = {}  # of a judge: measurements per second, a moving average
        self._pace = 0.0  # the same over all that is measured, whichever judge
        self._claiming = 0.0  # seconds that the last full claim took
        self._playing_until = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then publish what is done and give back the rest."""
        threading.Thread(target=self._stay_known, args=(stop,), daemon=True).start()
        with ThreadPoolExecutor(1, "claim") as claimer:
            ahead = claimer.submit(self._claim, texts=True)
            while not stop.is_set():
                while self._texts and not ahead.done() and not stop.is_set():
                    self._write_on()
                batch = self._taken(ahead, stop)
                if not batch:
                    self._try_out()
                # What may take this process down is done with nothing else in hand, so that nobody else is blamed.
                alone = bool(batch) and batch[0].alone
                if not alone:
                    ahead = claimer.submit(self._claim, texts=not self._texts and not any(map(_is_text, batch)))
                self.step(batch, stop)
                if alone:
                    self._write(stop.is_set)
                    ahead = claimer.submit(self._claim, texts=True)
        self.close()

    def _claim(self, *, texts: bool) -> list[Claim]:
        """The next batch, with a text to be written only if `texts`. In a thread of its own."""
        if self.leases.full:
            time.sleep(PAUSE)
            return []
        # While a batch is measured the next one is claimed: a shorter one would leave the device idle on a slow line.
        seconds = max(PEOPLE_SECONDS, 1.5 * self._claiming) if self._people_play() else BATCH_SECONDS
        count = max(1, min(LARGEST_CLAIM, int(self._pace * seconds))) if self._pace else FIRST_CLAIM
        # One who listens to every lane hears of all that comes, and need not ask again so soon.
        start = time.perf_counter()
        claims = self.claims.claim(count, block=LISTEN if texts else 0.5, texts=texts)
        if len(claims) >= count:  # nobody was waited for
            self._claiming = time.perf_counter() - start
        if any(claim.job.lane in PEOPLE_LANES for claim in claims):
            self._playing_until = time.monotonic() + PLAYING
        if claims and claims[0].alone and not self.leases.empty:
            self.claims.give_back(claims)
            return []
        return self.leases.take(claims)

    def _people_play(self) -> bool:
        return time.monotonic() < self._playing_until

    def _taken(self, ahead: Future[list[Claim]], stop: threading.Event) -> list[Claim]:
        try:
            return [claim for claim in ahead.result() if self.leases.owns(claim)]
        except NotLetIn:
            raise
        except RedisError as error:
            log.warning("worker.queue_away", error=str(error))
            stop.wait(PAUSE)
            return []

    def step(self, batch: Sequence[Claim], stop: threading.Event) -> None:
        """Measure all of a batch whose leases are held, and go on with a text for a while. What `run` repeats."""
        if batch and batch[0].delivery >= LAST_DELIVERY:
            failure = f"It was handed out {batch[0].delivery} times and no worker brought it back."
            self.leases.publish(batch[0], Result(batch[0].job.key, self._build, failure=failure))
            return
        self._measure([claim for claim in batch if not _is_text(claim)], stop)
        for claim in batch:
            if not isinstance(claim.job, Job):
                self._texts.append((claim, steps(self._judges[claim.job.judge], claim.job)))
        end = time.perf_counter() + (PEOPLE_SECONDS if self._people_play() else TEXT_SECONDS)
        self._write(lambda: stop.is_set() or time.perf_counter() >= end)

    def _measure(self, batch: Sequence[Claim], stop: threading.Event) -> None:
        for judge, same in groupby(sorted(batch, key=_judge_of), key=_judge_of):
            start, claims = time.perf_counter(), list(same)
            for claim, result in self._results(self._judges[judge], claims):
                lost = not self.leases.owns(claim)
                self.leases.publish(claim, result)
                # After a pause a batch may have both: what is others' by now, or done, and what was claimed anew.
                if stop.is_set() or (lost and not any(map(self.leases.owns, batch))):
                    return
            self._pace = self._note_rate(judge, len(claims) / (time.perf_counter() - start))

    def _try_out(self) -> None:
        """While there is nothing to do, learn how quick a judge is that has measured nothing yet."""
        judge = next((judge for judge in self._judges.values() if judge.identity not in self._rates), None)
        if judge is None:
            return
        start = time.perf_counter()
        try:
            judge.measure([Pair("", text) for text in TRIAL])
        except Exception as error:  # what it can measure is found out by those who ask
            log.warning("worker.trial_failed", judge=judge.name, error=repr(error))
            self._rates[judge.identity] = 0.0
            return
        self._note_rate(judge.identity, len(TRIAL) / (time.perf_counter() - start))

    def _note_rate(self, judge: str, rate: float) -> float:
        before = self._rates.get(judge) or rate
        self._rates[judge] = 0.8 * before + 0.2 * rate
        return self._rates[judge]

    def _results(self, judge: Judge, claims: list[Claim]) -> Iterator[tuple[Claim, Result]]:
        """Measure a batch. If it fails as a whole, each of it is tried alone: one bad apple must not spoil it."""
        left = dict(enumerate(claims))
        try:
            for i, bits in judge.measure_each([_pair(claim) for claim in claims]):
                yield left.pop(i), Result(claims[i].job.key, judge.build, bits=pack_bits(bits))
        except Exception as error:
            log.warning("worker.batch_failed", judge=judge.name, size=len(claims), error=repr(error))
            for claim in left.values():
                yield claim, _alone(judge, claim)

    def _write(self, until: Callable[[], bool]) -> None:
        while self._texts and not until():
            self._write_on()

    def _write_on(self) -> None:
        """The next step of the text or the experiment in hand."""
        claim, steps = self._texts[0]
        result = next(steps)
        if result is not None:
            self.leases.publish(claim, result)
        if result is not None or not self.leases.owns(claim):
            self._texts.popleft()

    def _stay_known(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                if not self.claims.announce(self._introductions, self._build, self._rates, seconds=HELLO):
                    continue  # the next part of a tokenizer at once
                if self._heartbeat is not None:
                    self._heartbeat.touch()
            except RedisError as error:
                log.warning("worker.announce_failed", error=str(error))
            stop.wait(HELLO)

    def close(self) -> None:
        """Publish what is done, give back the rest, and say goodbye."""
        self.leases.close()
        try:
            self.claims.leave()
        except RedisError:
            log.info("worker.left_without_goodbye")
        self.claims.close()


def run(settings: Settings, *, stop: threading.Event) -> None:
    """Load the judges of the settings and work until `stop` is set."""
    judges = [Judge.load(source, dtype=settings.dtype, device=settings.device) for source in settings.judge]
    for judge in judges:
        log.info("worker.judge", name=judge.name, identity=judge.identity, build=judge.build, context=judge.context)
    if any(judge.gains_by_bfloat16 for judge in judges):
        log.info(
            "worker.could_be_faster",
            hint="with --dtype bfloat16 this processor measures two to three times as many moves a second; scores are"
            " then a little different, and rounds made so need a worker of that dtype",
        )
    Worker(settings, judges).run(stop)


def steps(judge: Judge, job: GenerationJob | ExperimentJob) -> Steps:
    """What takes many small steps: a text that is written, an experiment of the lab. The same of everything gives the
    same result on the same build."""
    try:
        if isinstance(job, GenerationJob):
            text = ""
            for longer in sampling.writing(judge, job.prompt, job.tokens, job.seed):
                text = longer
                yield None
            yield Result(job.key, judge.build, text=text)
        else:
            answer = yield from experiments.steps(judge, job.kind, json.loads(job.question))
            yield Result(job.key, judge.build, answer=answer)
    except JudgeError as error:  # too long for it, or it has no token to begin with
        what = "write" if isinstance(job, GenerationJob) else "answer"
        yield Result(job.key, judge.build, failure=f"The judge cannot {what} this: {error}.")
    except Exception as error:
        log.exception("worker.writing_failed", key=job.key)
        yield Result(job.key, judge.build, failure=f"The judge failed at writing: {error!r}.")


def _alone(judge: Judge, claim: Claim) -> Result:
    try:
        return Result(claim.job.key, judge.build, bits=pack_bits(judge.measure([_pair(claim)])[0]))
    except Exception as error:
        log.exception("worker.measurement_failed", key=claim.job.key)
        return Result(claim.job.key, judge.build, failure=f"{type(error).__name__}: {error}")


def _is_text(claim: Claim) -> bool:
    return not isinstance(claim.job, Job)


def _judge_of(claim: Claim) -> str:
    return claim.job.judge


def _pair(claim: Claim) -> Pair:
    assert isinstance(claim.job, Job)
    return Pair(claim.job.prefix, claim.job.text, claim.job.profile)
