"""Rounds: make, look, open, pause, close; their boards."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from server.api import schemas, views
from server.api.boards import board_page
from server.api.params import Cursor, Limit
from server.arena import competitions, endings, leaderboards, players, round_setup, rounds
from server.arena.outbox import Outbox
from server.db.models import PlayerKind, RoundState
from server.http.requests import ArenaOf, TokenOf

router = APIRouter(tags=["rounds"])


@router.post("/competitions/{competition_id}/rounds", status_code=201)
async def create(
    arena: ArenaOf, token: TokenOf, competition_id: str, body: schemas.RoundRequest, response: Response
) -> schemas.Round:
    """Make a round: open at once, or at `opens_at`. Where the game wants texts of a judge it is `preparing` until they
    are written. Hosts only."""
    await arena.look_for_workers()

    def work(session: Session, outbox: Outbox) -> schemas.Round:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        judge = arena.default_judge() if body.judge is None else body.judge
        new = round_setup.NewRound(**{**body.model_dump(), "judge": judge})
        row = rounds.create_round(session, outbox, caller, competition_id, new)
        outbox.competitions.add(competition_id)
        return views.round_(session, caller, row)

    made = await arena.write(work)
    response.headers["Location"] = f"/api/v1/rounds/{made.id}"
    return made


@router.get("/competitions/{competition_id}/rounds")
async def everyone(arena: ArenaOf, token: TokenOf, competition_id: str) -> schemas.Items[schemas.Round]:
    """The rounds of a competition, in order."""

    def work(session: Session) -> schemas.Items[schemas.Round]:
        caller = players.authenticate(session, token)
        row = competitions.find(session, competition_id)
        players.require_member(caller, row.id)
        rows = rounds.of_competition(session, competition_id)
        return schemas.Items(items=[views.round_(session, caller, each) for each in rows])

    return await arena.read(work)


@router.get("/rounds/{round_id}")
async def one(arena: ArenaOf, token: TokenOf, round_id: str) -> schemas.Round:
    def work(session: Session) -> schemas.Round:
        caller = players.authenticate(session, token)
        row = rounds.find_round(session, round_id)
        players.require_member(caller, row.competition_id)
        return views.round_(session, caller, row)

    return await arena.read(work)


@router.post("/rounds/{round_id}:open")
async def open_(arena: ArenaOf, token: TokenOf, round_id: str) -> schemas.Round:
    """Open a round, now; also one that was paused or closed. Hosts only."""
    return await _set_state(arena, token, round_id, RoundState.OPEN)


@router.post("/rounds/{round_id}:pause")
async def pause(arena: ArenaOf, token: TokenOf, round_id: str) -> schemas.Round:
    """Take no moves until it is opened again. What is queued is finished. Hosts only."""
    return await _set_state(arena, token, round_id, RoundState.PAUSED)


@router.post("/rounds/{round_id}:close")
async def close(arena: ArenaOf, token: TokenOf, round_id: str) -> schemas.Round:
    """End a round. What is queued is finished and counts; plays that await a move are abandoned. Hosts only."""
    return await _set_state(arena, token, round_id, RoundState.CLOSED)


async def _set_state(arena: ArenaOf, token: str | None, round_id: str, state: RoundState) -> schemas.Round:
    def work(session: Session, outbox: Outbox) -> schemas.Round:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        row = rounds.set_round_state(session, outbox, caller, round_id, state)
        return views.round_(session, caller, row)

    shown = await arena.write(work)
    await arena.write(endings.end_late_plays)
    return shown


@router.get("/rounds/{round_id}/leaderboard", response_model=schemas.Items[schemas.BoardEntry])
async def leaderboard(
    request: Request,
    arena: ArenaOf,
    token: TokenOf,
    round_id: str,
    kind: PlayerKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 1_000,
) -> Response:
    """Everyone's best of a round. `kind` shows one side where bots stand apart."""

    def work(session: Session) -> list[leaderboards.Entry]:
        caller = players.authenticate(session, token)
        row = rounds.find_round(session, round_id)
        players.require_member(caller, row.competition_id)
        competition = competitions.find(session, row.competition_id)
        return leaderboards.of_round(session, row, leaderboards.kinds(competition, kind))

    return board_page(request, await arena.read(work), cursor, limit)
