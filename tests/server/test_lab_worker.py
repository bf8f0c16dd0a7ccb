"""Experiments at a real worker with a real judge: the same numbers as at home, and no player waits for them."""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest

from judge import answers, figures, reading, samples, several
from judge.judge import Judge
from judge.pairs import Pair, compare
from judge.reading import Reading
from judge.replies import Question
from server.queue.messages import ExperimentJob, Job, Result
from server.queue.server import Queue
from server.settings import Settings
from server.worker.loop import Worker
from tests.support.queue import ask, enqueue
from tests.support.services import eventually
from tests.support.workers import running

MOVES, PAUSE = 15, 0.05  # and seconds between two of them
TEXT = "The tide came in over the flats, slow and brown."


@pytest.fixture(scope="module")
def pocket() -> Judge:
    return Judge.load("pocket", device="cpu")


@pytest.fixture
def at_work(redis_url: str, pocket: Judge) -> Iterator[str]:
    """The address of a Redis from which a worker takes its work."""
    with running(Worker(Settings(redis_url=redis_url), [pocket])):
        eventually(lambda: ask(redis_url, lambda queue: queue.workers()), what="the worker")
        yield redis_url


def experiment(judge: Judge, key: str, kind: str = "reading", **question: object) -> ExperimentJob:
    return ExperimentJob(key, judge.identity, kind, json.dumps({"prefix": "", "profile": "arena", **question}))


async def results(queue: Queue, *keys: str) -> dict[str, Result]:
    """The results of these, as soon as they are there, and of whatever else came by then."""
    found: dict[str, Result] = {}
    deadline = time.monotonic() + 60
    while not found.keys() >= set(keys):
        assert time.monotonic() < deadline, f"no result of {set(keys) - found.keys()}"
        taken = await queue.results("referee", 500, block=1)
        found.update({result.key: result for _, result in taken})
        if taken:
            await queue.settled([entry for entry, _ in taken])
    return found


def test_a_worker_samples_as_the_judge_does_at_home(at_work: str, pocket: Judge) -> None:
    question = {"prefix": TEXT, "methods": ["greedy", "top-p=0.9", "beam=2"], "tokens": 4, "seed": 7}
    enqueue(at_work, ExperimentJob("s1", pocket.identity, "sample", json.dumps(question)))
    found = ask(at_work, lambda queue: results(queue, "s1"))["s1"]
    walks = samples.unpack(found.answer or b"")
    told = [samples.spell(pocket.tokens, TEXT, "forward", walk) for walk in walks]
    assert told == [pocket.sample(TEXT, method, tokens=4, seed=7) for method in ("greedy", "top-p=0.9", "beam=2")]


def test_a_worker_reads_as_the_judge_does_at_home(at_work: str, pocket: Judge) -> None:
    enqueue(at_work, experiment(pocket, "r1", text=TEXT, prefix="sea"), experiment(pocket, "r2", kind="dream"))
    enqueue(at_work, experiment(pocket, "r3", text="z " * 600), experiment(pocket, "r4", text=TEXT))
    found = ask(at_work, lambda queue: results(queue, "r1", "r2", "r3", "r4"))
    for key, prefix in (("r1", "sea"), ("r4", "")):
        predictions = reading.unpack(found[key].answer or b"")
        assert reading.spell(pocket.tokens, TEXT, "arena", "forward", predictions) == pocket.read(TEXT, prefix)
        assert found[key].build == pocket.build
    assert "this worker knows no experiment 'dream'" in (found["r2"].failure or "")
    assert "The judge cannot answer this: " in (found["r3"].failure or "")


def spelled(judge: Judge, kind: str, asked: dict[str, Any], found: Result) -> list[Reading]:
    """What a worker read for one question, with the words that it is about."""
    pairs = zip(several.readings(kind, asked), several.unpack(found.answer or b""), strict=True)
    return [reading.spell(judge.tokens, text, "arena", "forward", each) for (_, text), each in pairs]


def test_a_worker_answers_several_readings_as_the_judge_does_at_home(at_work: str, pocket: Judge) -> None:
    questions: dict[str, dict[str, Any]] = {
        "passages": {"prefix": "the sea", "other": "a list", "texts": [TEXT, "Gulls cried."]},
        "answers": {"question": "Do ships sail?", "answers": ["Yes", "No", "Now and then"]},
        "pairs": {"first": "Fire is hot.", "second": "Fire is cold."},
    }
    enqueue(at_work, *(ExperimentJob(k, pocket.identity, k, json.dumps(asked)) for k, asked in questions.items()))
    found = ask(at_work, lambda queue: results(queue, *questions))
    read = {kind: spelled(pocket, kind, asked, found[kind]) for kind, asked in questions.items()}
    texts = questions["passages"]["texts"]
    saved = [pocket.read(text, "a list").bits - pocket.read(text, "the sea").bits for text in texts]
    told = figures.Passages.of(questions["passages"], read["passages"])
    assert [row.saved for row in told.rows] == saved
    assert told.saved.mean == statistics.fmean(saved)
    (reply,) = answers.ask(pocket, [Question("Do ships sail?", ("Yes", "No", "Now and then"), 0)])
    given = figures.Answers.of(questions["answers"], read["answers"])
    assert [each.share for each in given.answers] == pytest.approx(list(reply.plain.probabilities), abs=1e-5)
    assert [each.share_apart for each in given.answers] == pytest.approx(list(reply.calibrated.probabilities), abs=1e-5)
    (compared,) = compare(pocket, [Pair("", "Fire is hot.", "Fire is cold.")])
    one, two = figures.Pairs.of(questions["pairs"], read["pairs"]).sentences
    assert (one.reading.bits, two.reading.bits) == pytest.approx(compared.bits, abs=1e-4)
    assert (one.yes, two.yes) == pytest.approx(compared.yes, abs=1e-4)
    assert one.which == -two.which == pytest.approx(sum(compared.which), abs=1e-4)


@pytest.mark.slow
def test_a_move_waits_for_less_than_twice_as_long_while_people_try_things_in_the_lab(
    at_work: str, pocket: Judge
) -> None:
    story = " ".join([TEXT] * 5)
    longest = TEXT * ((pocket.context - 10) // len(pocket.tokens.ids(TEXT)))
    beam = {"prefix": TEXT * 14, "methods": ["beam=8"], "tokens": 4, "seed": 0}
    tried = [ExperimentJob("beam", pocket.identity, "sample", json.dumps(beam))]
    tried += [experiment(pocket, f"long {i}", text=longest, prefix=str(i)) for i in range(50)]

    async def waits(queue: Queue, name: str) -> float:
        found = []
        for i in range(MOVES):
            start = time.perf_counter()
            await queue.enqueue([Job(f"{name} {i}", pocket.identity, "arena", f"ship {i}", story, "people")])
            await results(queue, f"{name} {i}")
            found.append(time.perf_counter() - start)
            await asyncio.sleep(PAUSE)
        return statistics.median(found)

    async def both(queue: Queue) -> tuple[float, float, int]:
        idle = await waits(queue, "idle")
        await queue.enqueue(tried)
        return idle, await waits(queue, "busy"), await queue.depth(pocket.identity)

    idle, busy, depth = ask(at_work, both)
    told = f"{1000 * idle:.1f} ms idle, {1000 * busy:.1f} ms beside the lab"
    assert depth > 0, "there was something to wait for"
    assert busy < 2 * idle, told
