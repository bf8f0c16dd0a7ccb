"""The pages of players: join, play, see the score; and how all pages are put into the application."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response

from server.arena import challenges, previews, rounds, submissions
from server.arena import league as leagues
from server.arena.unit import Unit
from server.db.models import Submission
from server.db.states import SubmissionState
from server.errors import RequestError
from server.http.calls import BeginOf, PlayOf, PreviewOf, Read, ReadOf, Sent, WriteOf
from server.http.context import AppContext
from server.http.requests import settled
from server.web import (
    announcements,
    audit,
    auth,
    board,
    control,
    deletion,
    freezing,
    games,
    gradebooks,
    host,
    host_rounds,
    hosts,
    judges,
    lab,
    lab_samples,
    lab_several,
    league,
    move_diff,
    people,
    rescorings,
    retention,
    reveal_looks,
    revealed,
    round_lines,
    sharing,
    teams,
    timeline,
    view_models,
    wall,
)
from server.web.i18n import Languages, translated
from server.web.rendering import HERE, Files, FormOf, go, own_forms_only, page
from server.web.troubles import speak_to_people

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
Hold = Annotated[float, Query(ge=0, le=30)]
HELD = 10  # seconds that a form waits for its score


def install(app: FastAPI) -> None:
    """Put the pages into an application that has its error handlers already."""
    of_rounds = (rescorings, reveal_looks, host_rounds)  # the last takes whatever else is done with a round
    of_people = (deletion, people, teams)
    of_hosts = (
        hosts,
        judges,
        *of_people,
        freezing,
        retention,
        audit,
        host,
        *of_rounds,
        control,
        wall,
        announcements,
        gradebooks,
    )
    for part in (auth, sharing, games, lab, lab_samples, lab_several, league, *of_hosts):
        app.include_router(part.router)
    app.include_router(router)
    app.mount("/static", Files(directory=HERE / "static"))
    app.state.boards = {}
    speak_to_people(app)
    app.add_middleware(Languages)


@router.get("/play")
async def play(read: ReadOf) -> Response:
    """To the first open round without a score yet, or to the list of rounds where none is open."""
    found = await read(_to_play)
    return go(f"/rounds/{found.id}" if found else "/rounds")


def _to_play(unit: Unit) -> round_lines.RoundLine | None:
    competition = view_models.viewer(unit).competition
    return round_lines.to_play(round_lines.lines(unit, competition.id)) if competition else None


@router.get("/rounds")
async def all_rounds(request: Request, read: ReadOf) -> Response:
    """The competition: its rounds, and the board over all of them."""
    return await read(_rounds, request.app.state.boards)


def _rounds(unit: Unit, boards: board.Boards) -> Response:
    viewer = view_models.viewer(unit)
    if viewer.competition is None:
        return go("/host")
    return page(
        "rounds.html",
        viewer=viewer,
        events=viewer.competition.id,
        announced=announcements.newest(unit, viewer.competition.id),
        rounds=round_lines.of_player(unit, viewer.competition.id),
        board=board.of_competition(unit, viewer.competition.id, boards),
        league=leagues.begins(unit.session, viewer.competition.id),
    )


@router.get("/rounds/list")
async def list_of_rounds(read: ReadOf) -> Response:
    return await read(_list)


def _list(unit: Unit) -> Response:
    viewer = view_models.viewer(unit)
    if viewer.competition is None:
        return Response()
    return page("parts/rounds.html", viewer=viewer, rounds=round_lines.of_player(unit, viewer.competition.id))


@router.get("/rounds/board")
async def overall_board(request: Request, read: ReadOf) -> Response:
    return await read(_overall, request.app.state.boards)


def _overall(unit: Unit, boards: board.Boards) -> Response:
    viewer = view_models.viewer(unit)
    if viewer.competition is None:
        return Response()
    found = board.of_competition(unit, viewer.competition.id, boards)
    return page("parts/board.html", viewer=viewer, board=found)


@router.get("/rounds/{round_id}")
async def one_round(request: Request, read: ReadOf, round_id: str) -> Response:
    """A round to be played in."""
    return await read(_round, round_id, request.app.state.boards)


def _round(
    unit: Unit, round_id: str, boards: board.Boards, *, move: str = "", refused: RequestError | None = None
) -> Response:
    viewer = view_models.viewer(unit)
    round_ = view_models.round_(unit, round_id)
    mine, practice = view_models.own(unit, round_id), view_models.own(unit, round_id, practice=True)
    candidates = [*mine[:1], *practice[:1]] if round_.takes_practice else mine[:1]
    latest = max(candidates, key=lambda line: line.accepted_at, default=None)
    return page(
        "round.html",
        refused.status if refused else 200,
        viewer=viewer,
        events=round_.competition,
        announced=announcements.newest(unit, round_.competition),
        rounds=round_lines.lines(unit, round_.competition),
        current=round_id,
        round=round_,
        mine=mine,
        practice=practice,
        submission=view_models.submission(unit, latest.id) if latest else None,
        others=revealed.others(unit, round_id),
        second=revealed.second(unit, round_id),
        meeting=view_models.meeting(unit, round_id),
        board=board.of_round(unit, round_id, boards),
        move=move,
        error=translated(refused.detail) if refused else None,
    )


async def _told(request: Request, read: Read, round_id: str, refused: RequestError, move: str = "") -> Response:
    """The round's page with what was refused, where it is about the move and not about who asks."""
    if refused.status in (401, 403, 404):
        raise refused
    return await read(_round, round_id, request.app.state.boards, move=move, refused=refused)


@router.get("/rounds/{round_id}/state")
async def state_of_round(read: ReadOf, round_id: str) -> Response:
    return await read(_state, round_id)


def _state(unit: Unit, round_id: str) -> Response:
    return page("parts/state.html", viewer=view_models.viewer(unit), round=view_models.round_(unit, round_id))


@router.get("/rounds/{round_id}/passages")
async def passages_of_round(read: ReadOf, round_id: str) -> Response:
    return await read(_passages, round_id)


def _passages(unit: Unit, round_id: str) -> Response:
    return page("parts/passage-maps.html", viewer=view_models.viewer(unit), round=view_models.round_(unit, round_id))


@router.get("/rounds/{round_id}/challenges")
async def challenges_of_round(read: ReadOf, round_id: str) -> Response:
    return await read(_challenges, round_id)


def _challenges(unit: Unit, round_id: str) -> Response:
    viewer, meeting = view_models.viewer(unit), view_models.meeting(unit, round_id)
    return page("parts/challenges.html", viewer=viewer, meeting=meeting, error=None) if meeting else Response()


@router.post("/rounds/{round_id}/challenges")
async def challenge(request: Request, call: PlayOf, read: ReadOf, round_id: str, form: FormOf) -> Response:
    """Play with whoever waits or comes, or with the one who is invited."""
    seat, invite = form.get("seat") or None, form.get("invite") or None
    try:
        taken = await call.play(_id, challenges.challenge, round_id, seat, invite, None)
    except RequestError as refused:
        return await _told(request, read, round_id, refused)
    return go(f"/submissions/{taken.submission}")


@router.post("/challenges/{play_id}/accept")
async def accept(call: PlayOf, play_id: str) -> Response:
    taken = await call.play(_id, challenges.accept, play_id, None, None)
    return go(f"/submissions/{taken.submission}")


@router.post("/submissions/{submission_id}/resign")
async def resign(write: WriteOf, submission_id: str) -> Response:
    row = await write(submissions.resign, submission_id)
    return go(f"/rounds/{row.round_id}#latest")


@router.get("/rounds/{round_id}/board")
async def board_of_round(request: Request, read: ReadOf, round_id: str) -> Response:
    return await read(_board, round_id, request.app.state.boards)


def _board(unit: Unit, round_id: str, boards: board.Boards) -> Response:
    return page("parts/board.html", viewer=view_models.viewer(unit), board=board.of_round(unit, round_id, boards))


@router.get("/rounds/{round_id}/mine")
async def own_submissions(read: ReadOf, round_id: str) -> Response:
    return await read(_own, round_id)


def _own(unit: Unit, round_id: str) -> Response:
    mine, practice = view_models.own(unit, round_id), view_models.own(unit, round_id, practice=True)
    round_ = view_models.round_(unit, round_id)
    return page("parts/mine.html", viewer=view_models.viewer(unit), round=round_, mine=mine, practice=practice)


@router.get("/rounds/{round_id}/others")
async def others_of_round(read: ReadOf, round_id: str) -> Response:
    return await read(_others, round_id)


def _others(unit: Unit, round_id: str) -> Response:
    others, second = revealed.others(unit, round_id), revealed.second(unit, round_id)
    return page("parts/others.html", viewer=view_models.viewer(unit), others=others, second=second)


@router.get("/rounds/{round_id}/moves/{move_id}")
async def revealed_play(read: ReadOf, round_id: str, move_id: str) -> Response:
    """What somebody else wrote, on a page of its own."""
    return await read(_revealed_play, round_id, move_id)


def _revealed_play(unit: Unit, round_id: str, move_id: str) -> Response:
    return _submission_page(unit, revealed.play(unit, round_id, move_id))


@router.post("/rounds/{round_id}/moves")
async def submit(request: Request, begins: BeginOf, read: ReadOf, round_id: str, form: FormOf) -> Response:
    """A move from the form itself, or from the page's script."""
    move = form.get("move", "")
    try:
        taken = await begins(_ids, round_id, Sent(move, form.get("key") or None, "practice" in form))
    except RequestError as refused:
        if _by_script(request):
            raise
        return await _told(request, read, round_id, refused, move)
    return await _taken(request, begins.context, taken.submission, f"/rounds/{round_id}#latest")


def _by_script(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


async def _taken(request: Request, context: AppContext, submission_id: str, path: str) -> Response:
    """Where the move is to be seen: a script is told at once and follows it, a form is held until it is settled."""
    if _by_script(request):
        return JSONResponse({"id": submission_id}, headers={"Cache-Control": "no-store"})
    await settled(context, submission_id, HELD)
    return go(path)


@router.post("/rounds/{round_id}/preview")
async def preview(read: PreviewOf, round_id: str, form: FormOf) -> Response:
    """What would become of a move, as part of the page, while it is typed."""
    return await read(_preview, round_id, form.get("move", ""), form.get("submission") or None, "practice" in form)


def _preview(unit: Unit, round_id: str, move: str, submission_id: str | None, practice: bool) -> Response:
    found = previews.preview(unit, round_id, move, submission_id, practice)
    return page(
        "parts/preview.html",
        preview=found,
        said=move_diff.previewed(move, found),
        refusals=timeline.refusals_of(found),
    )


@router.post("/rounds/{round_id}/begin")
async def begin(request: Request, begins: BeginOf, read: ReadOf, round_id: str, form: FormOf) -> Response:
    """A play of a game that measures something before it asks for the first move."""
    try:
        taken = await begins(_ids, round_id, Sent(None, practice="practice" in form))
    except RequestError as refused:
        return await _told(request, read, round_id, refused)
    await settled(begins.context, taken.submission, HELD)
    return go(f"/rounds/{round_id}#latest")


@router.post("/submissions/{submission_id}/moves")
async def move_again(request: Request, call: PlayOf, submission_id: str, form: FormOf) -> Response:
    await call.play(_id, submissions.move_again, submission_id, form.get("move", ""), form.get("key") or None)
    return await _taken(request, call.context, submission_id, f"/submissions/{submission_id}")


def _id(_: Unit, row: Submission) -> str:
    return row.id


def _ids(_: Unit, rows: Sequence[Submission]) -> list[str]:
    return [row.id for row in rows]


@router.get("/submissions/{submission_id}")
async def submission(read: ReadOf, submission_id: str) -> Response:
    """A submission on a page of its own."""
    return await read(_submission, submission_id)


def _submission(unit: Unit, submission_id: str) -> Response:
    return _submission_page(unit, view_models.submission(unit, submission_id))


def _submission_page(unit: Unit, seen: view_models.SubmissionShown) -> Response:
    competition = rounds.find_round(unit.session, seen.round).competition_id
    return page(
        "submission.html",
        viewer=view_models.viewer(unit),
        events=competition,
        announced=announcements.newest(unit, competition),
        rounds=round_lines.lines(unit, competition),
        current=seen.round,
        submission=seen,
    )


@router.get("/submissions/{submission_id}/panel")
async def panel(read: ReadOf, submission_id: str, wait: Hold = 0, known: SubmissionState | None = None) -> Response:
    """A submission as part of a page; held until it is settled, and in another state than the one that the page knows
    already, at most `wait` seconds."""
    if wait:
        await read(view_models.viewer)
        await settled(read.context, submission_id, wait, known)
    return await read(_panel, submission_id)


def _panel(unit: Unit, submission_id: str) -> Response:
    seen = view_models.submission(unit, submission_id)
    return page("parts/submission.html", viewer=view_models.viewer(unit), submission=seen)
