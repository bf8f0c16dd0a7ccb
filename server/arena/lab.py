"""The lab: what people have judges try outside any game. Each has rows of their own, so that nobody learns from how
quickly an answer comes what somebody else has asked.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from games.sentences import say
from judge import several
from judge.reading import READING, Reading, spell, unpack
from judge.samples import SAMPLE
from server.arena import exploring, judges, lab_answers, lab_doors, measurements, work
from server.arena.unit import Unit
from server.arena.validation import clean
from server.db.lab import Experiment
from server.db.models import Judge, Round
from server.db.session import insert
from server.db.states import LabExperiment, WorkState
from server.errors import RequestError, invalid, limited, not_found
from server.queue.messages import LAB_LANE, ExperimentJob, Result

TOKENS = 512  # of a text and its prefix: what a judge reads in the time of a few moves
WAITING = {
    READING: 16,
    SAMPLE: 4,
    **dict.fromkeys(several.KINDS, 4),
}  # experiments of one participant that may wait at once
KEPT = 2_000  # rows of a kind that are made for one participant


@dataclass(frozen=True, slots=True)
class Asked:
    """A reading of a text after its prefix; alone: without, None where there is no prefix."""

    after: Experiment
    alone: Experiment | None

    @property
    def rows(self) -> Sequence[Experiment]:
        return [self.after] if self.alone is None else [self.after, self.alone]

    @property
    def state(self) -> WorkState:
        states = {row.state for row in self.rows}
        if WorkState.FAILED in states:
            return WorkState.FAILED
        return WorkState.PENDING if WorkState.PENDING in states else WorkState.KNOWN


def read(unit: Unit, judge_name: str | None, prefix: str, text: str, profile: str) -> Asked:
    """Ask what a judge expects at each token of a text, after a prefix and without."""
    prefix = clean(prefix, "/prefix", what=say("The prefix"), empty=True)
    text = clean(text, "/text")
    judge = judges.find(unit.session, unit.workforce.default_judge() if judge_name is None else judge_name)
    refuse(unit, LabExperiment.READING, judge, (prefix, text))
    check_length(judge, prefix, judges.tokens(judge).count(text), TOKENS, "/text")
    asked = [{"prefix": each, "text": text, "profile": profile} for each in dict.fromkeys((prefix, ""))]
    after, *alone = ask(unit, judge, READING, asked)
    return Asked(after, alone[0] if alone else None)


def see(unit: Unit, key: str) -> Asked:
    """A reading that the caller has asked for."""
    row = unit.session.get(Experiment, key)
    if row is None or row.asker != asker(unit) or row.kind != READING:
        raise not_found("There is no reading {name}.", key)
    judge = unit.session.get_one(Judge, row.judge)
    refuse(unit, LabExperiment.READING, judge, (row.question["prefix"], row.question["text"]))
    alone = row.question["prefix"] and unit.session.get(
        Experiment, _key(row.judge, row.asker, row.kind, {**row.question, "prefix": ""})
    )
    return Asked(row, alone or None)


def reading(session: Session, row: Experiment) -> Reading | None:
    """What a reading says; None while it is on its way, and where it failed."""
    if row.state is not WorkState.KNOWN or row.answer is None:
        return None
    judge = session.get_one(Judge, row.judge)
    text, profile = row.question["text"], row.question["profile"]
    return spell(judges.tokens(judge), text, profile, judge.direction, unpack(row.answer))


def job(row: Experiment) -> ExperimentJob:
    return ExperimentJob(row.key, row.judge, row.kind, json.dumps(row.question))


def settle(session: Session, results: Sequence[Result]) -> list[work.Settled]:
    """Keep the answers, or note what is wrong with them."""
    return work.settle(
        session, Experiment, "answer", (Experiment.kind, Experiment.question), results, lab_answers.fault
    )


# --- Who may ask ------------------------------------------------------------------------------------------------------


def refuse(unit: Unit, experiment: LabExperiment, judge: Judge, texts: Iterable[str]) -> None:
    """Raises `RequestError` where the caller may not try these texts with this judge: as with free measuring, and where
    they would be looking into a round that counts attempts, or the host has closed the lab or this experiment."""
    said = "\n".join(text for text in texts if text)
    exploring.refuse_exploring(unit, judge, said)
    competition = unit.caller.competition
    if competition is None:
        return
    lab_doors.require(unit, experiment)
    exploring.refuse_texts_of(unit, Round.competition_id == competition, said)  # whatever the judge


# --- Rows -------------------------------------------------------------------------------------------------------------


def ask(unit: Unit, judge: Judge, kind: str, questions: Sequence[dict[str, Any]]) -> list[Experiment]:
    """The rows of these questions, in order; what is new is put in the queue."""
    session, who = unit.session, asker(unit)
    keys = {_key(judge.identity, who, kind, question): question for question in questions}
    rows = _of_keys(session, keys)
    new = {key: question for key, question in keys.items() if key not in rows}
    again = [row for row in rows.values() if _may_be_tried_again(row, unit.now)]
    if new or again:
        _refuse_too_many(session, who, kind, len(new))
    for row in again:
        row.retry(unit.now)
    session.flush()
    if new:
        values = [_values(key, judge, who, kind, question, unit) for key, question in new.items()]
        statement = insert(session, Experiment).on_conflict_do_nothing(index_elements=["key"])
        made = session.scalars(statement.returning(Experiment), values).all()
        again += made
        rows |= _of_keys(session, new)
    unit.outbox.jobs += [job(row) for row in again]
    return [rows[key] for key in keys]


def _may_be_tried_again(row: Experiment, at: datetime) -> bool:
    """It failed, and not just now: it may be what takes workers down."""
    failed = row.state is WorkState.FAILED and row.finished_at
    return bool(failed and (row.build is None or abs(at - failed) > measurements.RETRY))


def _of_keys(session: Session, keys: Iterable[str]) -> dict[str, Experiment]:
    query = select(Experiment).where(Experiment.key.in_(list(keys))).order_by(Experiment.key).with_for_update()
    return {row.key: row for row in session.scalars(query)}


def _values(key: str, judge: Judge, asker: str, kind: str, question: dict[str, Any], unit: Unit) -> dict[str, Any]:
    return {
        "key": key,
        "judge": judge.identity,
        "asker": asker,
        "kind": kind,
        "question": question,
        "state": WorkState.PENDING,
        "tries": 0,
        "lane": LAB_LANE,
        "queued_at": unit.now,
    }


def _key(judge: str, asker: str, kind: str, question: dict[str, Any]) -> str:
    named = json.dumps([judge, asker, kind, question], sort_keys=True)
    return hashlib.sha256(f"experiment\n{named}".encode()).hexdigest()


def asker(unit: Unit) -> str:
    return unit.caller.player or unit.caller.token


def _refuse_too_many(session: Session, asker: str, kind: str, more: int) -> None:
    """Each kind has a quota of its own."""
    mine = select(func.count()).where(Experiment.asker == asker, Experiment.kind == kind)
    waiting = session.scalars(mine.where(Experiment.state == WorkState.PENDING)).one()
    if waiting + more > WAITING[kind]:
        raise limited("experiments", say("{number} of your experiments are waiting.", number=waiting), 2)
    if session.scalars(mine).one() + more > KEPT:
        told = say(
            "{number} experiments were made for you, as many as are kept. What you asked for before can be seen again.",
            number=f"{KEPT:,}",
        )
        raise RequestError("quota-used", 409, "Quota used", told, limit="experiments")


def check_length(judge: Judge, prefix: str, tokens: int, most: int, pointer: str) -> None:
    """Raises `RequestError` where a prefix and so many tokens are more than the lab has read at once."""
    length, most = 1 + judges.tokens(judge).count(prefix) + tokens, min(most, judge.context)
    if length > most:
        told = say("Prefix and text are {number} tokens long; the lab reads {most} at once.", number=length, most=most)
        raise invalid(pointer, told)
