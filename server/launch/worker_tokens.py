"""`xentarena worker-token`: which machines may measure for a server over HTTP, and who is not believed. Servers may run
on."""

from typing import Any

from sqlalchemy.orm import Session

from server.arena import audit, distrusting, trust, worker_tokens
from server.arena.callers import Caller
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.models import Token
from server.db.states import Blamed, Scope
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


def distrust(settings: Settings, kind: Blamed, name: str) -> dict[str, Any]:
    """No more work for a worker, a lent one by its token's id, or a build; others measure again what it measured.
    Returns how many measurements, and the rounds that are scored again, aside. A running server takes both up by
    itself. Raises CommandError for what has measured nothing, too."""

    def stop(session: Session) -> dict[str, Any]:
        mended = distrusting.distrust(_unit(settings, session), kind, name).mended
        return {"measurements": mended.measurements, "rounds": [each.round_id for each in mended.rescorings]}

    found = tokens.written(settings, stop)
    tokens.tell(settings, [name])
    return found


def trust_again(settings: Settings, kind: Blamed, name: str) -> None:
    """It may work again."""
    tokens.written(settings, lambda session: distrusting.trust_again(_unit(settings, session), kind, name))


def distrusted(settings: Settings) -> list[dict[str, Any]]:
    """Who is not believed, the newest first."""
    return tokens.written(
        settings,
        lambda session: [
            {"kind": each.kind, "name": each.name, "since": each.at.isoformat(timespec="seconds")}
            for each in trust.everyone(session)
        ],
    )


def _unit(settings: Settings, session: Session) -> Unit:
    """Of whoever has the server's machine, who knows of no workers but by what they have measured."""
    return Unit(session, Outbox(), Caller(audit.SERVER, Scope.HOST, owner=True), settings, Workforce())


def _told(row: Token) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "made": row.created_at.isoformat(timespec="seconds")}
