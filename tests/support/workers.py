"""Judges without a model, and workers for them that speak the real queue.

Where it does not matter how a judge comes to its numbers, this one does: every word is one token and costs 4 bits, the
first 100 more, and a prefix saves on the first what it is worth. A prefix with a number in it is worth that number, so
the move "25" scores 25.000 bits in Condense; any other is worth something that only looks random.
"""

import json
import re
import secrets
import threading
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from tokenizers import Tokenizer, models, pre_tokenizers

from judge import reading, samples, several
from judge.judge import Judge, Pair
from judge.reading import Prediction
from judge.samples import SAMPLE, Draw, Walk
from server.queue.claiming import Claim
from server.queue.introductions import Introduction
from server.queue.messages import ExperimentJob, GenerationJob, Job, RedisError, Result
from server.queue.worker import RedisClaims
from server.settings import Settings
from server.worker.loop import Worker
from tests.support.frames import hint_in

BUILD = "fake"
LEASE = 30.0

#: What a worker says of a job: bits per token, raw bytes, why it failed, or nothing at all (it keeps the job).
Says = Sequence[float] | bytes | str | None


def _tokenizer() -> str:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    text: str = tokenizer.to_str()
    return text


TOKENIZER = _tokenizer()


@dataclass(frozen=True)
class FakeJudge:
    """What a worker announces of a judge. The tokenizer has a token for every word."""

    name: str = field(default_factory=lambda: f"fake-{secrets.token_hex(4)}")
    context: int = 400
    direction: str = "forward"
    tokenizer: str = TOKENIZER

    @property
    def identity(self) -> str:
        return f"identity-of-{self.name}"

    def info(self) -> dict[str, Any]:
        return {
            "identity": self.identity,
            "name": self.name,
            "context": self.context,
            "bos": 0,
            "direction": self.direction,
            "dtype": "float32",
            "build": BUILD,
            "tokenizer_json": self.tokenizer,
        }


def worth(prefix: str, text: str) -> float:
    """Bits that a prefix saves on a text: eighths, so that float32 holds them exactly. A game's frame is worth none."""
    hint = hint_in(prefix)
    if not hint:
        return 0.0
    number = re.search(r"-?\d+(\.\d+)?", hint)
    return float(number[0]) if number else zlib.crc32(f"{hint}\0{text}".encode()) % 400 / 8


def bits(prefix: str, text: str, profile: str = "arena") -> list[float]:
    """What the fake judge says: one value for each scored word."""
    costs = [4.0] * len(text.split())
    costs[0] += 100 - worth(prefix, text)
    return costs[1:] if profile == "xent-0.5" else costs


def by_length(job: Job) -> list[float]:
    """A judge that finds a move without the letter z worth half a bit a letter, and others worth a bit."""
    costs, hint = bits("", job.text, job.profile), hint_in(job.prefix)
    costs[0] -= 1 if "z" in hint else len(hint) / 2
    return costs


def honest(job: Job) -> Says:
    return bits(job.prefix, job.text, job.profile)


def saying(said: Says) -> Callable[[Job], Says]:
    """A judge that says the same of everything."""
    return lambda job: said


def packed(values: Iterable[float]) -> bytes:
    return array("f", values).tobytes()


def written(writing: GenerationJob) -> str:
    """What the fake judge writes: as many words as asked for, others after another prompt or seed."""
    seeds = [repr((writing.prompt, writing.seed, i)) for i in range(writing.tokens)]
    return " ".join(f"word{zlib.crc32(seed.encode()) % 1000}" for seed in seeds)


#: What the fake judge writes, token by token: one of two, of which the cut leaves one.
DRAWN = Draw(0, 0.25, 1.0, 1, 0.25, 1.5, 0.0, ((1, 0.75, 0.0), (0, 0.25, 1.0)))


def tried(experiment: ExperimentJob) -> bytes:
    """What the fake judge expects at each word: the bits that it says of it, at rank 2 of its one token."""
    question = json.loads(experiment.question)
    if experiment.kind == SAMPLE:
        walk = Walk((DRAWN,) * question["tokens"])
        return samples.pack([walk] * len(question["methods"]))
    if experiment.kind in several.KINDS:
        read = several.readings(experiment.kind, question)
        return several.pack([[Prediction(cost, 2, 3.5, ()) for cost in bits(*each)] for each in read])
    costs = bits(question["prefix"], question["text"], question["profile"])
    return reading.pack([Prediction(cost, 2, 3.5, ((0, 0.25),)) for cost in costs])


def measurement(claim: Claim) -> Job:
    """The job of a claim that is one of a measurement."""
    assert isinstance(claim.job, Job)
    return claim.job


def result_of(job: Job, said: Says) -> Result:
    if isinstance(said, str):
        return Result(job.key, BUILD, failure=said)
    return Result(job.key, BUILD, bits=said if isinstance(said, bytes) else packed(said or ()))


class Hand:
    """A worker whose every step the test takes itself."""

    def __init__(self, redis_url: str, *judges: FakeJudge, lease: float = LEASE) -> None:
        name = f"hand-{secrets.token_hex(4)}"
        self.claims = RedisClaims(redis_url, name, tuple(judge.identity for judge in judges), lease)
        self._introductions = [Introduction.of(judge.info()) for judge in judges]

    def announce(self, rate: float = 100.0) -> None:
        self.claims.announce(self._introductions, BUILD, dict.fromkeys(self.claims.judges, rate))
        self.claims.create_groups()

    def take(self, count: int = 64) -> list[Claim]:
        """Up to that many jobs; waits a moment for the first."""
        return self.claims.claim(count, block=0.05)

    def take_all(self, count: int) -> list[Claim]:
        """Exactly that many jobs, as soon as they are there."""
        taken: list[Claim] = []
        for _ in range(200):
            taken += self.take(count - len(taken))
            if len(taken) == count:
                return taken
        raise AssertionError(f"only {len(taken)} of {count} jobs came")

    def answer(self, *claims: Claim, says: Callable[[Job], Says] = honest) -> None:
        """Publish results: the honest ones, or others."""
        for claim in claims:
            self.claims.publish(claim, _done(claim, says) or result_of(measurement(claim), None))

    def leave(self) -> None:
        with suppress(RedisError):  # away, or wiped
            self.claims.leave()
        self.claims.close()


@contextmanager
def hand_of(redis_url: str, *judges: FakeJudge) -> Iterator[Hand]:
    hand = Hand(redis_url, *judges)
    hand.announce()
    try:
        yield hand
    finally:
        hand.leave()


@contextmanager
def at_work(
    redis_url: str, *judges: FakeJudge, says: Callable[[Job], Says] = honest, seconds: float = 0.0
) -> Iterator[Hand]:
    """A worker in a thread. seconds: how long it takes for each job."""
    hand = Hand(redis_url, *judges)
    hand.announce()
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(hand, says, seconds, stop), daemon=True)
    thread.start()
    try:
        yield hand
    finally:
        stop.set()
        thread.join()
        hand.leave()


class Device:
    """A fake judge as a worker of ours has it."""

    def __init__(self, judge: FakeJudge, seconds: float) -> None:
        self.name, self.identity, self.build = judge.name, judge.identity, BUILD
        self.info, self._seconds = judge.info, seconds

    def measure_each(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, list[float]]]:
        for i, pair in enumerate(pairs):
            time.sleep(self._seconds)
            yield i, bits(pair.prefix, pair.text, pair.profile)

    def measure(self, pairs: Sequence[Pair]) -> list[list[float]]:
        return [bits for _, bits in self.measure_each(pairs)]


@contextmanager
def worker_at_work(redis_url: str, judge: FakeJudge, *, lease: float = LEASE, seconds: float = 0.0) -> Iterator[Worker]:
    """The worker itself, in a thread, around a fake judge. seconds: how long it takes for each measurement."""
    worker = Worker(Settings(redis_url=redis_url, lease=lease), [cast(Judge, Device(judge, seconds))])
    with running(worker):
        yield worker


@contextmanager
def running(worker: Worker) -> Iterator[threading.Event]:
    """It works, in a thread; the event tells it to stop."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def _done(claim: Claim, says: Callable[[Job], Says]) -> Result | None:
    """What becomes of a claim; None for a measurement of which nothing is said."""
    if isinstance(claim.job, GenerationJob):
        return Result(claim.job.key, BUILD, text=written(claim.job))
    if isinstance(claim.job, ExperimentJob):
        return Result(claim.job.key, BUILD, answer=tried(claim.job))
    said = says(claim.job)
    return None if said is None else result_of(claim.job, said)


def _work(hand: Hand, says: Callable[[Job], Says], seconds: float, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            hand.announce(1 / max(seconds, 0.001))
            for claim in hand.take():
                if stop.wait(seconds):
                    return
                result = _done(claim, says)
                if result is not None:
                    hand.claims.publish(claim, result)
        except RedisError:
            stop.wait(0.1)


#: Served all the time by a worker of its own, in every house.
PLAIN = FakeJudge("plain")
