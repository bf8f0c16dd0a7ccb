"""What hosts did, kept for hosts."""

from sqlalchemy.orm import Session

from server.arena.players import Caller
from server.db.models import Audit
from server.db.session import now


def audit(session: Session, caller: Caller, action: str, target: str, **detail: str | int | bool | None) -> None:
    session.add(Audit(at=now(session), token_id=caller.token, action=action, target=target, detail=detail))
