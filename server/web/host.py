"""The pages of whoever runs competitions: codes, rounds, moves, players."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from server.arena import audit, competitions, endings, games, judges, players, round_setup, rounds, submissions
from server.arena.outbox import Outbox
from server.arena.players import Caller
from server.arena.round_setup import NewRound
from server.db.models import BotPolicy, Competition, Player, Round, RoundState, Submission
from server.db.session import now
from server.errors import RequestError, invalid
from server.http.context import AppContext
from server.http.requests import ArenaOf, TokenOf
from server.web import games as game_pages
from server.web import view_models
from server.web.rendering import FormOf, base_url, go, own_forms_only, page

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


def _host(session: Session, token: str | None) -> view_models.Viewer:
    viewer = view_models.viewer(session, token)
    players.require_host(viewer.caller)
    return viewer


async def _change(arena: AppContext, token: str | None, work: Callable[[Session, Outbox, Caller], str]) -> Response:
    """Do what a host asked for, and show the competition that `work` names."""

    def transaction(session: Session, outbox: Outbox) -> str:
        competition = work(session, outbox, _host(session, token).caller)
        outbox.competitions.add(competition)
        return competition

    return go(f"/host/competitions/{await arena.write(transaction)}")


@router.get("")
async def front(request: Request, arena: ArenaOf, token: TokenOf) -> Response:
    return await _front(request, arena, token)


async def _front(
    request: Request, arena: AppContext, token: str | None, *, name: str = "", refused: RequestError | None = None
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
    def work(session: Session, outbox: Outbox, caller: Caller) -> str:
        bots = _bots(form.get("bots", BotPolicy.SEPARATE))
        row = competitions.create(session, caller, form.get("name", ""), bots, form.get("free_measurements") == "on")
        session.flush()
        return row.id

    try:
        return await _change(arena, token, work)
    except RequestError as refused:
        if refused.status in (401, 403):
            raise
        return await _front(request, arena, token, name=form.get("name", ""), refused=refused)


def _bots(text: str) -> BotPolicy:
    try:
        return BotPolicy(text)
    except ValueError:
        raise invalid("/bots", "Say whether bots may play.") from None


@router.get("/competitions/{competition_id}")
async def competition(request: Request, arena: ArenaOf, token: TokenOf, competition_id: str) -> Response:
    return await _competition_page(request, arena, token, competition_id)


async def _competition_page(
    request: Request,
    arena: AppContext,
    token: str | None,
    competition_id: str,
    form: dict[str, str] | None = None,
    refused: RequestError | None = None,
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
            rounds=view_models.lines(session, viewer.caller, competition_id),
            moves=_moves(session, competition_id),
            members=players.members(session, competition_id),
            games=[game_pages.line(row) for row in games.newest(session)],
            default_game=games.DEFAULT,
            judges=list(dict.fromkeys(judge.name for judge in reversed(judges.everyone(session)))),
            move_seconds=rounds.MOVE_SECONDS,
            form=form or {},
            error=refused.detail if refused else None,
        )

    return await arena.read(work)


def _moves(session: Session, competition_id: str) -> list[view_models.SubmissionLine]:
    query = (
        select(Submission).join(Round, Round.id == Submission.round_id).where(Round.competition_id == competition_id)
    )
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(MOVES)).all()
    return [view_models.submission_line(session, row) for row in rows]


@router.post("/competitions/{competition_id}/rounds")
async def create_round(request: Request, arena: ArenaOf, token: TokenOf, competition_id: str, form: FormOf) -> Response:
    await arena.look_for_workers()

    def work(session: Session, outbox: Outbox, caller: Caller) -> str:
        rounds.create_round(session, outbox, caller, competition_id, _new_round(arena, session, form))
        return competition_id

    try:
        return await _change(arena, token, work)
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await _competition_page(request, arena, token, competition_id, form, refused)


def _new_round(arena: AppContext, session: Session, form: dict[str, str]) -> NewRound:
    minutes = _number(form, "minutes", "How long the round lasts", 1_000_000)
    return NewRound(
        game=form.get("game") or games.DEFAULT,
        passages=_passages(form.get("passages", "")),
        judge=form.get("judge") or arena.default_judge(),
        judges=_judges(form.get("judges", "")),
        attempts=_number(form, "attempts", "The number of attempts", 1_000_000),
        closes_at=now(session) + timedelta(minutes=minutes) if minutes else None,
        move_seconds=_number(
            form,
            "move_seconds",
            "The time for a move, in seconds,",
            round_setup.MOST_MOVE_SECONDS,
            least=round_setup.LEAST_MOVE_SECONDS,
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
    def work(session: Session, outbox: Outbox, caller: Caller) -> str:
        return rounds.set_round_state(session, outbox, caller, round_id, STATES[action]).competition_id

    changed = await _change(arena, token, work)
    await arena.write(endings.end_late_plays)
    return changed


@router.post("/submissions/{submission_id}/{action}")
async def set_hidden(arena: ArenaOf, token: TokenOf, submission_id: str, action: Literal["hide", "show"]) -> Response:
    def work(session: Session, outbox: Outbox, caller: Caller) -> str:
        row = submissions.set_hidden(session, outbox, caller, submission_id, action == "hide")
        return rounds.find_round(session, row.round_id).competition_id

    return await _change(arena, token, work)


@router.post("/players/{player_id}/{action}")
async def set_removed(arena: ArenaOf, token: TokenOf, player_id: str, action: Literal["remove", "readmit"]) -> Response:
    def work(session: Session, outbox: Outbox, caller: Caller) -> str:
        row = players.set_removed(session, player_id, action == "remove")
        audit.audit(session, caller, f"player.{action}", player_id)
        outbox.tokens |= set(players.tokens_of(session, player_id))
        return row.competition_id

    return await _change(arena, token, work)
