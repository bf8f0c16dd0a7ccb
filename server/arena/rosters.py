"""A roster: a list of names, pasted or from a spreadsheet, that becomes players with a key each. All of it, or nothing.

A line has a name and, if the host likes, what the host's own lists call the pupil, with a comma, a semicolon or a tab
between them, quoted where need be. A first line of headings may put these in another order, with a column of teams.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from games.sentences import Sentence, say
from server.arena import audit, callers, competitions, names, players, teams
from server.arena.players import Joined
from server.arena.unit import Unit
from server.db.states import PlayerKind
from server.errors import Detail, RequestError, invalid

MOST = 500  # names at once
LONGEST_ID = 64  # characters
TOLD = 20  # mistakes that are told at once
DELIMITERS = "\t;,"
NAME_HEADINGS = frozenset({"name", "names", "player", "pupil", "student", "nom", "élève", "schüler", "schülerin"})
ID_HEADINGS = frozenset(
    {"id", "external id", "external_id", "number", "no", "nr", "nummer", "kennung", "numéro", "identifiant"}
)
TEAM_HEADINGS = frozenset({"team", "group", "gruppe", "mannschaft", "équipe", "equipe", "groupe"})


@dataclass(frozen=True, slots=True)
class Columns:
    """Where they stand, from 0. team: only where a heading says it."""

    name: int = 0
    external_id: int = 1
    team: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """number: of the line of the text on which it begins, from 1. team: by its name."""

    number: int
    name: str
    external_id: str | None
    team: str | None


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 where its first bytes say so, else what Windows and Latin-1 write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def preview(unit: Unit, competition_id: str, text: str) -> Sequence[Line]:
    """Whom a roster would add; adds nobody. Hosts only. Raises `RequestError` with every line that is wrong."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    lines = read(text)
    here = players.members(unit.session, competition.id)
    taken = {player.name_key for player in here}
    ids = {player.external_id for player in here if not player.removed}
    mistakes = [_at(line.number, _taken(line)) for line in lines if names.skeleton(line.name) in taken]
    mistakes += [_at(line.number, _known(line)) for line in lines if line.external_id and line.external_id in ids]
    if mistakes:
        raise _refused(mistakes, taken=True)
    return lines


def add(unit: Unit, competition_id: str, text: str) -> Sequence[Joined]:
    """Make a player of each line, whether joining is open or not. Hosts only. Raises what `preview` raises."""
    lines = preview(unit, competition_id, text)
    competition = competitions.find(unit.session, competition_id)
    audit.record(unit, "roster.add", competition.id, before=None, after=f"{len(lines):,} players")
    named = teams.named(unit, competition, [line.team for line in lines if line.team])
    newcomers = [
        # A microsecond apart: who joined is listed by the time, and so in the order of the roster.
        players.newcomer(
            competition,
            line.name,
            PlayerKind.PERSON,
            unit.now + timedelta(microseconds=place),
            external_id=line.external_id,
            team_id=named[line.team].id if line.team else None,
        )
        for place, line in enumerate(lines)
    ]
    return players.enrol(unit, competition, newcomers)


def read(text: str) -> Sequence[Line]:
    """The lines of a roster that name somebody. Raises `RequestError` (422) with every line that is wrong."""
    rows = list(_rows(text))
    columns = _columns(*rows[0]) if rows else Columns()
    if rows and _is_heading(rows[0][1]):
        rows = rows[1:]
    if not rows:
        raise invalid("", "The roster is empty: put one name on a line.")
    if len(rows) > MOST:
        told = say(
            "A roster has at most {most} names, and this one has {count}: line {line} is the first too many. Send it in"
            " parts.",
            most=MOST, count=f"{len(rows):,}", line=rows[MOST][0],
        )  # fmt: skip
        raise RequestError("roster-too-long", 422, "Roster too long", told, (Detail("", told, rows[MOST][0]),))
    lines: list[Line] = []
    mistakes: list[Detail] = []
    for number, cells in rows:
        try:
            lines.append(_line(number, cells, columns))
        except RequestError as wrong:
            mistakes.append(_at(number, wrong.detail))
    mistakes += _twice(lines, lambda line: names.skeleton(line.name), _same_name)
    mistakes += _twice([line for line in lines if line.external_id], lambda line: line.external_id, _same_id)
    if mistakes:
        raise _refused(mistakes)
    return lines


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line on which each begins."""
    text = text.removeprefix("\ufeff")
    lines = text.splitlines()
    delimiter = max(DELIMITERS, key=lambda each: sum(each in line for line in lines))
    found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    begin = 1
    try:
        for cells in found:
            if any(cell.strip() for cell in cells):
                yield begin, [cell.strip() for cell in cells]
            begin = found.line_num + 1
    except csv.Error:
        told = say("The quotation marks do not fit: there is one too many or too few from here on.")
        raise _refused([_at(begin, told)]) from None


def _is_heading(cells: Sequence[str]) -> bool:
    return any(cell.casefold() in NAME_HEADINGS for cell in cells)


def _columns(number: int, cells: Sequence[str]) -> Columns:
    """Headings may say where name, id and team stand; those of other columns are refused, since what would be left out
    may be half of a name."""
    if not _is_heading(cells):
        return Columns()
    headings = [cell.casefold() for cell in cells]
    for cell, heading in zip(cells, headings, strict=True):
        if heading and heading not in NAME_HEADINGS | ID_HEADINGS | TEAM_HEADINGS:
            told = say(
                "The column {name} is not known here. A roster has a column “name” and, if you like, columns “id” and"
                " “team”.",
                name=repr(cell),
            )
            raise _refused([_at(number, told)])
    name = next(i for i, heading in enumerate(headings) if heading in NAME_HEADINGS)
    team = next((i for i, heading in enumerate(headings) if heading in TEAM_HEADINGS), None)
    free = next(i for i in range(3) if i not in (name, team))
    return Columns(name, next((i for i, heading in enumerate(headings) if heading in ID_HEADINGS), free), team)


def _line(number: int, cells: Sequence[str], columns: Columns) -> Line:
    where = (columns.name, columns.external_id, columns.team)
    if any(cell for i, cell in enumerate(cells) if i not in where):
        told = say("There are {count} columns. A roster has a name and, if you like, an id.", count=len(cells))
        raise invalid("", told)
    found, external_id, team = (cells[i] if i is not None and i < len(cells) else "" for i in where)
    if len(external_id) > LONGEST_ID or not external_id.isprintable():
        raise invalid("", say("The id is one line of at most {most} characters.", most=LONGEST_ID))
    return Line(number, names.chosen(found, ""), external_id or None, names.chosen(team, "") if team else None)


def _twice(lines: Sequence[Line], key: Callable[[Line], str | None], told: Callable[[Line, int], str]) -> list[Detail]:
    """Lines that have what a line before them has already, which `told` tells of."""
    first: dict[str | None, int] = {}
    pairs = [(line, first.setdefault(key(line), line.number)) for line in lines]
    return [_at(line.number, told(line, before)) for line, before in pairs if before != line.number]


def _taken(line: Line) -> str:
    return say("There is already a player named {name} here, or one like it.", name=repr(line.name))


def _known(line: Line) -> str:
    return say("There is already a player with the id {id}.", id=repr(line.external_id))


def _same_name(line: Line, before: int) -> str:
    return say(
        "The name {name} is on line {first} already, or one like it. Tell the two apart, as by a letter.",
        name=repr(line.name),
        first=before,
    )


def _same_id(line: Line, before: int) -> str:
    return say("The id {id} is on line {first} already.", id=repr(line.external_id), first=before)


def _at(number: int, told: str) -> Detail:
    sentence = told if isinstance(told, Sentence) else say(told)  # which a page says in its own language
    return Detail("", say("Line {line}: {told}", line=number, told=sentence), number)


def _refused(mistakes: Sequence[Detail], *, taken: bool = False) -> RequestError:
    """With the first of the mistakes in the order of the lines; nothing is done. taken: are the lines good as such?"""
    shown = tuple(sorted(mistakes, key=lambda each: each.line or 0)[:TOLD])
    told = say(
        "{count} line is wrong, so nobody is added. {first}",
        "{count} lines are wrong, so nobody is added. {first}",
        count=len(mistakes),
        first=shown[0].detail,
    )
    kind, status = ("name-taken", 409) if taken else ("invalid-roster", 422)
    return RequestError(kind, status, "Name taken" if taken else "Invalid roster", told, shown)
