"""The pages of games: what each is, for everyone; and bringing one's own, for hosts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from games.preflight import Advice
from server.arena import callers, games
from server.arena.unit import Unit
from server.db.models import Game
from server.errors import Detail, RequestError
from server.http.calls import Read, ReadOf, UploadOf, VisitOf, WriteOf
from server.web import view_models
from server.web.i18n import _, localised, ngettext, translated
from server.web.rendering import FormOf, go, own_forms_only, page

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])

PAGE = 60  # games on a page
TOLD = 100  # errors of a program that a page lists
EXCERPT = 40  # characters of a line on either side of an error
_WORD = re.compile(r"\w+|.", re.DOTALL)

NEW = """# Title
#
# What a player does, in a sentence or two.
#
# **How it is scored.** What the bits are of.
#
# **Example.** A passage, a move, and what it scores.

assign(s=story())
elicit(x, 10)
reward(xent(s | "Topic: \\n") - xent(s | "Topic: " + x + "\\n"))
"""


@dataclass(frozen=True, slots=True)
class GameLine:
    """A game in a list. about: the first paragraph of its front page; more: the rest."""

    digest: str
    name: str
    version: int
    packaged: bool
    title: str
    about: str
    more: str
    passages: int
    seats: Sequence[str]
    judges: Sequence[str]


@dataclass(frozen=True, slots=True)
class GameShown:
    line: GameLine
    description: str
    source: str
    warnings: Sequence[Advice]
    withdrawn: bool
    versions: Sequence[Game]


@dataclass(frozen=True, slots=True)
class ErrorShown:
    """A static error with its place in the program: what stands before it, at it, and after it in the line."""

    line: int
    column: int
    message: str
    before: str
    at: str
    after: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the editor, and what became of it. of: the name it is a new version of, if any."""

    source: str
    name: str
    of: str | None = None
    planned: games.Plan | None = None
    refused: RequestError | None = None
    errors: Sequence[ErrorShown] = field(default=())

    @property
    def count(self) -> str:
        """How many errors the program has."""
        found = len(self.refused.errors) if self.refused else 0
        if found == games.ERRORS_TOLD:
            return _("{count} errors or more", count=localised(f"{found:,}"))
        return ngettext("{count} error", "{count} errors", found).format(count=localised(f"{found:,}"))

    @property
    def name_error(self) -> str | None:
        return _at(self.refused, "/name")

    @property
    def trouble(self) -> str | None:
        """What is wrong, where it is neither in a line of the program nor the name."""
        return translated(self.refused.detail) if self.refused and not self.errors and not self.name_error else None


def line(row: Game) -> GameLine:
    facts = games.facts(row)
    about, _, more = row.description.partition("\n\n")
    return GameLine(
        digest=row.digest,
        name=row.name,
        version=row.version,
        packaged=row.packaged,
        title=row.title,
        about=about,
        more=more,
        passages=facts.passages,
        seats=facts.seats,
        judges=facts.judges,
    )


@router.get("/games")
async def all_games(read: VisitOf, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1) -> Response:
    return await read(_games, page)


def _games(unit: Unit, number: int) -> Response:
    viewer = view_models.visitor(unit)
    rows = games.listed(unit.session)
    before = (number - 1) * PAGE
    is_host = viewer is not None and viewer.caller.makes_competitions
    return page(
        "games.html",
        viewer=viewer,
        games=[line(row) for row in rows[before : before + PAGE]],
        page=number,
        more=len(rows) > before + PAGE,
        withdrawn=games.withdrawn(unit) if is_host else (),
        is_host=is_host,
    )


@router.get("/games/{name}")
async def one_game(read: VisitOf, name: str) -> Response:
    return await read(_game, name)


def _game(unit: Unit, name: str) -> Response:
    viewer = view_models.visitor(unit)
    row = games.see(unit, name)
    game = GameShown(
        line=line(row),
        description=row.description,
        source=row.source,
        warnings=games.facts(row).warnings,
        withdrawn=row.withdrawn_at is not None,
        versions=games.versions(unit, row.digest),
    )
    is_host = viewer is not None and viewer.caller.makes_competitions
    return page("game.html", viewer=viewer, game=game, is_host=is_host, mine=is_host and _has_versions(unit, row))


def _has_versions(unit: Unit, row: Game) -> bool:
    """May the caller change it, and not just make a game of their own from it?"""
    return not row.packaged and games.is_mine(unit, row)


@router.get("/host/games/new")
async def new_game(read: ReadOf, of: str | None = None) -> Response:
    """The editor: empty but for a beginning, or with the source of the game (or version) that is to be changed."""
    return await read(_new_game, of)


def _new_game(unit: Unit, of: str | None) -> Response:
    callers.require_host(unit.caller)
    if of is None:
        return _editor(unit, Draft(NEW, ""))
    row = games.see(unit, of)
    # The name of a packaged game, or of another host's, cannot be had: what is made of it is a game by itself.
    if not _has_versions(unit, row):
        return _editor(unit, Draft(row.source, f"own_{row.name}"[: games.NAME_LENGTH]))
    return _editor(unit, Draft(row.source, row.name, row.name))


@router.post("/host/games/check")
async def check_game(read: ReadOf, upload: UploadOf, form: FormOf) -> Response:
    """Say what is wrong with a program, or show what players will read; keep nothing."""
    source, name = _given(form)
    try:
        await upload.look_through(source, name or None)
        return await read(_checked, form)
    except RequestError as refused:
        return await _told(read, form, refused)


def _checked(unit: Unit, form: dict[str, str]) -> Response:
    source, name = _given(form)
    planned = games.plan(unit, source, name or None)
    return _editor(unit, Draft(source, name, form.get("of") or None, planned))


@router.post("/host/games")
async def save_game(read: ReadOf, upload: UploadOf, form: FormOf) -> Response:
    source, name = _given(form)
    try:
        digest = await upload(_digest, source, name or None)
    except RequestError as refused:
        return await _told(read, form, refused)
    return go(f"/games/{digest}")


def _digest(_: Unit, uploaded: games.Uploaded) -> str:
    return uploaded.game.digest


@router.post("/host/games/{name}/{action}")
async def set_withdrawn(write: WriteOf, name: str, action: Literal["withdraw", "restore"]) -> Response:
    """By name the whole game, by digest one version."""
    row = await write(games.withdraw if action == "withdraw" else games.restore, name)
    return go(f"/games/{row.digest}")


async def _told(read: Read, form: dict[str, str], refused: RequestError) -> Response:
    """The editor with what is wrong with the program or its name."""
    if refused.status in (401, 403):
        raise refused
    source, name = _given(form)
    draft = Draft(source, name, form.get("of") or None, refused=refused, errors=_errors(source, refused))
    return await read(_editor, draft)


def _editor(unit: Unit, draft: Draft) -> Response:
    callers.require_host(unit.caller)
    status = draft.refused.status if draft.refused else 200
    return page("edit-game.html", status, viewer=view_models.viewer(unit), draft=draft)


def _given(form: dict[str, str]) -> tuple[str, str]:
    """Source and name; forms send every line end as two characters."""
    return form.get("source", "").replace("\r\n", "\n"), form.get("name", "").strip()


def _errors(source: str, refused: RequestError) -> list[ErrorShown]:
    lines = source.split("\n")
    return [_shown(lines, error) for error in refused.errors[:TOLD] if error.line]


def _shown(lines: Sequence[str], error: Detail) -> ErrorShown:
    number, column = error.line or 1, error.column or 1
    text = lines[number - 1] if number <= len(lines) else ""
    start = column - 1
    word = _WORD.match(text, start)
    end = min(word.end(), start + EXCERPT) if word else start
    before = text[max(0, start - EXCERPT) : start]
    return ErrorShown(number, column, error.detail, before, text[start:end], text[end : end + EXCERPT])


def _at(refused: RequestError | None, pointer: str) -> str | None:
    details = refused.errors if refused else ()
    return next((translated(error.detail) for error in details if error.pointer == pointer), None)
