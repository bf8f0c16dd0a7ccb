"""Measurements as rows: what is known, what was asked for and is on its way."""

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from games.protocol import Measurement as Asked
from judge.codec import unpack_bits
from server.db.models import Measurement
from server.db.session import insert, now
from server.db.states import PlayerKind, WorkState
from server.errors import limited
from server.queue.messages import BOT_LANES, FIRST_OF_ONE, PEOPLE_LANES, Job


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """The four parts that name a measurement. asker: for whom alone it is made, where that is somebody."""

    judge: str
    profile: str
    prefix: str
    text: str
    asker: str = ""

    @property
    def key(self) -> str:
        """SHA-256 over the parts, each behind its length, so that no two questions look alike."""
        digest = hashlib.sha256()
        for part in (self.judge, self.profile, self.prefix, self.text, *([self.asker] if self.asker else ())):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Requester:
    """For whom a measurement is made: decides its lane. waiting: how many of theirs are pending already.

    practice: it stands behind what counts.
    """

    player: str | None
    kind: PlayerKind
    waiting: int = 0
    practice: bool = False

    def lane(self, number: int) -> str:
        """Of the next measurement but `number`."""
        lanes = PEOPLE_LANES if self.kind is PlayerKind.PERSON else BOT_LANES
        return lanes[-1 if self.practice else bisect_right(FIRST_OF_ONE, self.waiting + number)]


def ask(
    session: Session, questions: Iterable[Question], requester: Requester, *, waited: bool = False
) -> tuple[dict[str, Measurement], list[Job]]:
    """The rows of these questions, by key, and the jobs of those that were new.

    waited: the asker has waited for their results, so that what failed just now is not asked for once more.

    Rows that are pending stay locked against the referee until this transaction ends, so that a need that is
    recorded now is seen when the result comes.
    """
    by_key = {question.key: question for question in questions}
    rows = {key: row for key, row in of_keys(session, by_key).items() if row.state == WorkState.KNOWN}
    if len(rows) < len(by_key):
        made = _insert(session, {key: by_key[key] for key in sorted(by_key.keys() - rows.keys())}, requester)
        rows |= made
        others = of_keys(session, by_key.keys() - rows.keys(), lock=True)
        rows |= others
        made |= _try_again(session, others, waited)
        return rows, [job(row) for row in made.values()]
    return rows, []


def ask_each(session: Session, wanted: Sequence[tuple[Requester, Sequence[Question]]]) -> tuple[set[str], list[Job]]:
    """Ask for what several want; of which of their keys a result is awaited now, and the jobs of those that were new.

    As with `ask` these rows stay as they are until this transaction ends.
    """
    lanes: dict[str, tuple[Question, Requester, str]] = {}
    for requester, questions in wanted:
        for i, (key, question) in enumerate(sorted((question.key, question) for question in questions)):
            lanes.setdefault(key, (question, requester, requester.lane(i)))
    at, new = now(session), []
    values = [_values(key, *lanes[key], at) for key in sorted(lanes)]
    statement = insert(session, Measurement).on_conflict_do_nothing(index_elements=["key"])
    made = set(session.execute(statement.returning(Measurement.key), values).scalars()) if values else set()
    for key in sorted(made):
        question, _, lane = lanes[key]
        new.append(Job(key, question.judge, question.profile, question.prefix, question.text, lane))
    others = of_keys(session, lanes.keys() - made, lock=True).values()
    return made | {row.key for row in others if row.state is WorkState.PENDING}, new


def job(row: Measurement) -> Job:
    return Job(row.key, row.judge, row.profile, row.prefix, row.text, row.lane)


def bits(row: Measurement) -> list[float]:
    """The bits of a known measurement, one a scored token."""
    assert row.bits is not None
    return unpack_bits(row.bits)


def known(session: Session, identities: Mapping[str, str], asked: Sequence[Asked]) -> dict[Asked, list[float]]:
    """The bits of those that are measured. Only looks: nothing is asked for. identities: slot → judge."""
    return {each: bits(row) for each, row in known_rows(session, identities, asked).items()}


def known_rows(session: Session, identities: Mapping[str, str], asked: Sequence[Asked]) -> dict[Asked, Measurement]:
    """Their rows."""
    keys = {each: Question(identities[each.judge], each.profile, each.prefix, each.text).key for each in asked}
    rows = {key: row for key, row in of_keys(session, keys.values()).items() if row.state is WorkState.KNOWN}
    return {each: rows[key] for each, key in keys.items() if key in rows}


def known_bits(session: Session, keys: Collection[str]) -> dict[str, list[float]]:
    """Those of these keys that are measured, with their bits."""
    if not keys:
        return {}
    query = select(Measurement.key, Measurement.bits)
    rows = session.execute(query.where(Measurement.key.in_(keys), Measurement.state == WorkState.KNOWN))
    return {row.key: unpack_bits(row.bits) for row in rows}


def builds(session: Session, keys: Collection[str]) -> dict[str, str]:
    """Key → what measured it."""
    query = select(Measurement.key, Measurement.build).where(Measurement.key.in_(keys))
    return {row.key: row.build for row in session.execute(query) if row.build} if keys else {}


def waiting(session: Session, player: str) -> int:
    """How many measurements of a player are pending."""
    return waiting_each(session, [player]).get(player, 0)


def waiting_each(session: Session, players: Collection[str]) -> dict[str, int]:
    """The same of several; who has none is left out."""
    query = select(Measurement.player_id, func.count()).where(Measurement.player_id.in_(players))
    rows = session.execute(query.where(Measurement.state == WorkState.PENDING).group_by(Measurement.player_id))
    return {player: count for player, count in rows if player is not None}


def refuse_flood(waiting_now: int, limit: int) -> None:
    if waiting_now >= limit:
        raise limited("pending", f"{waiting_now:,} of your measurements are waiting; the limit is {limit:,}.", 5)


RETRY = timedelta(minutes=1)  # a measurement that failed at a worker stays failed this long


def of_keys(session: Session, keys: Collection[str], *, lock: bool = False) -> dict[str, Measurement]:
    """The rows that there are, by key."""
    if not keys:
        return {}
    query = select(Measurement).where(Measurement.key.in_(list(keys))).order_by(Measurement.key)
    if lock:
        query = query.with_for_update(read=True).execution_options(populate_existing=True)
    return {row.key: row for row in session.scalars(query)}


def _try_again(session: Session, rows: dict[str, Measurement], waited: bool) -> dict[str, Measurement]:
    """A measurement that failed is given another chance when it is asked for again.

    At once, where no worker had a hand in it, or where it is a round's own: all moves in the round need that one. Any
    other only after a while, since it may be what takes workers down.
    """
    at = now(session)
    retried = {
        key: row
        for key, row in rows.items()
        if row.state == WorkState.FAILED
        and row.finished_at
        and (abs(at - row.finished_at) > RETRY or (not waited and (row.build is None or row.player_id is None)))
    }
    for row in retried.values():
        row.retry(at)
    session.flush()
    return retried


def _insert(session: Session, questions: dict[str, Question], requester: Requester) -> dict[str, Measurement]:
    """Make the rows that are not there yet; returns those that this transaction made."""
    at = now(session)
    values = [
        _values(key, question, requester, requester.lane(i), at) for i, (key, question) in enumerate(questions.items())
    ]
    statement = insert(session, Measurement).on_conflict_do_nothing(index_elements=["key"])
    return {row.key: row for row in session.scalars(statement.returning(Measurement), values)}


def _values(key: str, question: Question, requester: Requester, lane: str, at: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "judge": question.judge,
        "profile": question.profile,
        "prefix": question.prefix,
        "text": question.text,
        "state": WorkState.PENDING,
        "tries": 0,
        "lane": lane,
        "player_id": requester.player,
        "queued_at": at,
    }
