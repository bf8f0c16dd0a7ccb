"""The host's page of a competition's players: who may join, who waits, rosters and cards, names, keys, removals."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import Response

from games.sentences import say
from server.arena import callers, competitions, players, removals, rosters
from server.arena.players import Joined
from server.arena.rosters import Line
from server.arena.unit import Unit
from server.db.models import Competition, Player
from server.db.states import Joining
from server.errors import RequestError, invalid
from server.http.calls import Read, ReadOf, WaitOf, WriteOf
from server.http.public_address import base_url
from server.web import view_models
from server.web.i18n import translated
from server.web.qr import qr
from server.web.rendering import FormOf, go, own_forms_only, page

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])
PAGE = "/host/competitions/{competition_id}/people"
ONLY_HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The page's address as others may reach it, what was refused, and what was typed then. about: a player's id."""

    base: str
    refused: RequestError | None = None
    about: str | None = None
    name: str = ""
    roster: str = ""

    @property
    def only_here(self) -> bool:
        """Is it an address that no other machine reaches?"""
        return urlsplit(self.base).hostname in ONLY_HERE

    @property
    def errors(self) -> Sequence[str]:
        if self.refused is None:
            return ()
        return [translated(each.detail) for each in self.refused.errors] or [translated(self.refused.detail)]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Players who were removed together, and are not back yet."""

    removal: str
    players: Sequence[Player]


@dataclass(frozen=True, slots=True)
class Card:
    """What a pupil is given: a link that signs them in, also as a code to be photographed."""

    name: str
    external_id: str | None
    link: str
    code: Markup


@router.get(PAGE)
async def people(request: Request, read: ReadOf, competition_id: str) -> Response:
    return await read(_people, competition_id, Shown(base_url(request)))


def _people(unit: Unit, competition_id: str, shown: Shown) -> Response:
    members = _members(unit, competition_id)
    bulks: dict[str, list[Player]] = {}
    for each in members:
        if each.removed and each.removal:
            bulks.setdefault(each.removal, []).append(each)
    return page(
        "people.html",
        shown.refused.status if shown.refused else 200,
        viewer=view_models.viewer(unit),
        events=competition_id,
        competition=competitions.find(unit.session, competition_id),
        shown=shown,
        waiting=_waiting(members),
        members=[each for each in members if each.removed or not each.pending],
        bulks=[Bulk(removal, gone) for removal, gone in bulks.items()],
        most=rosters.MOST,
    )


def _members(unit: Unit, competition_id: str) -> Sequence[Player]:
    """Everyone. All that the page has is to be pressed, so it is for hosts only: observers have a list elsewhere."""
    callers.require_host_of(unit.caller, competition_id)
    return list(players.list_members(unit, competition_id))


def _waiting(members: Sequence[Player]) -> Sequence[Player]:
    return [each for each in members if each.pending and not each.removed]


@router.get(PAGE + "/waiting")
async def who_waits(read: ReadOf, competition_id: str) -> Response:
    return await read(_who_waits, competition_id)


def _who_waits(unit: Unit, competition_id: str) -> Response:
    members = _members(unit, competition_id)
    competition = competitions.find(unit.session, competition_id)
    return page("parts/waiting.html", competition=competition, waiting=_waiting(members))


async def _told(read: Read, competition_id: str, shown: Shown) -> Response:
    """The page with what was refused, where it is not about who asks."""
    assert shown.refused is not None
    if shown.refused.status in (401, 403, 404):
        raise shown.refused
    return await read(_people, competition_id, shown)


def _to(competition_id: str) -> Response:
    return go(PAGE.format(competition_id=competition_id))


# --- Who may join -----------------------------------------------------------------------------------------------------


@router.post(PAGE + "/joining")
async def set_joining(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    await write(competitions.change, competition_id, joining=_joining(form.get("joining", "")))
    return _to(competition_id)


def _joining(text: str) -> Joining:
    try:
        return Joining(text)
    except ValueError:
        raise invalid("/joining", say("Say who may join.")) from None


@router.post(PAGE + "/code")
async def renew_code(write: WriteOf, competition_id: str) -> Response:
    await write(competitions.renew_code, competition_id)
    return _to(competition_id)


@router.post(PAGE + "/admit")
async def admit_all(write: WriteOf, competition_id: str) -> Response:
    await write(players.admit, competition_id)
    return _to(competition_id)


@router.get("/waiting")
async def waiting(read: WaitOf) -> Response:
    """Where a player is until a host lets them in; the page goes on by itself."""
    return await read(_waiting_page)


def _waiting_page(unit: Unit) -> Response:
    if not unit.caller.pending:
        return go("/play")
    return page("waiting.html", 200, waiting=view_models.viewer(unit))


# --- Rosters and cards ------------------------------------------------------------------------------------------------


@router.post(PAGE + "/roster/preview")
async def preview_roster(request: Request, read: ReadOf, competition_id: str, form: FormOf) -> Response:
    """Whom the roster would add, with a button that adds them."""
    text = form.get("roster", "")
    try:
        return await read(_preview, competition_id, text)
    except RequestError as refused:
        return await _told(read, competition_id, Shown(base_url(request), refused, roster=text))


def _preview(unit: Unit, competition_id: str, text: str) -> Response:
    lines: Sequence[Line] = rosters.preview(unit, competition_id, text)
    competition = competitions.find(unit.session, competition_id)
    return page(
        "roster.html",
        viewer=view_models.viewer(unit),
        competition=competition,
        lines=lines,
        teams=any(line.team for line in lines),
        roster=text,
    )


@router.post(PAGE + "/roster")
async def add_roster(request: Request, read: ReadOf, write: WriteOf, competition_id: str, form: FormOf) -> Response:
    text = form.get("roster", "")
    try:
        made = await write(rosters.add, competition_id, text)
    except RequestError as refused:
        return await _told(read, competition_id, Shown(base_url(request), refused, roster=text))
    return await _cards(request, read, competition_id, made)


@router.post("/host/players/{player_id}/key")
async def new_key(request: Request, read: ReadOf, write: WriteOf, player_id: str) -> Response:
    made = await write(players.new_key, player_id)
    return await _cards(request, read, made.player.competition_id, [made])


async def _cards(request: Request, read: Read, competition_id: str, made: Sequence[Joined]) -> Response:
    """Cards with the keys, which are shown this once. Drawing hundreds of codes takes seconds, so a thread does it."""
    shown = Shown(base_url(request))
    viewer, competition = await read(_head, competition_id)
    cards = await asyncio.to_thread(lambda: [_card(shown.base, each) for each in made])
    return page("cards.html", viewer=viewer, competition=competition, shown=shown, cards=cards)


def _head(unit: Unit, competition_id: str) -> tuple[view_models.Viewer, Competition]:
    return view_models.viewer(unit), competitions.find(unit.session, competition_id)


def _card(base: str, joined: Joined) -> Card:
    link = f"{base}/sign-in#{joined.token}"
    return Card(joined.player.name, joined.player.external_id, link, qr(link))


# --- Names and removals -----------------------------------------------------------------------------------------------


@router.get(PAGE + "/since/{player_id}")
async def since(read: ReadOf, competition_id: str, player_id: str) -> Response:
    """Who joined no earlier than this player, with a button that removes them together."""
    return await read(_since, competition_id, player_id)


def _since(unit: Unit, competition_id: str, player_id: str) -> Response:
    callers.require_host_of(unit.caller, competition_id)
    first = players.find(unit.session, player_id)
    found = [each for each in players.list_members(unit, competition_id, first.joined_at) if not each.removed]
    return page(
        "removal.html",
        viewer=view_models.viewer(unit),
        competition=competitions.find(unit.session, competition_id),
        first=first,
        players=found,
        until=max((each.joined_at for each in found), default=first.joined_at),
    )


@router.post(PAGE + "/remove")
async def remove_since(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    since, until = _moment(form, "since"), _moment(form, "until")
    await write(removals.remove_since, competition_id, since, until)
    return _to(competition_id)


def _moment(form: dict[str, str], field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(form.get(field, ""))
        return moment.astimezone()
    except (ValueError, OverflowError):
        raise invalid(f"/{field}", say("This form was not sent as the page made it. Open the page again.")) from None


@router.post(PAGE + "/removals/{removal}/readmit")
async def readmit_all(request: Request, read: ReadOf, write: WriteOf, competition_id: str, removal: str) -> Response:
    try:
        await write(removals.readmit_all, competition_id, removal)
    except RequestError as refused:
        return await _told(read, competition_id, Shown(base_url(request), refused))
    return _to(competition_id)


@router.post("/host/players/{player_id}/rename")
async def rename(request: Request, read: ReadOf, write: WriteOf, player_id: str, form: FormOf) -> Response:
    name = form.get("name", "")
    return await _done(request, read, player_id, write(players.rename, player_id, name), name)


@router.post("/host/players/{player_id}/readmit-as")
async def readmit_as(request: Request, read: ReadOf, write: WriteOf, player_id: str, form: FormOf) -> Response:
    """Take somebody back by another name, or by theirs."""
    name = form.get("name", "")
    return await _done(request, read, player_id, write(removals.readmit, player_id, name), name)


@router.post("/host/players/{player_id}/{action}")
async def one(
    request: Request, read: ReadOf, write: WriteOf, player_id: str, action: Literal["admit", "remove", "readmit"]
) -> Response:
    use_case = {"admit": players.admit_one, "remove": removals.remove, "readmit": removals.readmit}[action]
    return await _done(request, read, player_id, write(use_case, player_id))


async def _done(request: Request, read: Read, player_id: str, change: Awaitable[Player], name: str = "") -> Response:
    """Back to the page once a player is changed; or the page with what was refused, at the player."""
    try:
        row = await change
    except RequestError as refused:
        if refused.status in (401, 403, 404):
            raise
        competition_id = await read(_competition_of, player_id)
        return await read(_people, competition_id, Shown(base_url(request), refused, player_id, name))
    return _to(row.competition_id)


def _competition_of(unit: Unit, player_id: str) -> str:
    return players.find(unit.session, player_id).competition_id
