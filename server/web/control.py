"""What a host's page of a competition shows of what goes on: rounds, moves, players; each is a part of the page."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from starlette.responses import Response

from server.arena import callers, competitions, copies, missing_judges, overlaps, players, progress
from server.arena.progress import Progress
from server.arena.unit import Unit
from server.db.models import Round, Submission
from server.http.calls import ReadOf
from server.web import round_lines, view_models
from server.web.rendering import page

router = APIRouter(prefix="/host/competitions/{competition_id}", include_in_schema=False)

MOVES = 100  # of the newest that a page lists


def shown(unit: Unit, competition_id: str) -> dict[str, Any]:
    """All of it, for the page."""
    return (
        _rounds(unit, competition_id)
        | _moves(unit, competition_id)
        | {"members": list(players.list_members(unit, competition_id))}
    )


@router.get("/rounds")
async def rounds_part(read: ReadOf, competition_id: str) -> Response:
    return page("parts/host-rounds.html", **await read(_rounds, competition_id))


def _rounds(unit: Unit, competition_id: str) -> dict[str, Any]:
    return {
        "rounds": round_lines.lines(unit, competition_id),
        "progress": progress.of_rounds(unit, competition_id),
        "unmoved": Progress(),
        "missing": missing_judges.of_competition(unit, competition_id),
        "waits": progress.waits(unit, competition_id),
        "overlaps": overlaps.of_competition(unit.session, competition_id, unit.now),
        "troubles": unit.workforce.troubles,
    }


@router.get("/moves")
async def moves_part(request: Request, read: ReadOf, competition_id: str) -> Response:
    """Asked for again and again: made anew only where something has changed."""
    stamp = await read(_stamp, competition_id)
    if request.headers.get("if-none-match") == stamp:
        return Response(status_code=304, headers={"ETag": stamp})
    response = page("parts/host-moves.html", **await read(_moves, competition_id))
    response.headers["ETag"] = stamp
    return response


def _stamp(unit: Unit, competition_id: str) -> str:
    """Another one after whatever the list of moves shows has changed."""
    callers.require_watcher(unit.caller, competition_id)
    query = (
        select(Submission.state, Submission.hidden, func.count(), func.max(Submission.number))
        .join(Round, Round.id == Submission.round_id)
        .where(Round.competition_id == competition_id, Round.archived_at.is_(None))
        .group_by(Submission.state, Submission.hidden)
        .order_by(Submission.state, Submission.hidden)
    )
    counts = [tuple(row) for row in unit.session.execute(query)]
    told = competitions.see(unit, competition_id).last_event
    return f'"{hashlib.sha256(repr((told, counts)).encode()).hexdigest()[:32]}"'


def _moves(unit: Unit, competition_id: str) -> dict[str, Any]:
    callers.require_watcher(unit.caller, competition_id)
    there = (Round.competition_id == competition_id, Round.archived_at.is_(None))
    query = select(Submission).join(Round, Round.id == Submission.round_id).where(*there)
    rows = unit.session.scalars(query.order_by(Submission.number.desc()).limit(MOVES)).all()
    return {
        "moves": view_models.submission_lines(unit.session, rows),
        "copies": copies.of_competition(unit.session, competition_id),
    }


@router.get("/players")
async def players_part(read: ReadOf, competition_id: str) -> Response:
    return await read(_players_part, competition_id)


def _players_part(unit: Unit, competition_id: str) -> Response:
    return page("parts/host-players.html", members=list(players.list_members(unit, competition_id)))
