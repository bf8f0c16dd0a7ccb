"""The caller."""

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.api import schemas, views
from server.api.params import Cursor, Limit
from server.api.submissions import page
from server.arena import players
from server.arena.outbox import Outbox
from server.db.models import Submission
from server.http.requests import ArenaOf, TokenOf

router = APIRouter(tags=["me"])


@router.get("/me")
async def me(arena: ArenaOf, token: TokenOf) -> schemas.Me:
    """Whose token this is, and what it is good for."""

    def work(session: Session) -> schemas.Me:
        caller = players.authenticate(session, token)
        player = views.player(players.find(session, caller.player)) if caller.player else None
        return schemas.Me(scope=caller.scope, player=player, competition=caller.competition)

    return await arena.read(work)


@router.get("/me/submissions")
async def mine(
    arena: ArenaOf, token: TokenOf, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[schemas.Submission]:
    """All of the caller's submissions, newest first."""

    def work(session: Session) -> schemas.Items[schemas.Submission]:
        caller = players.authenticate(session, token)
        query = select(Submission).where(Submission.player_id == caller.player)
        return page(session, arena, query, cursor, limit)

    return await arena.read(work)


@router.delete("/me/token", status_code=204)
async def revoke(arena: ArenaOf, token: TokenOf) -> Response:
    """End this token. Open event streams that it opened end too."""

    def work(session: Session, outbox: Outbox) -> None:
        caller = players.authenticate(session, token)
        players.revoke(session, caller)
        outbox.tokens.add(caller.token)

    await arena.write(work)
    return Response(status_code=204)
