"""Texts that a judge writes while rounds are made, as rows: what is written, what was asked for and is on its way."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.errors import TextError
from games.limits import TEXT_CHARACTERS
from games.protocol import NeedText
from games.values.text import accept
from server.arena import work
from server.arena.outbox import Outbox
from server.db.models import Generation
from server.db.session import insert, now
from server.db.states import WorkState
from server.queue import messages

LANE = "people"
MOST_BYTES = 4 * TEXT_CHARACTERS


@dataclass(eq=False)
class GenerationFailed(Exception):
    """A text could not be written, and why."""

    detail: str


def texts(session: Session, outbox: Outbox, judge: str, needs: Iterable[NeedText], *, retry: bool) -> list[str] | None:
    """What the judge wrote, in order; None while something of it is on its way.

    What was never asked for is asked for now; with `retry` also what failed. Raises GenerationFailed.
    """
    rows = [_row(session, outbox, judge, need, retry=retry) for need in needs]
    for row in rows:
        if row.state == WorkState.FAILED:
            raise GenerationFailed(row.failure or "The judge could not write it.")
    return [row.text or "" for row in rows] if all(row.state == WorkState.KNOWN for row in rows) else None


def job(row: Generation) -> messages.GenerationJob:
    return messages.GenerationJob(row.key, row.judge, row.prompt, row.tokens, row.seed, row.lane)


def settle(session: Session, results: Sequence[messages.Result]) -> list[work.Settled]:
    """Keep the texts of results, or note what is wrong with them."""
    return work.settle(session, Generation, "text", (), results, lambda _session, _row, result: _fault(result.text))


def _fault(text: str | None) -> str | None:
    """What is wrong with a text that a worker sent, if anything."""
    if text is None:
        return "The worker sent no text."
    try:
        accepted = accept(text, "The text", MOST_BYTES)
    except TextError as error:
        return f"The worker sent a text that cannot be used: {error}."
    return None if accepted == text else "The worker sent a text that is not as texts are stored."


def _row(session: Session, outbox: Outbox, judge: str, need: NeedText, *, retry: bool) -> Generation:
    key = _key(judge, need)
    values = {
        "key": key,
        "judge": judge,
        "prompt": need.prompt,
        "tokens": need.tokens,
        "seed": need.seed,
        "state": WorkState.PENDING,
        "tries": 0,
        "lane": LANE,
        "queued_at": now(session),
    }
    statement = insert(session, Generation).values(values).on_conflict_do_nothing(index_elements=["key"])
    made = session.scalars(statement.returning(Generation)).one_or_none()
    row = made or session.scalars(select(Generation).where(Generation.key == key).with_for_update()).one()
    if row.state == WorkState.FAILED and retry:
        row.retry(now(session))
        made = row
    if made is not None:
        session.flush()
        outbox.jobs.append(job(made))
    return row


def _key(judge: str, need: NeedText) -> str:
    named = json.dumps([judge, need.prompt, need.tokens, need.seed])
    return hashlib.sha256(f"writing\n{named}".encode()).hexdigest()
