"""Submissions: send a move, send many, look, go on, hide."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server import competitions, players, plays
from server.api import schemas, views
from server.api.edge import ArenaOf, Cursor, Limit, RepeatKey, TokenOf, Wait
from server.api.problems import problem_of
from server.errors import ServerError, invalid
from server.live import until
from server.metrics import ACCEPTED
from server.models import FINAL, State, Submission
from server.plays import Accepted, After

router = APIRouter(tags=["submissions"])

Responses = dict[int | str, dict[str, Any]]

#: Nobody has to do anything but wait for these.
SETTLED = FINAL | {State.AWAITING_MOVE}
MADE: Responses = {
    200: {"description": "Made by an earlier request with this Idempotency-Key.", "model": schemas.Submission}
}
QUEUED: Responses = {202: {"description": "Accepted, not scored yet.", "model": schemas.Submission}}


@router.post("/rounds/{round_id}/submissions", status_code=201, responses=MADE | QUEUED)
async def submit(
    arena: ArenaOf,
    token: TokenOf,
    round_id: str,
    body: schemas.MoveRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Play a move in a round. 202 while it is queued, 201 when it is scored already, 200 when it is a repetition."""
    accepted = await _submit(arena, token, round_id, body.move, key)
    return await _answer(arena, accepted, response, wait)


@router.post("/rounds/{round_id}/submissions:batch")
async def submit_batch(
    arena: ArenaOf, token: TokenOf, round_id: str, body: schemas.BatchRequest, wait: Wait = 0
) -> schemas.Items[schemas.BatchResult]:
    """Up to 32 moves, for programs. Each is accepted or refused by itself; the answers are in order."""
    outcomes: list[Accepted | ServerError] = []
    for item in body.items:
        try:
            outcomes.append(await _submit(arena, token, round_id, item.move, item.key))
        except ServerError as error:
            outcomes.append(error)
    return schemas.Items(items=await asyncio.gather(*(_batch_result(arena, each, wait) for each in outcomes)))


@router.post("/submissions/{submission_id}/moves", responses=QUEUED)
async def move(
    arena: ArenaOf,
    token: TokenOf,
    submission_id: str,
    body: schemas.MoveRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """The next move of a play that awaits one."""

    def work(session: Session, after: After) -> Accepted:
        caller = players.authenticate(session, token)
        arena.rates.spend(caller.player or caller.token)
        limit = arena.settings.pending_limit
        return plays.move_again(session, after, caller, submission_id, body.move, key, limit)

    return await _answer(arena, await arena.write(work), response, wait)


@router.get("/submissions/{submission_id}")
async def one(arena: ArenaOf, token: TokenOf, submission_id: str, wait: Wait = 0) -> schemas.Submission:
    """A submission, as it is now. One's own; any for a host."""

    def check(session: Session) -> None:
        plays.see(session, players.authenticate(session, token), submission_id)

    await arena.read(check)
    return await _held(arena, submission_id, wait)


@router.get("/rounds/{round_id}/submissions")
async def of_round(
    arena: ArenaOf, token: TokenOf, round_id: str, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[schemas.Submission]:
    """The caller's submissions in a round, newest first; everyone's for a host."""

    def work(session: Session) -> schemas.Items[schemas.Submission]:
        caller = players.authenticate(session, token)
        players.require_member(caller, competitions.find_round(session, round_id).competition_id)
        query = select(Submission).where(Submission.round_id == round_id)
        if not caller.is_host:
            query = query.where(Submission.player_id == caller.player)
        return page(session, arena, query, cursor, limit)

    return await arena.read(work)


@router.post("/submissions/{submission_id}:hide")
async def hide(arena: ArenaOf, token: TokenOf, submission_id: str) -> schemas.Submission:
    """Take a move off the board and out of sight. `:show` undoes it. Hosts only."""
    return await _set_hidden(arena, token, submission_id, hidden=True)


@router.post("/submissions/{submission_id}:show")
async def show(arena: ArenaOf, token: TokenOf, submission_id: str) -> schemas.Submission:
    """Put a hidden move back. Hosts only."""
    return await _set_hidden(arena, token, submission_id, hidden=False)


def page(
    session: Session, arena: ArenaOf, query: Select[Submission], cursor: str | None, limit: int
) -> schemas.Items[schemas.Submission]:
    """Newest first; the cursor is the acceptance number to go on below."""
    if cursor is not None:
        if not cursor.isascii() or not cursor.isdigit():
            raise invalid("(query)/cursor", "This cursor was not given by this server.")
        query = query.where(Submission.number < int(cursor))
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(limit + 1)).all()
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    return schemas.Items(items=[views.submission(session, arena, row) for row in rows[:limit]], next=more)


async def _submit(arena: ArenaOf, token: str | None, round_id: str, move: str, key: str | None) -> Accepted:
    def work(session: Session, after: After) -> Accepted:
        caller = players.authenticate(session, token)
        arena.rates.spend(caller.player or caller.token)
        accepted = plays.submit(session, after, caller, round_id, move, key, arena.settings.pending_limit)
        if accepted.fresh:
            ACCEPTED.labels(caller.kind).inc()
        return accepted

    return await arena.write(work)


async def _answer(arena: ArenaOf, accepted: Accepted, response: Response, wait: float) -> schemas.Submission:
    shown = await _held(arena, accepted.submission, wait)
    response.headers["Location"] = f"/api/v1/submissions/{shown.id}"
    response.status_code = _status(accepted, shown)
    return shown


def _status(accepted: Accepted, shown: schemas.Submission) -> int:
    if not accepted.fresh:
        return 200
    return 201 if shown.state in SETTLED else 202


async def _held(arena: ArenaOf, submission_id: str, seconds: float) -> schemas.Submission:
    async def read() -> schemas.Submission:
        return await arena.read(lambda session: views.submission(session, arena, plays.find(session, submission_id)))

    return await until(arena.live, submission_id, read, lambda shown: shown.state in SETTLED, seconds)


async def _batch_result(arena: ArenaOf, outcome: Accepted | ServerError, wait: float) -> schemas.BatchResult:
    if isinstance(outcome, ServerError):
        return schemas.BatchResult(status=outcome.status, problem=problem_of(outcome))
    shown = await _held(arena, outcome.submission, wait)
    return schemas.BatchResult(status=_status(outcome, shown), submission=shown)


async def _set_hidden(arena: ArenaOf, token: str | None, submission_id: str, *, hidden: bool) -> schemas.Submission:
    def work(session: Session, after: After) -> schemas.Submission:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        row = plays.set_hidden(session, after, caller, submission_id, hidden)
        return views.submission(session, arena, row)

    return await arena.write(work)
