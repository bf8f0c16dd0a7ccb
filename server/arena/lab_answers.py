"""What workers answer to the lab's questions, looked at before it is kept."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from games.sentences import counted
from judge import samples, several
from judge.profiles import ARENA, scored_count
from judge.reading import MOST_TOP, Prediction, unpack
from judge.samples import SAMPLE
from server.arena import judges
from server.db.models import Judge
from server.queue.messages import Result


def fault(session: Session, row: Any, result: Result) -> str | None:
    """What is wrong with the answer of a worker, if anything."""
    answer, question = result.answer or b"", row.question
    if row.kind == SAMPLE:
        return _fault_of_samples(question, answer)
    judge = session.get_one(Judge, row.judge)

    def expected(text: str, profile: str) -> int:
        return scored_count(judges.token_count(judge, text), profile)

    if row.kind in several.KINDS:
        return _fault_of_several([expected(text, ARENA) for _, text in several.readings(row.kind, question)], answer)
    try:
        predictions = unpack(answer)
    except ValueError as error:
        return f"The worker sent something else than a reading: {error}."
    return _fault_of_reading(predictions, expected(question["text"], question["profile"]))


def _fault_of_reading(predictions: Sequence[Prediction], expected: int) -> str | None:
    if len(predictions) != expected:
        return f"The worker sent a reading of {counted(len(predictions), 'token')} for {counted(expected, 'token')}."
    if not all(each.is_sound() and len(each.top) <= MOST_TOP for each in predictions):
        return "The worker sent a reading with values that no reading can have."
    return None


def _fault_of_several(expected: Sequence[int], answer: bytes) -> str | None:
    try:
        found = several.unpack(answer)
    except ValueError as error:
        return f"The worker sent something else than readings: {error}."
    if len(found) != len(expected):
        return f"The worker sent {counted(len(found), 'reading')} for {counted(len(expected), 'text')}."
    faults = (_fault_of_reading(*each) for each in zip(found, expected, strict=True))
    return next(filter(None, faults), None)


def _fault_of_samples(question: dict[str, Any], answer: bytes) -> str | None:
    try:
        walks = samples.unpack(answer)
    except ValueError as error:
        return f"The worker sent something else than samples: {error}."
    if len(walks) != len(question["methods"]):
        return f"The worker sent {counted(len(walks), 'sample')} for {counted(len(question['methods']), 'method')}."
    if not all(walk.is_sound(question["tokens"]) for walk in walks):
        return "The worker sent samples with values that no sample can have."
    return None
