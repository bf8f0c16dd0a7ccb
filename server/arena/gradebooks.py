"""A course's own grade export, as Canvas or Moodle write it, with one column filled from the boards. Nothing is kept.

A line is a player's if one of its ids is the player's external id, else if its name is the player's. Whatever could be
two is nobody's, and is told.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from games.sentences import say
from server.arena import callers, competitions, gradebook_files, leaderboards, players, rounds
from server.arena.board_rows import LIVE
from server.arena.gradebook_files import Line, Sheet, wrong
from server.arena.unit import Unit
from server.db.models import Competition, Player
from server.errors import RequestError, invalid, not_found

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a learning platform calls what says who somebody is. names: each way of saying a name, by its headings."""

    names: Sequence[frozenset[str]]
    ids: frozenset[str]
    others: frozenset[str] = frozenset()

    @property
    def all_names(self) -> frozenset[str]:
        return frozenset().union(*self.names)


#: In every language English: canvas-lms, lib/gradebook_exporter.rb, writes them as they stand there, "LastName" and
#: "FirstName" where a teacher wants names in two columns. Of its words only "(read only)" is translated.
CANVAS = Layout(
    (frozenset({"Student"}), frozenset({"LastName", "FirstName"})),
    frozenset({"ID", "SIS User ID", "SIS Login ID", "Integration ID"}),
    frozenset({"Root Account", "Section"}),
)
#: English, German and French, as a site's language has them: grade/export/txt/grade_export_txt.php writes the names of
#: the profile fields, then `suspended` where those are listed too, the grades, and `timeexported` of the language pack.
#: The German and French ones are as programs know them that read such files: "Vorname,Nachname,Matrikelnummer,
#: Institution,Abteilung,E-Mail-Adresse,gesperrt,Zuletzt aus diesem Kurs geladen" and "Prénom, Nom, Numéro
#: d'identification, Institution, Département, Adresse de courriel, Dernier téléchargement depuis ce cours".
MOODLE = Layout(
    (
        frozenset({"First name", "Surname"}), frozenset({"First name", "Last name"}),
        frozenset({"Vorname", "Nachname"}),
        frozenset({"Prénom", "Nom"}), frozenset({"Prénom", "Nom de famille"}),
    ),
    frozenset({
        "ID number", "Username", "Email address", "ID-Nummer", "Anmeldename", "E-Mail-Adresse",
        "Matrikelnummer", "Numéro d'identification", "Nom d'utilisateur", "Adresse de courriel",
    }),
    frozenset({
        "Institution", "Department", "Abteilung", "Département", "Last downloaded from this course",
        "Zuletzt aus diesem Kurs geladen", "Dernier téléchargement depuis ce cours", "Suspended", "gesperrt",
        "Suspendu",
    }),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a pupil. names: as they may stand on a board."""

    number: int
    names: Sequence[str]
    ids: frozenset[str]

    @property
    def name(self) -> str:
        """As the file has it."""
        return self.names[0]


@dataclass(frozen=True, slots=True)
class Gradebook:
    """What a file is to this competition. matched: the line of each player. columns: what may be filled."""

    sheet: Sheet
    columns: Mapping[str, int]
    matched: Mapping[int, Player]
    rows_left: Sequence[Row]
    players_left: Sequence[Player]


def preview(unit: Unit, competition_id: str, data: bytes) -> Gradebook:
    """Whose line is which, and who is left over on both sides. For watchers. Raises `RequestError` (422) for files that
    are no grade export."""
    callers.require_watcher(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    sheet = gradebook_files.read(data)
    layout = _layout(sheet)
    rows = _rows(sheet, layout)
    here = [each for each in players.members(unit.session, competition.id) if not each.removed and not each.pending]
    matched = _matched(rows, here)
    known = {player.id for player in matched.values()}
    return Gradebook(
        sheet,
        _columns(sheet, layout),
        matched,
        [row for row in rows if row.number not in matched],
        [player for player in here if player.id not in known],
    )


def fill(unit: Unit, competition_id: str, data: bytes, column: str, of: str) -> tuple[bytes, str]:
    """The file with everybody's total, or best in a round, in a column; and its encoding. For watchers.

    of: "total", or the number of a round. Whoever has nothing there keeps what the cell has.
    """
    book = preview(unit, competition_id, data)
    place = _column(book, column)
    worth = _worth(unit, competitions.find(unit.session, competition_id), of)
    texts = {line: _number(worth[player.id]) for line, player in book.matched.items() if player.id in worth}
    mark, encoding = book.sheet.mark, book.sheet.encoding
    return book.sheet.filled(place, texts), "utf-16" if mark and encoding != "utf-8" else encoding


def _number(thousandths: int) -> str:
    """As programs write it, with a point."""
    return str(thousandths / 1000)


def _worth(unit: Unit, competition: Competition, of: str) -> Mapping[str, int]:
    """What ranks on the board, in thousandths, by player."""
    if of == TOTAL:
        boards = [
            leaderboards.of_competition(unit.session, competition, LIVE, kind)
            for kind in leaderboards.sides(competition)
        ]
    else:
        found = {str(each.number): each for each in rounds.of_competition(unit.session, competition.id)}
        if of not in found:
            raise not_found("There is no round {name} here: say its number, or “total”.", of)
        boards = leaderboards.boards_of_round(unit.session, found[of], LIVE)
    return {entry.player.id: entry.ranks for board in boards for entry in board}


# --- What stands where ------------------------------------------------------------------------------------------------


def _layout(sheet: Sheet) -> Layout:
    headings = set(_headings(sheet))
    for layout in (CANVAS, MOODLE):
        if any(names <= headings for names in layout.names) and headings & layout.ids:
            return layout
    raise wrong(
        say(
            "This is no grade export of Canvas or Moodle. The first line of theirs has “Student” and “ID”, or"
            " “First name”, “Surname” and “Email address”."
        )
    )


def _headings(sheet: Sheet) -> Sequence[str]:
    """With one kind of apostrophe: newer language packs have the other."""
    return [_plain(heading).replace("\u2019", "'") for heading in sheet.lines[0].values]


def _rows(sheet: Sheet, layout: Layout) -> Sequence[Row]:
    headings = _headings(sheet)
    names = [place for place, heading in enumerate(headings) if heading in layout.all_names]
    ids = [place for place, heading in enumerate(headings) if heading in layout.ids]
    pupils = sheet.lines[1 + (_points(sheet) or 0) :]
    return [_row(line, names, ids) for line in pupils]


def _points(sheet: Sheet) -> int | None:
    """Which line after the headings has Canvas' “Points Possible”; nobody's stands before it."""
    return next((n for n, line in enumerate(sheet.lines) if line.values[0] == "Points Possible"), None)


def _row(line: Line, names: Sequence[int], ids: Sequence[int]) -> Row:
    values = line.values
    parts = [values[place] for place in names]
    name = _plain(" ".join(parts))
    last, comma, first = name.partition(",")
    turned = [f"{first} {last}"] if comma else [" ".join(reversed(parts))]  # “Lovelace, Ada”, or the last name first
    known = dict.fromkeys([name, *map(_plain, turned)])
    return Row(line.number, list(known), frozenset(values[place] for place in ids) - {""})


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _columns(sheet: Sheet, layout: Layout) -> Mapping[str, int]:
    """Those that say nothing of who somebody is, and that the platform takes back. Of two with one name neither.

    What Canvas works out itself has no points, but a word for that.
    """
    headings = sheet.lines[0].values
    points = _points(sheet)
    closed = [] if points is None else sheet.lines[points].values
    taken = layout.all_names | layout.ids | layout.others | {""}
    return {
        heading: place
        for place, (heading, plain) in enumerate(zip(headings, _headings(sheet), strict=True))
        if plain not in taken and headings.count(heading) == 1 and not (closed and _is_word(closed[place]))
    }


def _is_word(points: str) -> bool:
    return points != "" and not any(map(str.isdigit, points))


def _column(book: Gradebook, named: str) -> int:
    """The column of this heading, which may be without what its platform put behind it in brackets."""
    named = " ".join(named.split())
    if not named:
        raise invalid("/column", say("Say which column is to be filled."))
    found = [place for heading, place in book.columns.items() if named == heading]
    found = found or [place for heading, place in book.columns.items() if named == _bare(heading)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(repr(each) for each in list(book.columns)[:20]) or "–"
    told = say("There is no column {name} that can be filled. Those that can: {known}.", name=repr(named), known=known)
    if found:
        told = say("Several columns are called {name}. Say the whole heading: {known}.", name=repr(named), known=known)
    raise RequestError("unknown-column", 422, "Unknown column", told)


def _bare(heading: str) -> str:
    return re.sub(r" \([^()]*\)$", "", heading)


# --- Who is who -------------------------------------------------------------------------------------------------------


def _matched(rows: Sequence[Row], here: Sequence[Player]) -> Mapping[int, Player]:
    """By the external id first, then whoever is left by the name."""
    found = _pairs(rows, here, lambda row: row.ids, lambda player: player.external_id)
    known = {player.id for player in found.values()}
    rows = [row for row in rows if row.number not in found]
    here = [player for player in here if player.id not in known]
    return {**found, **_pairs(rows, here, lambda row: set(row.names), lambda player: _plain(player.name))}


def _pairs(
    rows: Sequence[Row],
    here: Sequence[Player],
    of_row: Callable[[Row], Collection[str]],
    of_player: Callable[[Player], str | None],
) -> Mapping[int, Player]:
    """Lines and players that have each other and nobody else."""
    lines: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        for word in of_row(row):
            lines[word].append(row.number)
    claims: dict[int, list[Player]] = defaultdict(list)
    for player in here:
        for line in lines.get(of_player(player) or "", ()):
            claims[line].append(player)
    count = Counter(player.id for claiming in claims.values() for player in claiming)
    return {line: found[0] for line, found in claims.items() if len(found) == 1 and count[found[0].id] == 1}
