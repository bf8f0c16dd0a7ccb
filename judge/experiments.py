"""What the lab asks of a judge, by kind: parameters in, bytes out, in short steps, so that moves may come between."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from judge import samples, several
from judge.errors import JudgeError
from judge.judge import Judge, Pair
from judge.profiles import ARENA
from judge.reading import READING, USUAL_TOP, pack
from judge.samples import SAMPLE

Steps = Generator[None, None, bytes]


def steps(judge: Judge, kind: str, question: Mapping[str, Any]) -> Steps:
    """The answer to one question of the lab. Raises JudgeError where the judge cannot answer it, also for a kind that
    is not known here."""
    if kind == READING:
        return _reading(judge, **question)
    if kind == SAMPLE:
        return _samples(judge, **question)
    if kind in several.KINDS:
        return _several(judge, several.readings(kind, question))
    raise JudgeError(f"this worker knows no experiment {kind!r}: bring it to the version of the server")


def _reading(judge: Judge, prefix: str, text: str, profile: str) -> Steps:
    predictions = yield from judge.read_in_steps(Pair(prefix, text, profile), USUAL_TOP)
    return pack(predictions)


def _samples(judge: Judge, prefix: str, methods: list[str], tokens: int, seed: int) -> Steps:
    walks = []
    for method in methods:
        walks.append((yield from judge.sample_in_steps(prefix, method, tokens=tokens, seed=seed, top=USUAL_TOP)))
    return samples.pack(walks)


def _several(judge: Judge, asked: Sequence[several.Read]) -> Steps:
    found = []
    for prefix, text in asked:
        found.append((yield from judge.read_in_steps(Pair(prefix, text, ARENA), 0)))
    return several.pack(found)
