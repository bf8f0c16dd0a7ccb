"""What hosts did, kept for hosts."""

from server.arena.unit import Unit
from server.db.models import Audit


def record(unit: Unit, action: str, target: str, **detail: str | int | bool | None) -> None:
    unit.session.add(Audit(at=unit.now, token_id=unit.caller.token, action=action, target=target, detail=detail))
