"""Experiments of the lab that take several readings at once: a row for all that one of them takes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from games.sentences import say
from judge import several
from judge.profiles import ARENA
from judge.reading import Reading, spell
from server.arena import judges, lab
from server.arena.unit import Unit
from server.arena.validation import clean
from server.db.lab import Experiment
from server.db.models import Judge
from server.db.states import LabExperiment, WorkState
from server.errors import invalid, not_found

TEXTS = 40  # passages of one question
ANSWERS = 6  # that are allowed at once
TOKENS = 8_192  # read for one question in all: sixteen of the longest readings


def passages(unit: Unit, judge_name: str | None, prefix: str, other: str, texts: Sequence[str]) -> Experiment:
    """Ask what a prefix tells of these texts, against another one or none."""
    prefix = clean(prefix, "/prefix", what=say("The context"))
    other = clean(other, "/other", what=say("The other context"), empty=True)
    if not 2 <= len(texts) <= TEXTS:
        raise invalid("/texts", say("Give 2 to {most} texts.", most=TEXTS))
    found = [clean(text, f"/texts/{number}") for number, text in enumerate(texts)]
    return _ask(unit, LabExperiment.PASSAGES, judge_name, {"prefix": prefix, "other": other, "texts": found})


def answers(unit: Unit, judge_name: str | None, question: str, allowed: Sequence[str]) -> Experiment:
    """Ask what each of the answers costs after a question, and where nothing is asked."""
    question = clean(question, "/question", what=say("The question"))
    what = say("The answer")
    found = [clean(answer, f"/answers/{number}", what=what).strip() for number, answer in enumerate(allowed)]
    if not 2 <= len(found) <= ANSWERS or len(set(found)) < len(found):
        raise invalid("/answers", say("Allow 2 to {most} answers, each another.", most=ANSWERS))
    return _ask(unit, LabExperiment.ANSWERS, judge_name, {"question": question, "answers": found})


def pair(unit: Unit, judge_name: str | None, first: str, second: str) -> Experiment:
    """Ask which of two sentences costs less, and which one is called true."""
    found = {"first": clean(first, "/first"), "second": clean(second, "/second")}
    if found["first"] == found["second"]:
        raise invalid("/second", say("Both sentences are the same."))
    return _ask(unit, LabExperiment.PAIRS, judge_name, found)


def see(unit: Unit, experiment: LabExperiment, key: str) -> Experiment:
    """One that the caller has asked for."""
    row = unit.session.get(Experiment, key)
    if row is None or row.asker != lab.asker(unit) or row.kind != experiment:
        raise not_found("There is no experiment {name}.", key)
    lab.refuse(unit, experiment, unit.session.get_one(Judge, row.judge), _said(row.question))
    return row


def readings(session: Session, row: Experiment) -> list[Reading] | None:
    """What was read, in the order of `judge.several.readings`; None while it is on its way, and where it failed."""
    if row.state is not WorkState.KNOWN or row.answer is None:
        return None
    judge = session.get_one(Judge, row.judge)
    tokens, asked = judges.tokens(judge), several.readings(row.kind, row.question)
    return [
        spell(tokens, text, ARENA, judge.direction, found)
        for (_, text), found in zip(asked, several.unpack(row.answer), strict=True)
    ]


def _ask(unit: Unit, experiment: LabExperiment, judge_name: str | None, question: dict[str, Any]) -> Experiment:
    judge = judges.find(unit.session, unit.workforce.default_judge() if judge_name is None else judge_name)
    lab.refuse(unit, experiment, judge, _said(question))
    if experiment is not LabExperiment.PASSAGES and judge.direction == "backward":
        raise invalid(
            "/judge", say("This judge reads from right to left, the answer before the question: ask another.")
        )
    _check_lengths(judge, several.readings(experiment, question), _longest(question))
    (row,) = lab.ask(unit, judge, experiment, [question])
    return row


def _said(question: dict[str, Any]) -> list[str]:
    """All words of a question that are the asker's own."""
    return [text for value in question.values() for text in ([value] if isinstance(value, str) else value)]


def _longest(question: dict[str, Any]) -> str:
    """The field with most words: where too many are to be taken away."""
    return f"/{max(question, key=lambda name: len(''.join(question[name])))}"


def _check_lengths(judge: Judge, asked: Sequence[several.Read], pointer: str) -> None:
    counts = {text: judges.token_count(judge, text) for text in dict.fromkeys(text for read in asked for text in read)}
    for prefix, text in asked:
        lab.check_length(judge, prefix, counts[text], lab.TOKENS, pointer)
    whole = sum(1 + counts[prefix] + counts[text] for prefix, text in asked)
    if whole > TOKENS:
        told = say("That is {number} tokens to read in all; the lab reads {most} at once.", number=whole, most=TOKENS)
        raise invalid(pointer, told)
