"""The keys by which a server signs receipts. The newest signs; what an older one has signed stays good."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.arena import audit, callers
from server.arena.unit import Unit
from server.db.models import SigningKey
from server.db.session import insert, now
from xentarena.receipts import fingerprint


def ensure(session: Session) -> None:
    """Make the first key, where there is none. Of processes that start at once, one makes it."""
    if session.scalar(select(SigningKey.number).limit(1)) is None:
        _make(session, 1)


def replace(unit: Unit) -> SigningKey:
    """Sign with a new key from now on. Hosts of the whole server only."""
    callers.require_owner(unit.caller)
    before = current(unit.session).id
    newest = unit.session.scalars(select(func.max(SigningKey.number))).one()
    _make(unit.session, (newest or 0) + 1)
    key = current(unit.session)
    audit.record(unit, "key.replace", key.id, before=before, after=key.id)
    return key


def current(session: Session) -> SigningKey:
    """The key that signs."""
    return session.scalars(select(SigningKey).order_by(SigningKey.number.desc()).limit(1)).one()


def everyone(unit: Unit) -> Sequence[SigningKey]:
    """All keys that ever signed here, the newest first. For everybody."""
    return unit.session.scalars(select(SigningKey).order_by(SigningKey.number.desc())).all()


def private(key: SigningKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key.private)


def public(key: SigningKey) -> bytes:
    return private(key).public_key().public_bytes_raw()


def _make(session: Session, number: int) -> None:
    """A key with this number, unless another transaction makes it first."""
    key = Ed25519PrivateKey.generate()
    values = {
        "number": number,
        "id": fingerprint(key.public_key().public_bytes_raw()),
        "private": key.private_bytes_raw(),
        "created_at": now(session),
    }
    session.execute(insert(session, SigningKey).values(values).on_conflict_do_nothing(index_elements=["number"]))
