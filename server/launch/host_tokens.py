"""`xentarena host-token`: who runs competitions, another token for the owner, the end of one. Servers may run on."""

from typing import Any

from server.arena import host_tokens
from server.db.models import Token
from server.launch import tokens
from server.launch.data_dir import DataDir
from server.settings import Settings


def all_good(settings: Settings) -> list[dict[str, Any]]:
    """Raises CommandError, as all of these do."""
    return tokens.written(settings, lambda session: [_told(row) for row in host_tokens.all_good(session)])


def rotate(settings: Settings) -> str:
    """The owner's new token. Those of before end at once, with the streams that they opened."""
    token, ended = tokens.written(settings, host_tokens.rotate)
    if settings.database_url is None:
        DataDir(settings.data).keep_host_token(token)
    tokens.tell(settings, ended)
    return token


def revoke(settings: Settings, token_id: str) -> None:
    tokens.written(settings, lambda session: _told(host_tokens.revoke(session, token_id)))
    tokens.tell(settings, [token_id])


def _told(row: Token) -> dict[str, Any]:
    name = row.name or ("the owner" if row.owner else "")
    made = row.created_at.isoformat(timespec="seconds")
    return {"id": row.id, "scope": row.scope, "name": name, "competition": row.competition_id, "made": made}
