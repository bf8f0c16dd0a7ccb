"""Games as rows: the packaged ones, and those that hosts bring.

A row is a program, known by its digest; its source is never edited. Rows of one name are its versions: the newest
that is not withdrawn is what the name stands for. A round pins a digest, so that none of this changes it.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer

from games import catalog, preflight
from games.errors import ProgramError, ProgramErrors
from games.preflight import Advice
from games.program import Program, parse
from games.sentences import say
from server.arena import audit, callers
from server.arena.unit import Unit
from server.caches import SizedCache
from server.db.models import Game
from server.db.session import now
from server.errors import Detail, RequestError, conflict, forbidden, invalid, not_found

#: What is played where a host names no game: its word rule has no known gaps.
DEFAULT = "condense_strict"
NAME = re.compile(r"[a-z][a-z0-9_-]*")
NAME_LENGTH = 48  # so that no name is a digest
NAMES_TOLD = 100  # to whoever asks for one that is not there
ERRORS_TOLD = 1_000  # of a program; a text that is no program at all can have one in every line


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a program that is uploaded: the name and version it gets, or has. row: where it is here."""

    program: Program
    name: str
    version: int
    row: Game | None

    @property
    def is_there(self) -> bool:
        return self.row is not None and self.row.name == self.name


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A program that was accepted. fresh: is it a new version of its name?"""

    game: Game
    fresh: bool


def install_packaged(session: Session) -> None:
    """Make rows of the packaged games. A name or a program that a host brought first becomes the packaged one."""
    for name in catalog.names():
        packaged = parsed(catalog.source(name))
        while (row := session.get(Game, packaged.digest)) is None or not (row.packaged and row.name == name):
            _insert(session, row or _row(packaged), name, _next_version(session, name), packaged=True)


def newest(session: Session, after: str = "", limit: int | None = None) -> Sequence[Game]:
    """The newest version of every game, by name; only names beyond `after`, at most `limit` of them."""
    return session.scalars(_newest(after, limit)).all()


def _newest(after: str, limit: int | None) -> Select[Game]:
    latest = (
        select(Game.name, func.max(Game.version).label("version"))
        .where(Game.withdrawn_at.is_(None), Game.name > after)
        .group_by(Game.name)
        .order_by(Game.name)
        .limit(limit)
        .subquery()
    )
    query = select(Game).join(latest, (Game.name == latest.c.name) & (Game.version == latest.c.version))
    return query.order_by(Game.name)


def listed(session: Session) -> Sequence[Game]:
    """The newest version of every game, those that hosts brought first, by title; sources are not read."""
    rows = session.scalars(_newest("", None).options(defer(Game.source))).all()
    return sorted(rows, key=lambda row: (row.packaged, row.title.casefold()))


def titles(session: Session, digests: Collection[str]) -> dict[str, str]:
    """Digest → what the program calls itself."""
    rows = session.execute(select(Game.digest, Game.title).where(Game.digest.in_(digests)))
    return {row.digest: row.title for row in rows}


def visible(unit: Unit, after: str, limit: int) -> Sequence[Game]:
    """A page of the games that are not withdrawn, by name."""
    return newest(unit.session, after, limit)


def withdrawn(unit: Unit) -> Sequence[Game]:
    """Every version that is withdrawn, as far as the caller may restore it."""
    query = select(Game).where(Game.withdrawn_at.is_not(None)).order_by(Game.name, Game.version.desc())
    return [row for row in unit.session.scalars(query) if is_mine(unit, row)]


def find(session: Session, name: str) -> Game:
    """The game for a new round: by digest, or the newest of that name. Raises `RequestError` for a withdrawn one."""
    game = _seen(session, name)
    if game is None:
        known = ", ".join(sorted(game.name for game in listed(session))[:NAMES_TOLD])
        raise invalid("/game", say("There is no game {name}. Games here: {known}.", name=repr(name), known=known))
    if game.withdrawn_at is not None:
        told = say("The game {name} was withdrawn. Restore it first, or name another.", name=repr(game.name))
        raise invalid("/game", told)
    return game


def see(unit: Unit, name: str) -> Game:
    """A game by digest, or the newest of that name; withdrawn ones too."""
    game = _seen(unit.session, name)
    if game is None:
        raise not_found("There is no game {name}.", name)
    return game


def versions(unit: Unit, name: str) -> Sequence[Game]:
    """Every version of the game of that name or digest, the newest first."""
    return _versions(unit.session, see(unit, name).name)


def check(source: str, name: str | None = None) -> Program:
    """The program of a source. Raises `RequestError` with all its static errors."""
    try:
        return parsed(source, name or "")
    except ProgramErrors as errors:
        raise _refusal(errors.errors) from None


def require_uploader(unit: Unit) -> None:
    callers.require_host(unit.caller)


def look_through(source: str, name: str | None = None) -> None:
    """Find out what `upload` and the views of the game need, and keep it. Raises what `check` raises."""
    given = check(source, name)
    _keep_facts(given.digest, lambda: given)


def plan(unit: Unit, source: str, name: str | None = None) -> Plan:
    """What `upload` would do. Raises `RequestError` for a program with errors, a bad name, the name of a packaged game
    or of another host's, and a program that is here under another name."""
    callers.require_host(unit.caller)
    session = unit.session
    given = check(source, name)
    wanted = name_of(given) if name is None else clean_game_name(name)
    row = session.get(Game, given.digest)
    if row is not None and (name is None or row.name == wanted):
        return Plan(given, row.name, row.version, row)
    if row is not None and row.withdrawn_at is None:
        raise _here_already(row)
    if session.scalar(select(Game.digest).where(Game.name == wanted, Game.packaged).limit(1)) is not None:
        raise _name_taken(wanted)
    # Columns, not rows: one that came this moment would be in the way of ours.
    hosts = session.scalars(select(Game.host_id).where(Game.name == wanted)).all()
    if not (unit.caller.owner or all(each == unit.caller.token for each in hosts)):
        told = say("{name} is the name of another host's game. Give your game another name.", name=repr(wanted))
        raise conflict("name-taken", "Name taken", told)
    return Plan(given, wanted, _next_version(session, wanted), row)


def upload(unit: Unit, source: str, name: str | None = None) -> Uploaded:
    """Take a host's program in, as the newest version of its name; refuses what `plan` refuses. The same program
    again changes nothing, but for bringing it back where it was withdrawn."""
    while True:  # somebody else may take the same version of the name; then it is the next one's turn
        planned = plan(unit, source, name)
        if planned.row is not None and planned.is_there:
            there = planned.row if planned.row.withdrawn_at is None else restore(unit, planned.program.digest)
            return Uploaded(there, fresh=False)
        row = planned.row or _row(planned.program)
        row.host_id = unit.caller.token
        if _insert(unit.session, row, planned.name, planned.version, packaged=False):
            _record(unit, "game.upload", row, None, "listed")
            return Uploaded(row, fresh=True)


def _record(unit: Unit, action: str, row: Game, before: str | None, after: str) -> None:
    audit.record(unit, action, row.digest, before=before, after=after, name=row.name, version=row.version)


def withdraw(unit: Unit, name: str) -> Game:
    """Take a game off the lists: by name all its versions, by digest that one. Rounds of it go on."""
    callers.require_host(unit.caller)
    game = see(unit, name)
    for row in _meant(unit.session, game, name):
        if row.packaged:
            detail = say(
                "{name} is a packaged game, a part of the server. Only games that hosts brought can go.",
                name=repr(row.name),
            )
            raise conflict("game-packaged", "Packaged game", detail)
        _require_mine(unit, row)
        if row.withdrawn_at is None:
            row.withdrawn_at = unit.now
            _record(unit, "game.withdraw", row, "listed", "withdrawn")
    return game


def restore(unit: Unit, name: str) -> Game:
    """Undo `withdraw`. Returns what the name stands for then."""
    callers.require_host(unit.caller)
    game = see(unit, name)
    for row in _meant(unit.session, game, name):
        if not row.packaged:
            _require_mine(unit, row)
        if row.withdrawn_at is not None:
            row.withdrawn_at = None
            _record(unit, "game.restore", row, "withdrawn", "listed")
    unit.session.flush()
    return see(unit, name)


def name_of(given: Program) -> str:
    """A name made of the program's title. Raises `RequestError` where there is no letter in it that a name may have."""
    plain = unicodedata.normalize("NFKD", given.title).encode("ascii", "ignore").decode().lower()
    name = re.sub("[^a-z0-9]+", "_", plain).lstrip("_0123456789")[:NAME_LENGTH].rstrip("_")
    if not name:
        raise invalid(
            "/name",
            "No name can be made of the program's title. Give it one, or write '# Its title' into the first line.",
        )
    return name


def clean_game_name(name: str) -> str:
    name = name.strip()
    if not NAME.fullmatch(name) or len(name) > NAME_LENGTH:
        told = say(
            "A game's name has at most {number} characters: small letters, digits, '_' and '-', a letter first.",
            number=NAME_LENGTH,
        )
        raise invalid("/name", told)
    return name


def program(row: Game) -> Program:
    """What a row holds, ready for the engine."""
    return parsed(row.source, row.title)


def parsed(source: str, name: str = "") -> Program:
    """The program of a source that was checked before. name: its title, where it has no front page."""
    return _programs.get((source, name), lambda: parse(source, name), lambda _: len(source))


#: By source and name; sizes in characters of source. A character becomes up to four hundred bytes of program.
_programs: SizedCache[tuple[str, str], Program] = SizedCache(256 * 1024)


@dataclass(frozen=True, slots=True)
class Facts:
    """What lists tell of a program. warnings: what works in it and is hardly meant so."""

    passages: int
    seats: Sequence[str]
    judges: Sequence[str]
    warnings: Sequence[Advice]


def facts(row: Game) -> Facts:
    """Of the program of a row, kept apart from it: a list of games that parsed them all would take seconds."""
    return _keep_facts(row.digest, lambda: program(row))


def _keep_facts(digest: str, given: Callable[[], Program]) -> Facts:
    return _facts.get(digest, lambda: _facts_of(given()), lambda found: 200 * (1 + len(found.warnings)))


_facts: SizedCache[str, Facts] = SizedCache(8 * 1024 * 1024)


def _facts_of(program: Program) -> Facts:
    return Facts(program.passages, program.seats, program.judges, preflight.warnings(program))


def _seen(session: Session, name: str) -> Game | None:
    """By digest, or the newest version of that name: one that is not withdrawn, where there is any."""
    by_digest = session.get(Game, name)
    if by_digest is not None:
        return by_digest
    rows = _versions(session, name)
    return next((row for row in rows if row.withdrawn_at is None), rows[0] if rows else None)


def _versions(session: Session, name: str) -> Sequence[Game]:
    return session.scalars(select(Game).where(Game.name == name).order_by(Game.version.desc())).all()


def _meant(session: Session, game: Game, name: str) -> Sequence[Game]:
    """The rows that a digest or a name stands for, locked."""
    which = Game.digest == name if name == game.digest else Game.name == game.name
    locked = select(Game).where(which).order_by(Game.digest).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).all()


def is_mine(unit: Unit, row: Game) -> bool:
    """May the caller make versions of this game, which is no packaged one, withdraw it and restore it?"""
    return unit.caller.owner or row.host_id == unit.caller.token


def _require_mine(unit: Unit, row: Game) -> None:
    if not is_mine(unit, row):
        raise forbidden("This game is another host's: they or the server's owner can do this.")


def _row(given: Program) -> Game:
    return Game(digest=given.digest, description=given.description, source=given.source)


def _next_version(session: Session, name: str) -> int:
    return 1 + (session.scalar(select(func.max(Game.version)).where(Game.name == name)) or 0)


def _insert(session: Session, row: Game, name: str, version: int, *, packaged: bool) -> bool:
    """Write the row under that name and version; False where somebody else was quicker."""
    try:
        with session.begin_nested():
            row.name, row.version, row.packaged, row.withdrawn_at = name, version, packaged, None
            row.title, row.created_at = parsed(row.source, name).title, now(session)
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def _refusal(errors: Sequence[ProgramError]) -> RequestError:
    told = [
        Detail("/source", error.message, error.line, error.column, error.found, error.expected)
        for error in errors[:ERRORS_TOLD]
    ]
    if len(errors) == 1:
        detail = f"The program has an error: {errors[0]}. Mend it and send it again."
    else:
        listed = f"the first {ERRORS_TOLD:,} are listed" if len(errors) > ERRORS_TOLD else "all are listed"
        detail = f"The program has {len(errors):,} errors; {listed}. Mend them and send it again."
    return RequestError("invalid-program", 422, "Invalid program", detail, tuple(told))


def _name_taken(name: str) -> RequestError:
    told = say("{name} is the name of a packaged game. Give your game another name.", name=repr(name))
    return conflict("name-taken", "Name taken", told)


def _here_already(row: Game) -> RequestError:
    name = repr(row.name)
    if row.packaged:
        told = say("This very program is here already, packaged as {name}. Use it under that name.", name=name)
    else:
        told = say(
            "This very program is here already, brought as {name}. Use it under that name, or withdraw it and send it"
            " again.",
            name=name,
        )
    return conflict("game-exists", "Game exists", told)
