"""What hosts did in a competition, as a page for hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from server.arena import audit, competitions
from server.arena.unit import Unit
from server.db.models import Audit, Player, Round, Submission, Team, Token
from server.http.calls import ReadOf
from server.web import audit_words, view_models
from server.web.i18n import _
from server.web.rendering import page

router = APIRouter(include_in_schema=False)

LINES = 50  # of a page


@dataclass(frozen=True, slots=True)
class AuditLine:
    """own: did whoever looks do it? about: what it was done to, in words; link: where that is to be seen."""

    at: datetime
    host: str
    own: bool
    what: str
    about: str
    link: str | None
    before: str | None
    after: str | None


@router.get("/host/competitions/{competition_id}/audit")
async def of_competition(
    read: ReadOf, competition_id: str, before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> Response:
    return await read(_page, competition_id, before)


def _page(unit: Unit, competition_id: str, before: int | None) -> Response:
    competition = competitions.find(unit.session, competition_id)
    rows = audit.of_competition(unit, competition.id, before, LINES + 1)
    return page(
        "audit.html",
        viewer=view_models.viewer(unit),
        competition=competition,
        lines=_lines(unit, rows[:LINES]),
        newest=before is None,
        older=rows[LINES - 1].number if len(rows) > LINES else None,
    )


def _lines(unit: Unit, rows: Sequence[Audit]) -> list[AuditLine]:
    return [_line(unit, row, *_about(unit.session, row.target)) for row in rows]


def _line(unit: Unit, row: Audit, about: str, link: str | None) -> AuditLine:
    before, after = (audit_words.value(row.action, row.detail.get(when)) for when in ("before", "after"))
    who = unit.session.get(Token, row.token_id)
    host = _("the server") if row.token_id == audit.SERVER else (who and who.name) or _("the server’s owner")
    return AuditLine(
        row.at, host, row.token_id == unit.caller.token, audit_words.action(row.action), about, link, before, after
    )


def _about(session: Session, target: str) -> tuple[str, str | None]:
    """What an action was done to, and the address of its page; where it is gone, its id."""
    match target.partition("_")[0]:
        case "rnd" if round_ := session.get(Round, target):
            return _("Round {number}", number=round_.number), _unless_deleted(round_, f"/rounds/{target}")
        case "tok" if host := session.get(Token, target):
            return host.name or "", None
        case "tea" if team := session.get(Team, target):
            return team.name, None
        case "ply" if player := session.get(Player, target):
            return player.name, None
        case "sub" if found := session.scalars(select(Submission).where(Submission.id == target)).one_or_none():
            about = _("a move of {player}", player=session.get_one(Player, found.player_id).name)
            return about, _unless_deleted(session.get_one(Round, found.round_id), f"/submissions/{target}")
        case "cmp":
            return "", None
    return target, None


def _unless_deleted(round_: Round, link: str) -> str | None:
    return None if round_.archived_at is not None else link
