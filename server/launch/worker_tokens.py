"""`xentarena worker-token`: which machines may measure for a server over HTTP. Servers may run on."""

from typing import Any

from server.arena import worker_tokens
from server.db.models import Token
from server.launch import tokens
from server.settings import Settings


def create(settings: Settings, name: str) -> str:
    """A new one. Raises CommandError, as all of these do."""
    return tokens.written(settings, lambda session: worker_tokens.create(session, name)[0])


def all_good(settings: Settings) -> list[dict[str, Any]]:
    return tokens.written(settings, lambda session: [_told(row) for row in worker_tokens.all_good(session)])


def revoke(settings: Settings, token_id: str) -> None:
    """From now on the server takes nothing from whoever has it, and gives them nothing."""
    tokens.written(settings, lambda session: _told(worker_tokens.revoke(session, token_id)))
    tokens.tell(settings, [token_id])


def _told(row: Token) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "made": row.created_at.isoformat(timespec="seconds")}
