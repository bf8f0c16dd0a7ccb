"""Submissions: send a move, send many, look, go on, hide."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response

from server.api import bodies, schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit, RepeatKey, Wait
from server.api.problems import problem_of
from server.arena import admission, challenges, previews, reveal_looks, submissions
from server.arena.unit import Unit
from server.db.models import Submission
from server.errors import ServerError
from server.http.calls import BeginOf, PlayOf, PreviewOf, Read, ReadOf, Sent, WriteOf
from server.http.desk import Taken
from server.http.requests import SETTLED, settled

router = APIRouter(tags=["submissions"], route_class=JsonRoute)

Responses = dict[int | str, dict[str, Any]]

MADE: Responses = {
    200: {"description": "Made by an earlier request with this Idempotency-Key.", "model": schemas.Submission}
}
SCORED: Responses = {201: {"description": "Scored, or awaiting a move.", "model": schemas.Submission}}
QUEUED: Responses = {202: {"description": "Accepted, not scored yet.", "model": schemas.Submission}}


@router.post("/rounds/{round_id}/submissions", status_code=201, responses=MADE | QUEUED)
async def submit_move(
    begins: BeginOf,
    read: ReadOf,
    round_id: str,
    body: bodies.SubmissionRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Play a move in a round. 202 while it is queued, 201 when it is scored already, 200 when it is a repetition.

    A game of several seats begins by a challenge instead. A round that has ended takes practice, which counts nowhere.
    """
    taken = await begins(views.submissions, round_id, Sent(body.move, key, body.practice))
    return await _answer(read, taken, response, wait)


@router.post("/rounds/{round_id}/moves:preview")
async def preview_move(read: PreviewOf, round_id: str, body: bodies.PreviewRequest) -> schemas.Preview:
    """What would become of a move: its tokens, what is cut and taken out, which conditions fail. Costs no attempt."""
    return await read.show(views.preview, previews.preview, round_id, body.move, body.submission, body.practice)


@router.post("/rounds/{round_id}/submissions:begin", status_code=201, responses=MADE | QUEUED)
async def begin_play(
    begins: BeginOf,
    read: ReadOf,
    round_id: str,
    response: Response,
    body: bodies.BeginRequest | None = None,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Begin a play without its first move, for games that measure something before they ask for one."""
    practice = body is not None and body.practice
    taken = await begins(views.submissions, round_id, Sent(None, key, practice))
    return await _answer(read, taken, response, wait)


@router.get("/rounds/{round_id}/challenges")
async def list_challenges(
    read: ReadOf, round_id: str, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.Challenge]:
    """The plays of a game of several seats that wait for players: those the caller may join or has opened."""
    most = views.reach(cursor, limit)
    return await read.show(views.items(views.challenge, cursor, limit), challenges.opened, round_id, most)


@router.post("/rounds/{round_id}/challenges", status_code=201, responses=MADE | QUEUED)
async def create_challenge(
    call: PlayOf,
    read: ReadOf,
    round_id: str,
    body: bodies.ChallengeRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Play with somebody: takes up the oldest open challenge that leaves the wanted seat, or opens one. With `invite`
    it is for that player alone. 202 while nobody has come. A player waits in at most five challenges of a round, of
    which one is open to everybody; after a day nobody can take one up any more, and its attempt is given back."""
    taken = await call.play(views.submission, challenges.challenge, round_id, body.seat, body.invite, key)
    return await _answer(read, taken, response, wait)


@router.post("/challenges/{play_id}:accept", status_code=201, responses=MADE | QUEUED)
async def accept_challenge(
    call: PlayOf,
    read: ReadOf,
    play_id: str,
    body: bodies.AcceptRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """Take a free seat of this challenge. The play begins when the last seat is taken."""
    taken = await call.play(views.submission, challenges.accept, play_id, body.seat, key)
    return await _answer(read, taken, response, wait)


@router.post("/rounds/{round_id}/submissions:batch")
async def submit_moves(
    begins: BeginOf, read: ReadOf, round_id: str, body: bodies.BatchRequest, wait: Wait = 0
) -> schemas.Items[schemas.BatchResult]:
    """Up to 32 moves, for programs. Each is accepted or refused by itself; the answers are in order."""
    await read(admission.admit, round_id)
    sent = [Sent(item.move, item.key, item.practice) for item in body.items]
    outcomes = await begins.each(views.submissions, round_id, sent)
    return schemas.Items(items=await asyncio.gather(*(_batch_result(read, each, wait) for each in outcomes)))


@router.post("/submissions/{submission_id}/moves", responses=MADE | SCORED | QUEUED)
async def submit_next_move(
    call: PlayOf,
    read: ReadOf,
    submission_id: str,
    body: bodies.MoveRequest,
    response: Response,
    wait: Wait = 0,
    key: RepeatKey = None,
) -> schemas.Submission:
    """The next move of a play that awaits one."""
    taken = await call.play(views.submission, submissions.move_again, submission_id, body.move, key)
    return await _answer(read, taken, response, wait)


@router.post("/submissions/{submission_id}:resign")
async def resign_play(write: WriteOf, submission_id: str) -> schemas.Submission:
    """Give a play up: the attempt counts, whoever stays keeps what they have earned, and in a zero-sum game it is a
    loss. A challenge that nobody has
    taken up is taken back, and its attempt does not count."""
    return await write.show(views.submission, submissions.resign, submission_id)


@router.get("/submissions/{submission_id}")
async def get_submission(read: ReadOf, submission_id: str, wait: Wait = 0) -> schemas.Submission:
    """A submission, as it is now. One's own; any for a host."""
    seen = await read.show(views.submission, submissions.see, submission_id)
    return seen if seen.state in SETTLED or not wait else await _held(read, submission_id, wait)


@router.get("/rounds/{round_id}/submissions")
async def list_round_submissions(
    read: ReadOf, round_id: str, cursor: Cursor = None, limit: Limit = 100
) -> schemas.Items[schemas.Submission]:
    """The caller's submissions in a round, newest first; everyone's for a host."""
    return await read.show(views.page, submissions.of_round, round_id, cursor, limit)


@router.post("/submissions/{submission_id}:hide")
async def hide_submission(write: WriteOf, submission_id: str) -> schemas.Submission:
    """Take a move off the board and out of sight. `:show` undoes it. Hosts only."""
    return await write.show(views.submission, submissions.set_hidden, submission_id, hidden=True)


@router.post("/submissions/{submission_id}:show")
async def show_submission(write: WriteOf, submission_id: str) -> schemas.Submission:
    """Put a hidden move back. Hosts only."""
    return await write.show(views.submission, submissions.set_hidden, submission_id, hidden=False)


@router.post("/rounds/{round_id}/submissions:hide")
async def hide_submissions(
    write: WriteOf, round_id: str, body: bodies.SubmissionsRequest
) -> schemas.Items[schemas.Submission]:
    """Hide submissions of one round at once: all of them or none. Hosts only."""
    return await write.show(_all, reveal_looks.hide_several, round_id, body.submissions, hidden=True)


@router.post("/rounds/{round_id}/submissions:show")
async def show_submissions(
    write: WriteOf, round_id: str, body: bodies.SubmissionsRequest
) -> schemas.Items[schemas.Submission]:
    """Put hidden submissions back: all of them or none. Hosts only."""
    return await write.show(_all, reveal_looks.hide_several, round_id, body.submissions, hidden=False)


def _all(unit: Unit, rows: Sequence[Submission]) -> schemas.Items[schemas.Submission]:
    return schemas.Items(items=views.submissions(unit, rows))


async def _answer(read: Read, taken: Taken[schemas.Submission], response: Response, wait: float) -> schemas.Submission:
    shown = await _after(read, taken, wait)
    response.headers["Location"] = f"/api/v1/submissions/{shown.id}"
    response.status_code = _status(taken, shown)
    return shown


async def _after(read: Read, taken: Taken[schemas.Submission], wait: float) -> schemas.Submission:
    """What has become of an accepted move after at most `wait` seconds."""
    if taken.shown.state in SETTLED or not wait:
        return taken.shown
    try:
        await settled(read.context, taken.submission, wait)
        return await read.show_at_once(views.submission, submissions.see, taken.submission)
    except ServerError:  # a token revoked meanwhile, a database away: the move is accepted all the same
        return taken.shown


def _status(taken: Taken[schemas.Submission], shown: schemas.Submission) -> int:
    if not taken.fresh:
        return 200
    return 201 if shown.state in SETTLED else 202


async def _held(read: Read, submission_id: str, seconds: float) -> schemas.Submission:
    await settled(read.context, submission_id, seconds)
    return await read.show(views.submission, submissions.see, submission_id)


async def _batch_result(
    read: Read, outcome: Taken[schemas.Submission] | ServerError, wait: float
) -> schemas.BatchResult:
    if isinstance(outcome, ServerError):
        return schemas.BatchResult(status=outcome.status, problem=problem_of(outcome))
    shown = await _after(read, outcome, wait)
    return schemas.BatchResult(status=_status(outcome, shown), submission=shown)
