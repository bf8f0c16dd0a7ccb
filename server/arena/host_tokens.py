"""The tokens of those who run competitions, as whoever has the server's machine sees to them."""

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import callers
from server.db.models import Token
from server.db.session import now
from server.db.states import Scope
from server.errors import not_found

SCOPES = (Scope.HOST, Scope.OBSERVER)


def all_good(session: Session) -> Sequence[Token]:
    """Every host's and observer's token that is good: the owner's first, then as they were made."""
    query = select(Token).where(Token.scope.in_(SCOPES), Token.revoked_at.is_(None))
    return session.scalars(query.order_by(Token.owner.desc(), Token.created_at, Token.id)).all()


def rotate(session: Session) -> tuple[str, Sequence[str]]:
    """A new token of the owner's; and the ids of those that it ends."""
    token = secrets.token_urlsafe(32)
    return token, callers.ensure_owner(session, token)


def revoke(session: Session, token_id: str) -> Token:
    """End one. Raises `RequestError` where there is none."""
    row = session.get(Token, token_id)
    if row is None or row.scope not in SCOPES or row.revoked_at is not None:
        raise not_found("There is no host or observer {name}.", token_id)
    row.revoked_at = now(session)
    return row
