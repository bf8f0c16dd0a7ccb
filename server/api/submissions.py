"""Submissions: send a move, send many, look, go on, hide."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.api import schemas, views
from server.api.params import Cursor, Limit, RepeatKey, Wait
from server.api.problems import problem_of
from server.arena import challenges, players, rounds, submissions
from server.arena.outbox import Outbox
from server.db.models import Submission
from server.errors import ServerError, invalid
from server.http import requests
from server.http.requests import SETTLED, ArenaOf, Taken, TokenOf

router = APIRouter(tags=["submissions"])

Responses = dict[int | str, dict[str, Any]]

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
    """Play a move in a round. 202 while it is queued, 201 when it is scored already, 200 when it is a repetition.

    A game of several seats begins by a challenge instead.
    """
    taken = await requests.submit(arena, token, round_id, body.move, key, _shown(arena))
    return await _answer(arena, taken, response, wait)


@router.post("/rounds/{round_id}/submissions:begin", status_code=201, responses=MADE | QUEUED)
async def begin(
    arena: ArenaOf, token: TokenOf, round_id: str, response: Response, wait: Wait = 0, key: RepeatKey = None
) -> schemas.Submission:
    """Begin a play without its first move, for games that measure something before they ask for one."""
    taken = await requests.submit(arena, token, round_id, None, key, _shown(arena))
    return await _answer(arena, taken, response, wait)


@router.get("/rounds/{round_id}/challenges")
async def open_challenges(arena: ArenaOf, token: TokenOf, round_id: str) -> schemas.Items[schemas.Challenge]:
    """The plays of a game of several seats that wait for players: those the caller may join or has opened."""

    def work(session: Session) -> schemas.Items[schemas.Challenge]:
        caller = players.authenticate(session, token)
        players.require_member(caller, rounds.find_round(session, round_id).competition_id)
        return schemas.Items(items=[views.challenge(each) for each in challenges.opened(session, caller, round_id)])

    return await arena.read(work)


@router.post("/rounds/{round_id}/challenges", status_code=201, responses=MADE | QUEUED)
async def challenge(
    arena: ArenaOf,
    token: TokenOf,
    round_id: str,
    body: schemas.ChallengeRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Play with somebody: takes up the oldest open challenge that leaves the wanted seat, or opens one. With `invite`
    it is for that player alone. 202 while nobody has come."""
    taken = await requests.challenge(arena, token, round_id, body.seat, body.invite, key, _shown(arena))
    return await _answer(arena, taken, response, wait)


@router.post("/challenges/{play_id}:accept", status_code=201, responses=MADE | QUEUED)
async def accept(
    arena: ArenaOf,
    token: TokenOf,
    play_id: str,
    body: schemas.AcceptRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Take a free seat of this challenge. The play begins when the last seat is taken."""
    taken = await requests.accept(arena, token, play_id, body.seat, key, _shown(arena))
    return await _answer(arena, taken, response, wait)


@router.post("/rounds/{round_id}/submissions:batch")
async def submit_batch(
    arena: ArenaOf, token: TokenOf, round_id: str, body: schemas.BatchRequest, wait: Wait = 0
) -> schemas.Items[schemas.BatchResult]:
    """Up to 32 moves, for programs. Each is accepted or refused by itself; the answers are in order."""
    await arena.read(lambda session: rounds.admit(session, players.authenticate(session, token), round_id))
    outcomes: list[Taken[schemas.Submission] | ServerError] = []
    for item in body.items:
        try:
            outcomes.append(await requests.submit(arena, token, round_id, item.move, item.key, _shown(arena)))
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
    taken = await requests.move_again(arena, token, submission_id, body.move, key, _shown(arena))
    return await _answer(arena, taken, response, wait)


@router.post("/submissions/{submission_id}:resign")
async def resign(arena: ArenaOf, token: TokenOf, submission_id: str) -> schemas.Submission:
    """Give a play up: the attempt counts, and whoever stays keeps what they have earned. A challenge that nobody has
    taken up is taken back, and its attempt does not count."""
    return await requests.resign(arena, token, submission_id, _shown(arena))


@router.get("/submissions/{submission_id}")
async def one(arena: ArenaOf, token: TokenOf, submission_id: str, wait: Wait = 0) -> schemas.Submission:
    """A submission, as it is now. One's own; any for a host."""

    def work(session: Session) -> schemas.Submission:
        row = submissions.see(session, players.authenticate(session, token), submission_id)
        return views.submission(session, arena, row)

    seen = await arena.read(work)
    return seen if seen.state in SETTLED or not wait else await _held(arena, submission_id, wait)


@router.get("/rounds/{round_id}/submissions")
async def of_round(
    arena: ArenaOf, token: TokenOf, round_id: str, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[schemas.Submission]:
    """The caller's submissions in a round, newest first; everyone's for a host."""

    def work(session: Session) -> schemas.Items[schemas.Submission]:
        caller = players.authenticate(session, token)
        players.require_member(caller, rounds.find_round(session, round_id).competition_id)
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
        query = query.where(Submission.number < min(int(cursor), 2**63 - 1))
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(limit + 1)).all()
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    return schemas.Items(items=[views.submission(session, arena, row) for row in rows[:limit]], next=more)


def _shown(arena: ArenaOf) -> requests.Show[schemas.Submission]:
    return lambda session, row: views.submission(session, arena, row)


async def _answer(
    arena: ArenaOf, taken: Taken[schemas.Submission], response: Response, wait: float
) -> schemas.Submission:
    shown = await _after(arena, taken, wait)
    response.headers["Location"] = f"/api/v1/submissions/{shown.id}"
    response.status_code = _status(taken, shown)
    return shown


async def _after(arena: ArenaOf, taken: Taken[schemas.Submission], wait: float) -> schemas.Submission:
    """What has become of an accepted move after at most `wait` seconds."""
    if taken.shown.state in SETTLED or not wait:
        return taken.shown
    return await _held(arena, taken.submission, wait)


def _status(taken: Taken[schemas.Submission], shown: schemas.Submission) -> int:
    if not taken.fresh:
        return 200
    return 201 if shown.state in SETTLED else 202


async def _held(arena: ArenaOf, submission_id: str, seconds: float) -> schemas.Submission:
    await requests.settled(arena, submission_id, seconds)
    return await arena.read(lambda session: views.submission(session, arena, submissions.find(session, submission_id)))


async def _batch_result(
    arena: ArenaOf, outcome: Taken[schemas.Submission] | ServerError, wait: float
) -> schemas.BatchResult:
    if isinstance(outcome, ServerError):
        return schemas.BatchResult(status=outcome.status, problem=problem_of(outcome))
    shown = await _after(arena, outcome, wait)
    return schemas.BatchResult(status=_status(outcome, shown), submission=shown)


async def _set_hidden(arena: ArenaOf, token: str | None, submission_id: str, *, hidden: bool) -> schemas.Submission:
    def work(session: Session, outbox: Outbox) -> schemas.Submission:
        caller = players.authenticate(session, token)
        players.require_host(caller)
        row = submissions.set_hidden(session, outbox, caller, submission_id, hidden)
        return views.submission(session, arena, row)

    return await arena.write(work)
