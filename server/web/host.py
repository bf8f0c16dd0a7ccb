"""The pages of whoever runs competitions: codes, rounds, moves, players."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from server import competitions, endings, judges, players, plays, programs
from server.after import After
from server.arena import Arena
from server.competitions import NewRound
from server.database import now
from server.edge import ArenaOf, TokenOf
from server.errors import Refused, invalid
from server.models import Bots, Competition, Player, Round, RoundState, Submission
from server.players import Caller
from server.web import games, shown
from server.web.site import FormOf, base_url, go, own_forms_only, page

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])

MOVES = 100  # of the newest that a page lists
STATES = {"open": RoundState.OPEN, "pause": RoundState.PAUSED, "close": RoundState.CLOSED}


@dataclass(frozen=True, slots=True)
class CompetitionLine:
    """A competition in the host's list."""

    id: str
    name: str
    code: str
    players: int
    rounds: int


def _host(session: Session, token: str | None) -> shown.Viewer:
    viewer = shown.viewer(session, token)
    players.require_host(viewer.caller)
    return viewer


async def _change(arena: Arena, token: str | None, work: Callable[[Session, After, Caller], str]) -> Response:
    """Do what a host asked for, and show the competition that `work` names."""

    def transaction(session: Session, after: After) -> str:
        competition = work(session, after, _host(session, token).caller)
        after.competitions.add(competition)
        return competition

    return go(f"/host/competitions/{await arena.write(transaction)}")


@router.get("")
async def front(request: Request, arena: ArenaOf, token: TokenOf) -> Response:
    return await _front(request, arena, token)


async def _front(
    request: Request, arena: Arena, token: str | None, *, name: str = "", refused: Refused | None = None
) -> Response:
    def work(session: Session) -> Response:
        viewer = _host(session, token)
        rows = session.scalars(select(Competition).order_by(Competition.created_at.desc()))
        return page(
            "host.html",
            refused.status if refused else 200,
            viewer=viewer,
            competitions=[_competition(session, row) for row in rows],
            base=base_url(request),
            name=name,
            error=refused.detail if refused else None,
        )

    return await arena.read(work)


def _competition(session: Session, row: Competition) -> CompetitionLine:
    def count(model: type[Player] | type[Round]) -> int:
        return session.scalars(select(func.count()).where(model.competition_id == row.id)).one()

    return CompetitionLine(row.id, row.name, row.code, count(Player), count(Round))


@router.post("/competitions")
async def create(request: Request, arena: ArenaOf, token: TokenOf, form: FormOf) -> Response:
    def work(session: Session, after: After, caller: Caller) -> str:
        bots = _bots(form.get("bots", Bots.SEPARATE))
        row = competitions.create(session, caller, form.get("name", ""), bots, form.get("free_measurements") == "on")
        session.flush()
        return row.id

    try:
        return await _change(arena, token, work)
    except Refused as refused:
        if refused.status in (401, 403):
            raise
        return await _front(request, arena, token, name=form.get("name", ""), refused=refused)


def _bots(text: str) -> Bots:
    try:
        return Bots(text)
    except ValueError:
        raise invalid("/bots", "Say whether bots may play.") from None


@router.get("/competitions/{competition_id}")
async def competition(request: Request, arena: ArenaOf, token: TokenOf, competition_id: str) -> Response:
    return await _competition_page(request, arena, token, competition_id)


async def _competition_page(
    request: Request,
    arena: Arena,
    token: str | None,
    competition_id: str,
    form: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> Response:
    await arena.look_for_workers()

    def work(session: Session) -> Response:
        viewer = _host(session, token)
        row = competitions.find(session, competition_id)
        return page(
            "competition.html",
            refused.status if refused else 200,
            viewer=viewer,
            competition=row,
            base=base_url(request),
            rounds=shown.lines(session, viewer.caller, competition_id),
            moves=_moves(session, competition_id),
            members=players.members(session, competition_id),
            games=[games.line(row) for row in programs.newest(session)],
            default_game=programs.DEFAULT,
            judges=list(dict.fromkeys(judge.name for judge in reversed(judges.everyone(session)))),
            move_seconds=competitions.MOVE_SECONDS,
            form=form or {},
            error=refused.detail if refused else None,
        )

    return await arena.read(work)


def _moves(session: Session, competition_id: str) -> list[shown.SubmissionLine]:
    query = (
        select(Submission).join(Round, Round.id == Submission.round_id).where(Round.competition_id == competition_id)
    )
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(MOVES)).all()
    return [shown.submission_line(session, row) for row in rows]


@router.post("/competitions/{competition_id}/rounds")
async def create_round(request: Request, arena: ArenaOf, token: TokenOf, competition_id: str, form: FormOf) -> Response:
    await arena.look_for_workers()

    def work(session: Session, after: After, caller: Caller) -> str:
        competitions.create_round(session, after, caller, competition_id, _new_round(arena, session, form))
        return competition_id

    try:
        return await _change(arena, token, work)
    except Refused as refused:
        if refused.status in (401, 403, 404):
            raise
        return await _competition_page(request, arena, token, competition_id, form, refused)


def _new_round(arena: Arena, session: Session, form: dict[str, str]) -> NewRound:
    minutes = _number(form, "minutes", "How long the round lasts", 1_000_000)
    return NewRound(
        game=form.get("game") or programs.DEFAULT,
        passages=_passages(form.get("passages", "")),
        judge=form.get("judge") or arena.default_judge(),
        judges=_judges(form.get("judges", "")),
        attempts=_number(form, "attempts", "The number of attempts", 1_000_000),
        closes_at=now(session) + timedelta(minutes=minutes) if minutes else None,
        move_seconds=_number(
            form,
            "move_seconds",
            "The time for a move, in seconds,",
            competitions.MOST_MOVE_SECONDS,
            least=competitions.LEAST_MOVE_SECONDS,
        ),
    )


def _judges(text: str) -> dict[str, str]:
    """Slots and judges of a line like `backward=pocket-backward, critic=gpt2`."""
    pairs = [each.partition("=") for each in text.split(",") if each.strip()]
    if not all(slot.strip() and judge.strip() for slot, _, judge in pairs):
        raise invalid("/judges", "Say which judge is which as in backward=pocket-backward, with commas between two.")
    return {slot.strip(): judge.strip() for slot, _, judge in pairs}


def _passages(text: str) -> list[str]:
    """The passages of the one text field, none where it is empty: a line with nothing but --- stands between two."""
    if not text.strip():
        return []
    passages = [""]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip() == "---":
            passages.append("")
        else:
            passages[-1] += f"{line}\n"
    return [passage.strip() for passage in passages]


def _number(form: dict[str, str], field: str, what: str, most: int, *, least: int = 1) -> int | None:
    text = form.get(field, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise invalid(f"/{field}", f"{what} is a whole number from {least} to {most:,}, or empty.")
    return int(text)


@router.post("/rounds/{round_id}/{action}")
async def set_state(
    arena: ArenaOf, token: TokenOf, round_id: str, action: Literal["open", "pause", "close"]
) -> Response:
    def work(session: Session, after: After, caller: Caller) -> str:
        return competitions.set_round_state(session, after, caller, round_id, STATES[action]).competition_id

    changed = await _change(arena, token, work)
    await arena.write(endings.end_late_plays)
    return changed


@router.post("/submissions/{submission_id}/{action}")
async def set_hidden(arena: ArenaOf, token: TokenOf, submission_id: str, action: Literal["hide", "show"]) -> Response:
    def work(session: Session, after: After, caller: Caller) -> str:
        row = plays.set_hidden(session, after, caller, submission_id, action == "hide")
        return competitions.find_round(session, row.round_id).competition_id

    return await _change(arena, token, work)


@router.post("/players/{player_id}/{action}")
async def set_removed(arena: ArenaOf, token: TokenOf, player_id: str, action: Literal["remove", "readmit"]) -> Response:
    def work(session: Session, after: After, caller: Caller) -> str:
        row = players.set_removed(session, player_id, action == "remove")
        competitions.audit(session, caller, f"player.{action}", player_id)
        after.tokens |= set(players.tokens_of(session, player_id))
        return row.competition_id

    return await _change(arena, token, work)
