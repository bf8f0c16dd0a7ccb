"""The pages of players: join, play, see the score; and how all pages are put into the application."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from server.arena import rounds
from server.db.models import SubmissionState
from server.errors import RequestError
from server.http import requests
from server.http.context import AppContext
from server.http.requests import ArenaOf, TokenOf
from server.web import auth, board, games, host, view_models
from server.web.rendering import HERE, Files, FormOf, go, own_forms_only, page, speak_to_people

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
Hold = Annotated[float, Query(ge=0, le=30)]


def install(app: FastAPI) -> None:
    """Put the pages into an application that has its error handlers already."""
    for part in (auth.router, router, games.router, host.router):
        app.include_router(part)
    app.mount("/static", Files(directory=HERE / "static"))
    app.state.boards = {}
    speak_to_people(app)


@router.get("/play")
async def play(arena: ArenaOf, token: TokenOf) -> Response:
    """To the newest open round, or to the list of rounds where none is open."""

    def work(session: Session) -> view_models.RoundLine | None:
        viewer = view_models.viewer(session, token)
        if viewer.competition is None:
            return None
        return view_models.newest_open(view_models.lines(session, viewer.caller, viewer.competition.id))

    newest = await arena.read(work)
    return go(f"/rounds/{newest.id}" if newest else "/rounds")


@router.get("/rounds")
async def all_rounds(request: Request, arena: ArenaOf, token: TokenOf) -> Response:
    """The competition: its rounds, and the board over all of them."""
    return await _rounds(request, arena, token, "rounds.html")


@router.get("/rounds/list")
async def list_of_rounds(request: Request, arena: ArenaOf, token: TokenOf) -> Response:
    return await _rounds(request, arena, token, "parts/rounds.html")


@router.get("/rounds/board")
async def overall_board(request: Request, arena: ArenaOf, token: TokenOf) -> Response:
    return await _rounds(request, arena, token, "parts/board.html")


async def _rounds(request: Request, arena: AppContext, token: str | None, template: str) -> Response:
    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        if viewer.competition is None:
            return go("/host")
        return page(
            template,
            viewer=viewer,
            events=viewer.competition.id,
            rounds=view_models.lines(session, viewer.caller, viewer.competition.id),
            sections=board.of_competition(session, viewer.caller, viewer.competition.id, request.app.state.boards),
        )

    return await arena.read(work)


@router.get("/rounds/{round_id}")
async def one_round(request: Request, arena: ArenaOf, token: TokenOf, round_id: str) -> Response:
    """A round to be played in."""
    return await _round(request, arena, token, round_id)


async def _round(
    request: Request,
    arena: AppContext,
    token: str | None,
    round_id: str,
    *,
    status: int = 200,
    move: str = "",
    error: str | None = None,
) -> Response:
    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        round_ = view_models.round_(session, viewer.caller, round_id)
        mine = view_models.own(session, viewer.caller, round_id)
        latest = view_models.submission(session, arena, viewer.caller, mine[0].id) if mine else None
        return page(
            "round.html",
            status,
            viewer=viewer,
            events=round_.competition,
            rounds=view_models.lines(session, viewer.caller, round_.competition),
            current=round_id,
            round=round_,
            mine=mine,
            submission=latest,
            meeting=view_models.meeting(session, viewer.caller, round_id),
            sections=board.of_round(session, viewer.caller, round_id, request.app.state.boards),
            move=move,
            error=error,
        )

    return await arena.read(work)


@router.get("/rounds/{round_id}/state")
async def state_of_round(arena: ArenaOf, token: TokenOf, round_id: str) -> Response:
    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        round_ = view_models.round_(session, viewer.caller, round_id)
        return page("parts/state.html", viewer=viewer, round=round_)

    return await arena.read(work)


@router.get("/rounds/{round_id}/challenges")
async def challenges_of_round(arena: ArenaOf, token: TokenOf, round_id: str) -> Response:
    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        meeting = view_models.meeting(session, viewer.caller, round_id)
        return page("parts/challenges.html", viewer=viewer, meeting=meeting, error=None) if meeting else Response()

    return await arena.read(work)


@router.post("/rounds/{round_id}/challenges")
async def challenge(request: Request, arena: ArenaOf, token: TokenOf, round_id: str, form: FormOf) -> Response:
    """Play with whoever waits or comes, or with the one who is invited."""
    seat, invite = form.get("seat") or None, form.get("invite") or None
    try:
        taken = await requests.challenge(arena, token, round_id, seat, invite, None, lambda *_: None)
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await _round(request, arena, token, round_id, status=refused.status, error=refused.detail)
    return go(f"/submissions/{taken.submission}")


@router.post("/challenges/{play_id}/accept")
async def accept(arena: ArenaOf, token: TokenOf, play_id: str) -> Response:
    taken = await requests.accept(arena, token, play_id, None, None, lambda *_: None)
    return go(f"/submissions/{taken.submission}")


@router.post("/submissions/{submission_id}/resign")
async def resign(arena: ArenaOf, token: TokenOf, submission_id: str) -> Response:
    round_id = await requests.resign(arena, token, submission_id, lambda _, row: row.round_id)
    return go(f"/rounds/{round_id}#score")


@router.get("/rounds/{round_id}/board")
async def board_of_round(request: Request, arena: ArenaOf, token: TokenOf, round_id: str) -> Response:
    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        sections = board.of_round(session, viewer.caller, round_id, request.app.state.boards)
        return page("parts/board.html", viewer=viewer, sections=sections)

    return await arena.read(work)


@router.get("/rounds/{round_id}/mine")
async def own_submissions(arena: ArenaOf, token: TokenOf, round_id: str) -> Response:
    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        return page("parts/mine.html", viewer=viewer, mine=view_models.own(session, viewer.caller, round_id))

    return await arena.read(work)


@router.post("/rounds/{round_id}/moves")
async def submit(request: Request, arena: ArenaOf, token: TokenOf, round_id: str, form: FormOf) -> Response:
    """A move from the form itself, where no script is at work to send it."""
    move = form.get("move", "")
    try:
        accepted = await requests.submit(arena, token, round_id, move, form.get("key") or None, lambda *_: None)
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await _round(request, arena, token, round_id, status=refused.status, move=move, error=refused.detail)
    await requests.settled(arena, accepted.submission, 10)
    return go(f"/rounds/{round_id}#score")


@router.post("/rounds/{round_id}/begin")
async def begin(request: Request, arena: ArenaOf, token: TokenOf, round_id: str) -> Response:
    """A play of a game that measures something before it asks for the first move."""
    try:
        accepted = await requests.submit(arena, token, round_id, None, None, lambda *_: None)
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await _round(request, arena, token, round_id, status=refused.status, error=refused.detail)
    await requests.settled(arena, accepted.submission, 10)
    return go(f"/rounds/{round_id}#score")


@router.post("/submissions/{submission_id}/moves")
async def move_again(arena: ArenaOf, token: TokenOf, submission_id: str, form: FormOf) -> Response:
    await requests.move_again(arena, token, submission_id, form.get("move", ""), None, lambda *_: None)
    await requests.settled(arena, submission_id, 10)
    return go(f"/submissions/{submission_id}")


@router.get("/submissions/{submission_id}")
async def submission(arena: ArenaOf, token: TokenOf, submission_id: str) -> Response:
    """A submission on a page of its own."""

    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        seen = view_models.submission(session, arena, viewer.caller, submission_id)
        competition = rounds.find_round(session, seen.round).competition_id
        listed = view_models.lines(session, viewer.caller, competition)
        return page(
            "submission.html", viewer=viewer, events=competition, rounds=listed, current=seen.round, submission=seen
        )

    return await arena.read(work)


@router.get("/submissions/{submission_id}/panel")
async def panel(
    arena: ArenaOf, token: TokenOf, submission_id: str, wait: Hold = 0, known: SubmissionState | None = None
) -> Response:
    """A submission as part of a page; held until it is settled, and in another state than the one that the page knows
    already, at most `wait` seconds."""

    def work(session: Session) -> Response:
        viewer = view_models.viewer(session, token)
        seen = view_models.submission(session, arena, viewer.caller, submission_id)
        return page("parts/submission.html", viewer=viewer, submission=seen)

    if wait:
        await arena.read(lambda session: view_models.viewer(session, token))
        await requests.settled(arena, submission_id, wait, known)
    return await arena.read(work)
