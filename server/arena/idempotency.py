"""Idempotency keys: the same request, sent again, finds what it made."""

import hashlib
import json

from server.arena.unit import Unit
from server.db.models import IdempotencyKey
from server.db.session import insert
from server.errors import RequestError


def claim_idempotency_key(unit: Unit, route: str, key: str | None, body: object, makes: str) -> str | None:
    """The submission that this Idempotency-Key made; None where it is new, and noted as making `makes`.

    Waits for a twin of this request that is being served.
    """
    if key is None:
        return None
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    made = unit.session.execute(
        insert(unit.session, IdempotencyKey)
        .values(token_id=unit.caller.token, route=route, key=key, body=digest, submission_id=makes)
        .on_conflict_do_nothing(index_elements=["token_id", "route", "key"])
        .returning(IdempotencyKey.key)
    ).one_or_none()
    if made is not None:
        return None
    known = unit.session.get_one(IdempotencyKey, (unit.caller.token, route, key))
    if known.body != digest:
        raise RequestError(
            "idempotency-key-reused",
            422,
            "Idempotency-Key reused",
            "This Idempotency-Key came with another body before. Use a new key for a new move.",
        )
    return known.submission_id
