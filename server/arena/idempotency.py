"""Idempotency keys: the same request, sent again, finds what it made."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session

from server.arena.unit import Unit
from server.db.models import IdempotencyKey
from server.db.session import insert
from server.errors import RequestError


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An Idempotency-Key is one caller's own, on one route."""

    token: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a key stands for. body: a digest of the request's."""

    body: str
    submission: str


class Claims:
    """The keys of the requests that one transaction serves. It waits for twins of them that others are serving.

    wanted: what each of them would make. None of them stands for that before it is `kept`.
    """

    def __init__(self, session: Session, wanted: Mapping[Key, Made]) -> None:
        self._session = session
        self._claimed = _claim(session, wanted)
        others = wanted.keys() - self._claimed.keys()
        self._known = _of_keys(session, others) if others else {}

    def made(self, key: Key, body: str) -> str | None:
        """The submission that the key stands for; None for none yet. Raises `RequestError` where it stands for another
        body's."""
        known = self._known.get(key)
        if known is None:
            return None
        if known.body != body:
            raise RequestError(
                "idempotency-key-reused",
                422,
                "Idempotency-Key reused",
                "This Idempotency-Key came with another body before. Use a new key for a new move.",
            )
        return known.submission

    def keep(self, key: Key, made: Made) -> None:
        """From now on it stands for this."""
        self._known[key] = made

    def write(self) -> None:
        """Let go of what was claimed and not kept."""
        unused = [_row(key) for key in self._claimed if key not in self._known]
        if unused:
            self._session.execute(delete(IdempotencyKey).where(_ROW.in_(unused)))
        for key, claimed in self._claimed.items():
            made = self._known.get(key, claimed)
            if made != claimed:  # the first request with it was refused
                values = {"body": made.body, "submission_id": made.submission}
                self._session.execute(update(IdempotencyKey).where(_ROW.in_([_row(key)])).values(values))


def claim_idempotency_key(unit: Unit, route: str, key: str | None, body: object, makes: str) -> str | None:
    """The submission that this key made; None where it is new, and noted as making `makes`, or there is no key."""
    if key is None:
        return None
    wanted = Made(digest(body), makes)
    whose = Key(unit.caller.token, route, key)
    return Claims(unit.session, {whose: wanted}).made(whose, wanted.body)


def digest(body: object) -> str:
    """Of a body's content."""
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


_ROW = tuple_(IdempotencyKey.token_id, IdempotencyKey.route, IdempotencyKey.key)


def _row(key: Key) -> tuple[str, str, str]:
    return key.token, key.route, key.key


def _claim(session: Session, wanted: Mapping[Key, Made]) -> dict[Key, Made]:
    """Note what each of them makes; returns those that are new."""
    if not wanted:
        return {}
    values = [
        {"token_id": key.token, "route": key.route, "key": key.key, "body": made.body, "submission_id": made.submission}
        for key, made in sorted(wanted.items(), key=lambda each: each[0])
    ]
    statement = insert(session, IdempotencyKey).on_conflict_do_nothing(index_elements=["token_id", "route", "key"])
    rows = session.execute(
        statement.returning(IdempotencyKey.token_id, IdempotencyKey.route, IdempotencyKey.key), values
    )
    return {key: wanted[key] for key in (Key(*row) for row in rows)}


def _of_keys(session: Session, keys: Collection[Key]) -> dict[Key, Made]:
    columns = (IdempotencyKey.token_id, IdempotencyKey.route, IdempotencyKey.key)
    query = select(*columns, IdempotencyKey.body, IdempotencyKey.submission_id)
    rows = session.execute(query.where(_ROW.in_([_row(key) for key in keys])))
    return {Key(row.token_id, row.route, row.key): Made(row.body, row.submission_id) for row in rows}
