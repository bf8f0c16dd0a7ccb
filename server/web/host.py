"""The pages of whoever runs competitions: codes, rounds, moves, players."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from games.sentences import Sentence, say
from server.arena import (
    callers,
    competitions,
    endings,
    games,
    judges,
    players,
    reveals,
    round_setup,
    rounds,
    submissions,
    walls,
)
from server.arena.reveals import Which
from server.arena.round_setup import NewRound
from server.arena.unit import Unit
from server.arena.workforce import MOVE_EVERY
from server.db.models import Competition, Player, Round, Submission
from server.db.states import BotPolicy, RoundState, Scope, Total
from server.errors import RequestError, invalid
from server.http.calls import ReadOf, WriteOf
from server.web import games as game_pages
from server.web import round_lines, view_models
from server.web.rendering import FormOf, base_url, go, own_forms_only, page
from server.web.words import told

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


@dataclass(frozen=True, slots=True)
class Speed:
    """How many moves a second a judge measures, and how large a class that is enough for."""

    judge: str
    rate: float
    players: int


def _viewer(unit: Unit) -> view_models.Viewer:
    """Who looks, where it is a host or an observer of something."""
    if unit.caller.scope not in (Scope.HOST, Scope.OBSERVER):
        callers.require_host(unit.caller)
    return view_models.viewer(unit)


@router.get("")
async def front(request: Request, read: ReadOf) -> Response:
    return await read(_front, base_url(request))


def _front(unit: Unit, base: str, *, name: str = "", refused: RequestError | None = None) -> Response:
    return page(
        "host.html",
        refused.status if refused else 200,
        viewer=_viewer(unit),
        makes=unit.caller.makes_competitions,
        owner=unit.caller.owner,
        competitions=[_competition(unit.session, row) for row in competitions.visible(unit)],
        base=base,
        name=name,
        error=told(refused) if refused else None,
    )


def _competition(session: Session, row: Competition) -> CompetitionLine:
    def count(model: type[Player] | type[Round]) -> int:
        return session.scalars(select(func.count()).where(model.competition_id == row.id)).one()

    return CompetitionLine(row.id, row.name, row.code, count(Player), count(Round))


@router.post("/competitions")
async def create(request: Request, read: ReadOf, write: WriteOf, form: FormOf) -> Response:
    name, free = form.get("name", ""), form.get("free_measurements") == "on"
    try:
        bots, total = _bots(form.get("bots", BotPolicy.SEPARATE)), _total(form.get("total", Total.FLOORED))
        row = await write(competitions.create, name, bots, free, total)
    except RequestError as refused:
        if refused.status in (401, 403):
            raise
        return await read(_front, base_url(request), name=name, refused=refused)
    return _to(row.id)


def _to(competition_id: str) -> Response:
    return go(f"/host/competitions/{competition_id}")


def _bots(text: str) -> BotPolicy:
    try:
        return BotPolicy(text)
    except ValueError:
        raise invalid("/bots", say("Say whether bots may play.")) from None


def _total(text: str) -> Total:
    try:
        return Total(text)
    except ValueError:
        raise invalid("/total", say("Say what the board over all rounds adds up.")) from None


@router.post("/competitions/{competition_id}/total")
async def set_total(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    await write(competitions.change, competition_id, total=_total(form.get("total", "")))
    return _to(competition_id)


@router.get("/competitions/{competition_id}")
async def competition(request: Request, read: ReadOf, competition_id: str) -> Response:
    await read.context.look_for_workers()
    return await read(_competition_page, base_url(request), competition_id, {})


def _competition_page(
    unit: Unit, base: str, competition_id: str, form: dict[str, str], refused: RequestError | None = None
) -> Response:
    callers.require_watcher(unit.caller, competitions.find(unit.session, competition_id).id)
    viewer = _viewer(unit)
    return page(
        "competition.html" if unit.caller.hosts(competition_id) else "observed.html",
        refused.status if refused else 200,
        viewer=viewer,
        competition=competitions.see(unit, competition_id),
        base=base,
        walls=walls.count(unit, competition_id),
        rounds=round_lines.lines(unit, competition_id),
        moves=_moves(unit.session, competition_id),
        members=players.list_members(unit, competition_id),
        games=[game_pages.line(row) for row in sorted(games.listed(unit.session), key=lambda row: row.name)],
        default_game=games.DEFAULT,
        judges=_judge_names(unit),
        speeds=_speeds(unit),
        move_every=MOVE_EVERY,
        move_seconds=rounds.MOVE_SECONDS,
        form=form,
        error=told(refused) if refused else None,
        wrong=_field(refused) if refused else None,
    )


def _field(refused: RequestError) -> str | None:
    """The field of the form that is refused, where it is one of them."""
    return next((error.pointer.split("/")[1] for error in refused.errors), None)


def _judge_names(unit: Unit) -> list[str]:
    """Those at work first, the usual one in front; then others that were seen once."""
    known = {judge.identity: judge.name for judge in judges.visible(unit)}
    at_work = [known[identity] for identity in unit.workforce.judges() if identity in known]
    return list(dict.fromkeys([*at_work, *known.values()]))


def _speeds(unit: Unit) -> list[Speed]:
    """Of the judges at work that have been tried."""
    known = {judge.identity: judge.name for judge in judges.visible(unit)}
    found = [(known[each], unit.workforce.rate(each), unit.workforce.class_size(each))
             for each in unit.workforce.judges() if each in known]  # fmt: skip
    return [Speed(name, rate, players) for name, rate, players in found if rate and players]


def _moves(session: Session, competition_id: str) -> list[view_models.SubmissionLine]:
    query = (
        select(Submission).join(Round, Round.id == Submission.round_id).where(Round.competition_id == competition_id)
    )
    rows = session.scalars(query.order_by(Submission.number.desc()).limit(MOVES)).all()
    return [view_models.submission_line(session, row) for row in rows]


@router.post("/competitions/{competition_id}/rounds")
async def create_round(request: Request, read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    await read.context.look_for_workers()
    try:
        await write(_create_round, competition_id, form)
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        return await read(_competition_page, base_url(request), competition_id, form, refused)
    return _to(competition_id)


def _create_round(unit: Unit, competition_id: str, form: dict[str, str]) -> Round:
    minutes = _number(form, "minutes", say("How long the round lasts"), 1_000_000)
    new = NewRound(
        game=form.get("game") or games.DEFAULT,
        passages=_passages(form.get("passages", "")),
        judge=form.get("judge") or None,
        judges=_judges(form.get("judges", "")),
        attempts=_number(form, "attempts", say("The number of attempts"), 1_000_000),
        closes_at=unit.now + timedelta(minutes=minutes) if minutes else None,
        move_seconds=_number(
            form,
            "move_seconds",
            say("The time for a move, in seconds,"),
            round_setup.MOST_MOVE_SECONDS,
            least=round_setup.LEAST_MOVE_SECONDS,
        ),
    )
    return rounds.create_round(unit, competition_id, new)


def _judges(text: str) -> dict[str, str]:
    """Slots and judges of a line like `backward=pocket-backward, critic=gpt2`."""
    pairs = [each.partition("=") for each in text.split(",") if each.strip()]
    if not all(slot.strip() and judge.strip() for slot, _, judge in pairs):
        raise invalid(
            "/judges", say("Say which judge is which as in backward=pocket-backward, with commas between two.")
        )
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


def _number(form: dict[str, str], field: str, what: Sentence, most: int, *, least: int = 1) -> int | None:
    text = form.get(field, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        told = say(
            "{what} is a whole number from {least} to {most}, or empty.", what=what, least=least, most=f"{most:,}"
        )
        raise invalid(f"/{field}", told)
    return int(text)


@router.post("/rounds/{round_id}/reveal")
async def reveal(write: WriteOf, round_id: str, form: FormOf) -> Response:
    row = await write(reveals.reveal, round_id, _which(form.get("which", "")), "names" in form)
    return _to(row.competition_id)


@router.post("/rounds/{round_id}/conceal")
async def conceal(write: WriteOf, round_id: str) -> Response:
    row = await write(reveals.conceal, round_id)
    return _to(row.competition_id)


def _which(text: str) -> Which:
    try:
        return Which(text)
    except ValueError:
        raise invalid("/which", "Say whose moves are to be revealed.") from None


@router.post("/rounds/{round_id}/{action}")
async def set_state(write: WriteOf, round_id: str, action: Literal["open", "pause", "close"]) -> Response:
    row = await write(rounds.set_round_state, round_id, STATES[action])
    await write.context.write(endings.end_late_plays)
    return _to(row.competition_id)


@router.post("/submissions/{submission_id}/{action}")
async def set_hidden(write: WriteOf, submission_id: str, action: Literal["hide", "show"]) -> Response:
    return _to(await write.show(_competition_of, submissions.set_hidden, submission_id, action == "hide"))


def _competition_of(unit: Unit, row: Submission) -> str:
    return rounds.find_round(unit.session, row.round_id).competition_id
