"""The tokens of workers on other machines, as whoever has the server's machine sees to them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import callers
from server.arena.validation import clean_name
from server.db.models import Token
from server.db.session import now
from server.db.states import Scope
from server.errors import RequestError, not_found

OF_SERVE = "serve --workers"  # the name of the one that `serve` makes by itself


def create(session: Session, name: str) -> tuple[str, Token]:
    """A new one, which is told this once. Raises `RequestError` for a name that is none."""
    return callers.issue(session, Scope.WORKER, now(session), name=clean_name(name))


def all_good(session: Session) -> Sequence[Token]:
    """Those that are good, as they were made."""
    query = select(Token).where(Token.scope == Scope.WORKER, Token.revoked_at.is_(None))
    return session.scalars(query.order_by(Token.created_at, Token.id)).all()


def revoke(session: Session, token_id: str) -> Token:
    """End one. Raises `RequestError` where there is none."""
    row = session.get(Token, token_id)
    if row is None or row.scope is not Scope.WORKER or row.revoked_at is not None:
        raise not_found("There is no worker's token {name}.", token_id)
    row.revoked_at = now(session)
    return row


def good_or_new(session: Session, token: str | None) -> str:
    """This token where it is a worker's and good; otherwise a new one."""
    try:
        callers.worker(session, token)
    except RequestError:
        return create(session, OF_SERVE)[0]
    return token or ""
