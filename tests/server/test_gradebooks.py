"""A grade export of Canvas or Moodle comes back with one column filled, and every other byte as it was."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from server.arena import gradebook_files
from server.errors import RequestError
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, nothing_changes, problem
from tests.support.web import Visitor, text_of

CANVAS = '''Student,ID,SIS User ID,SIS Login ID,Section,Essay (101),Xent Arena (102),Current Score,Final Grade
,,,,,,Manual Posting,,
    Points Possible,,,,,10.0,100.0,(read only),(read only)
"Lovelace, Ada",11,1815,ada@school.example,"7b, morning",8.5,{ada},85.00,B
"Müller, Zoë",12,1816,zoe@school.example,7b,,{zoe},,
"Doe, Jane",13,1817,=jane(),7b,"he said ""no""",{jane},0.0,F
"Student, Test",99,,a1b2c3,7b,,,,
'''
MOODLE = """"First name";Surname;"ID number";Institution;Department;"Email address";"Assignment: Essay (Real)";"Assignment: Xent Arena (Real)";"Course total (Real)";"Last downloaded from this course"
Ada;Lovelace;1815;"The School; North";;ada@school.example;8,50;{ada};8,50;1795689600
Zoë;Müller;;;;zoe@school.example;-;{zoe};-;1795689600
"Jane
Mary";Doe;1817;;;jane@school.example;-;{jane};-;1795689600
"""  # noqa: E501
GERMAN = """Vorname\tNachname\tID-Nummer\tE-Mail-Adresse\tTest: Xent Arena (Punkte)
Ada\tLovelace\t1815\tada@school.example\t{ada}
Zoë\tMüller\t\tzoe@school.example\t{zoe}
Jane\tDoe\t1817\tjane@school.example\t{jane}"""
#: As canvas-lms writes it for who reads another language, whatever its word is, and for who wants last names apart.
CANVAS_GERMAN = """Student;ID;SIS Login ID;Section;Xent Arena (102);Current Score
    Points Possible;;;;100,00;(schreibgeschützt)
"Lovelace, Ada";1815;ada@school.example;7b;{ada};85,00
"Müller, Zoë";12;zoe@school.example;7b;{zoe};
"Doe, Jane";13;;7b;{jane};0,00
"""
CANVAS_APART = """LastName,FirstName,ID,SIS User ID,SIS Login ID,Section,Xent Arena (102),Current Score
    Points Possible,,,,,,100.00,(lecture seule)
Lovelace,Ada,11,1815,ada@school.example,7b,{ada},85.00
Müller,Zoë,12,,zoe@school.example,7b,{zoe},
Doe,Jane,13,,,7b,{jane},
"""
FRENCH = """Prénom,Nom,"Numéro d’identification",Institution,Département,"Adresse de courriel",Suspendu,"Devoir : Xent Arena (Brut)","Total du cours (Brut)","Dernier téléchargement depuis ce cours"
Ada,Lovelace,1815,,,ada@school.example,,{ada},-,1795689600
Zoë,Müller,,,,zoe@school.example,Oui,{zoe},-,1795689600
Jane,Doe,1817,,,jane@school.example,,{jane},-,1795689600
"""  # noqa: E501
GERMAN_APART = """Nachname,Vorname,Matrikelnummer,Institution,Abteilung,E-Mail-Adresse,gesperrt,"Test: Xent Arena (Punkte)","Zuletzt aus diesem Kurs geladen"
Lovelace,Ada,1815,,,ada@school.example,,{ada},1795689600
Müller,Zoë,,,,zoe@school.example,,{zoe},1795689600
Doe,Jane,1817,,,jane@school.example,,{jane},1795689600
"""  # noqa: E501
QUOTED = """"Student","ID","X (1)"
"Ada Lovelace","1815","{ada}"
"Zoë Müller","","{zoe}"
"Jane","1817",{jane}
"""
BEFORE = {"ada": "", "zoe": "-", "jane": "7"}


@dataclass(frozen=True)
class Platform:
    """How a file is written. column: the heading that is filled."""

    text: str
    column: str
    encode: Callable[[str], bytes] = str.encode

    def file(self, **cells: str) -> bytes:
        return self.encode(self.text.format(**BEFORE | cells))


def _windows(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("cp1252")


def _marked(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("utf-8-sig")


FILES = {
    "Canvas": Platform(CANVAS, "Xent Arena (102)"),
    "Canvas, with a byte order mark": Platform(CANVAS, "Xent Arena", _marked),
    "Canvas, with semicolons": Platform(CANVAS.replace(",", ";").replace("; ", ", "), "Xent Arena (102)"),
    "Moodle": Platform(MOODLE, "Assignment: Xent Arena (Real)"),
    "Moodle, as Windows writes it": Platform(MOODLE, "Assignment: Xent Arena", _windows),
    "Moodle, line ends of old": Platform(MOODLE.replace("\n", "\r"), "Assignment: Xent Arena"),
    "Moodle in German, as Excel writes it": Platform(
        GERMAN, "Test: Xent Arena (Punkte)", lambda text: text.encode("utf-16")
    ),
    "Moodle in German, last names first": Platform(GERMAN_APART, "Test: Xent Arena"),
    "Moodle in French": Platform(FRENCH, "Devoir : Xent Arena (Brut)"),
    "Moodle in French, with the other apostrophe": Platform(FRENCH.replace("\u2019", "'"), "Devoir : Xent Arena"),
    "Canvas in German": Platform(CANVAS_GERMAN, "Xent Arena (102)"),
    "Canvas, last names apart": Platform(CANVAS_APART, "Xent Arena"),
    "quoted cells": Platform(QUOTED, "X"),
}


@pytest.fixture
def course(lesson: Class) -> Class:
    """Ada by her id, though she is called otherwise here; Zoë by her name; and one who is in no file."""
    roster = "Countess,1815\nZoë Müller\nJane Elsewhere,1999\n"
    at = f"/competitions/{lesson.id}/roster"
    made = answer(lesson.house.host.post(at, content=roster.encode(), headers={"Content-Type": "text/csv"}), 201)
    for joined, move in zip(made["items"], ("25.5", "say -4", "7"), strict=True):
        lesson.house.caller(joined["token"]).score(lesson.round_id, move)
    return lesson


def send(course: Class, data: bytes, what: str = "", kind: str = "text/csv", **query: str) -> httpx.Response:
    path = f"/competitions/{course.id}/gradebook{what}"
    return course.house.host.post(path, content=data, headers={"Content-Type": kind}, params=query)


def bests(course: Class) -> dict[str, str]:
    return {each["player"]["name"]: str(each["bits"]) for each in course.board()}


def test_only_the_column_changes(course: Class) -> None:
    best = bests(course)
    assert float(best["Zoë Müller"]) < 0
    with nothing_changes(course.house):
        for name, platform in FILES.items():
            filled = send(course, platform.file(), column=platform.column, of="1")
            assert filled.status_code == 200, (name, filled.text)
            assert filled.content == platform.file(ada=best["Countess"], zoe=best["Zoë Müller"]), name
            assert filled.headers["content-type"].startswith("text/csv; charset=")
            assert f'filename="{course.id}-gradebook.csv"' in filled.headers["content-disposition"]


def test_the_total_is_what_the_board_over_all_rounds_shows(course: Class) -> None:
    board = answer(course.house.host.get(f"/competitions/{course.id}/leaderboard"))["items"]
    total = {each["player"]["name"]: str(each["total"]) for each in board}
    moodle = FILES["Moodle"]
    filled = send(course, moodle.file(), column=moodle.column)
    assert filled.content == moodle.file(ada=total["Countess"], zoe="0.0")


def test_it_tells_who_is_left_over_on_either_side(course: Class) -> None:
    seen = answer(send(course, FILES["Canvas"].file(), ":preview"))
    assert seen["columns"] == ["Essay (101)", "Xent Arena (102)"], "not what Canvas works out itself"
    columns = {
        "Canvas in German": ["Xent Arena (102)"],
        "Canvas, last names apart": ["Xent Arena (102)"],
        "Moodle in German, last names first": ["Test: Xent Arena (Punkte)"],
        "Moodle in French": ["Devoir : Xent Arena (Brut)", "Total du cours (Brut)"],
    }
    for name, fillable in columns.items():
        assert answer(send(course, FILES[name].file(), ":preview"))["columns"] == fillable, name
    assert seen["matched"] == 2
    assert seen["unmatched_rows"] == [{"line": 6, "name": "Doe, Jane"}, {"line": 7, "name": "Student, Test"}]
    (jane,) = seen["unmatched_players"]
    assert (jane["name"], jane["external_id"]) == ("Jane Elsewhere", "1999")
    assert answer(send(course, FILES["Moodle"].file(), ":preview"))["unmatched_rows"] == [
        {"line": 4, "name": "Jane Mary Doe"}
    ]


def test_whoever_could_be_two_is_nobody(course: Class) -> None:
    twice = b'Student,ID,X\n"M\xc3\xbcller, Zo\xc3\xab",1,\nZo\xc3\xab M\xc3\xbcller,2,\nA,1815,\nB,1815,\nC,1999,\n'
    seen = answer(send(course, twice, ":preview"))
    assert [each["line"] for each in seen["unmatched_rows"]] == [2, 3, 4, 5]
    assert [each["name"] for each in seen["unmatched_players"]] == ["Countess", "Zoë Müller"]


def test_an_id_goes_before_a_name_and_removed_players_are_nobody(course: Class) -> None:
    ids = answer(send(course, b"Student,ID,X\nZo\xc3\xab M\xc3\xbcller,1999,\n", ":preview"))
    assert [each["name"] for each in ids["unmatched_players"]] == ["Countess", "Zoë Müller"]
    members: list[Json] = answer(course.house.host.get(f"/competitions/{course.id}/players"))["items"]
    answer(course.house.host.post(f"/players/{members[0]['id']}:remove"))
    seen = answer(send(course, FILES["Canvas"].file(), ":preview"))
    assert {"line": 4, "name": "Lovelace, Ada"} in seen["unmatched_rows"]
    assert "Countess" not in [each["name"] for each in seen["unmatched_players"]]


HEAD = b"Student,ID,X (1),X (2),Y,Y\n"
WRONG = {
    "nothing": (b"", "is empty"),
    "blanks": (b"\n \r\n", "is empty"),
    "a workbook": (b"PK\x03\x04" + b"\0" * 40, "spreadsheet's own file"),
    "no text": (b"Student,ID\n\0\0", "is no text"),
    "half a character": ("Student,ID,X\nÄ,1,".encode("utf-16")[:-1], "is cut"),
    "another table": (b"name,id\nAda,1\n", "no grade export"),
    "a sentence": (b"Dear colleague, here they are", "no grade export"),
    "a line that is cut": (HEAD + b"Ada,1,,,,\nBob,2", "Line 3 has 2 cells, and the headings are 6"),
    "quotation marks": (HEAD + b'"Ada,1,,,,\n', "Line 2: the quotation marks"),
    "something after quotation marks": (HEAD + b'"Ada"a,1,,,,\n', "Line 2: the quotation marks"),
}


def test_a_wrong_file_is_told_what_is_wrong(course: Class) -> None:
    for data, told in WRONG.values():
        for what in ("", ":preview"):
            assert told in problem(send(course, data, what, column="X"), 422, "invalid-gradebook")["detail"]


def test_a_column_is_one_that_can_be_filled(course: Class) -> None:
    data = HEAD + b"Ada,1,,,,\n"
    assert "'X (1)', 'X (2)'" in problem(send(course, data, column="X"), 422, "unknown-column")["detail"]
    for column in ("Student", "ID", "Y", "Z", "X (3)"):
        body = problem(send(course, data, column=column), 422, "unknown-column")
        assert f"There is no column {column!r} that can be filled. Those that can: 'X (1)', 'X (2)'." == body["detail"]
    problem(send(course, data, column=" "), 422, "invalid-request")
    problem(send(course, data), 422, "invalid-request")
    assert "round '7'" in problem(send(course, data, column="X (1)", of="7"), 404, "not-found")["detail"]


def test_a_file_comes_as_text_of_decent_size(course: Class) -> None:
    problem(send(course, b"{}", kind="application/json", column="X"), 415, "unsupported-media-type")
    problem(send(course, b"x" * 600_000, column="X"), 413, "body-too-large")


@pytest.mark.parametrize(
    ("name", "written"),
    [("Zoë", "utf-8"), ("Zoë’s", "cp1252"), ("Zo\x81ë", "latin-1")],
    ids=["UTF-8", "Windows", "Latin-1"],
)
def test_names_are_read_as_they_were_written_and_every_byte_comes_back(name: str, written: str) -> None:
    data = f'Student,ID\r"{name}", 7\r\n\r\n'.encode(written)
    sheet = gradebook_files.read(data)
    assert sheet.lines[1].values == [name, "7"]
    assert sheet.filled(1, {}) == data


@pytest.mark.parametrize("data", [b"Student,ID\n" + b'"' * 400_001, b'Student,ID\n"' + b"a" * 400_000])
def test_quotation_marks_without_end_take_no_time(data: bytes) -> None:
    with pytest.raises(RequestError):
        gradebook_files.read(data)


def test_the_page_shows_who_is_left_over_and_gives_the_file_back(course: Class, visitor: Visitor) -> None:
    canvas, here = FILES["Canvas, with a byte order mark"], f"/host/competitions/{course.id}/gradebook"
    visitor.sign_in(course.house.host)
    assert f'href="{here}"' in visitor.get(f"/host/competitions/{course.id}").text
    assert "Nothing of it is kept" in text_of(visitor.get(here))
    form = {"file": base64.urlsafe_b64encode(canvas.file()).decode(), "of": "1"}
    shown = visitor.send(here, **form)
    for told in ("2 lines of the file are a player’s", "Doe, Jane", "line 6", "Jane Elsewhere", "Xent Arena (102)"):
        assert told in text_of(shown)
    filled = visitor.send(f"{here}/file", **form, column="Xent Arena (102)")
    best = bests(course)
    assert filled.content == canvas.file(ada=best["Countess"], zoe=best["Zoë Müller"])


def test_the_page_tells_what_is_wrong_and_is_for_hosts(course: Class, visitor: Visitor) -> None:
    here = f"/host/competitions/{course.id}/gradebook"
    visitor.sign_in(course.house.host)
    for file, told in (("", "Choose the file"), ("%", "Open the page again"), ("QQ==", "no grade export")):
        shown = visitor.send(here, file=file)
        assert (shown.status_code, told in text_of(shown)) == (422, True), file
    missing = visitor.send(f"{here}/file", file=base64.urlsafe_b64encode(HEAD).decode(), of="total")
    assert "Say which column" in text_of(missing)
    visitor.sign_in(course.join("Eve"))
    assert visitor.get(here).status_code == 403
    assert visitor.send(here, file="QQ==").status_code == 403
