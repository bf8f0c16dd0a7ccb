"""A roster: whatever a spreadsheet or a mail makes of a list of names, every name is there, or nobody is."""

import csv
import io
from pathlib import Path

import httpx
import pytest

from server.arena import rosters
from server.errors import RequestError
from tests.support.scenario.deployment import HOST_TOKEN, answer
from tests.support.server import Class, Json, all_at_once, nothing_changes, problem
from xentarena import Client


def send(lesson: Class, roster: str | bytes, preview: bool = False, kind: str = "text/csv") -> httpx.Response:
    content = roster.encode() if isinstance(roster, str) else roster
    path = f"/competitions/{lesson.id}/roster{':preview' if preview else ''}"
    return lesson.house.host.post(path, content=content, headers={"Content-Type": kind})


def read(text: str | bytes) -> list[tuple[int, str, str | None]]:
    found = rosters.read(rosters.decoded(text) if isinstance(text, bytes) else text)
    return [(line.number, line.name, line.external_id) for line in found]


GOOD: dict[str, tuple[str | bytes, list[tuple[int, str, str | None]]]] = {
    "names": ("Ada\nBob\n", [(1, "Ada", None), (2, "Bob", None)]),
    "no line end": ("Ada", [(1, "Ada", None)]),
    "line ends of Windows": ("Ada\r\nBob\r\n", [(1, "Ada", None), (2, "Bob", None)]),
    "line ends of old": ("Ada\rBob\r", [(1, "Ada", None), (2, "Bob", None)]),
    "empty lines": ("\n\nAda\n  \n;;\n\nBob\n", [(3, "Ada", None), (7, "Bob", None)]),
    "commas": ("Ada,17\nBob,\n", [(1, "Ada", "17"), (2, "Bob", None)]),
    "semicolons": ("Lovelace, Ada;17\nBob;18", [(1, "Lovelace, Ada", "17"), (2, "Bob", "18")]),
    "tabs": ("Lovelace, Ada\t17\nBob\t18", [(1, "Lovelace, Ada", "17"), (2, "Bob", "18")]),
    "quotes": ('"Lovelace, Ada",17\n"Bob ""Bo""", 18', [(1, "Lovelace, Ada", "17"), (2, 'Bob "Bo"', "18")]),
    "a line end in quotes": ('"Ada\nLovelace"\nBob', [(1, "Ada Lovelace", None), (3, "Bob", None)]),
    "white space": ("  Ada   Lovelace  , 17 ", [(1, "Ada Lovelace", "17")]),
    "headings": ("Name,ID\nAda,17", [(2, "Ada", "17")]),
    "headings the other way round": ("Nr;Name\n17;Ada\n18;Bob", [(2, "Ada", "17"), (3, "Bob", "18")]),
    "headings of names alone": ("\nNom\nAda", [(3, "Ada", None)]),
    "UTF-8": ("Zoë,é".encode(), [(1, "Zoë", "é")]),
    "UTF-8 with its mark": ("Zoë".encode("utf-8-sig"), [(1, "Zoë", None)]),
    "Latin-1": ("Zoë Müller".encode("latin-1"), [(1, "Zoë Müller", None)]),
    "Windows": ("Zoë’s".encode("cp1252"), [(1, "Zoë’s", None)]),
    "UTF-16, as Excel writes it": ("Zoë\t17\n".encode("utf-16"), [(1, "Zoë", "17")]),
    "a mark in what is pasted": ("\ufeffAda", [(1, "Ada", None)]),
    "accents apart": ("Zoe\nZoë", [(1, "Zoe", None), (2, "Zoë", None)]),
}


@pytest.mark.parametrize(("text", "lines"), GOOD.values(), ids=GOOD.keys())
def test_a_roster_is_read_as_it_is_meant(text: str | bytes, lines: list[tuple[int, str, str | None]]) -> None:
    assert read(text) == lines


BAD: dict[str, tuple[str, list[int], str]] = {
    "empty": ("", [], "is empty"),
    "nothing but empty lines": ("\n ; \n\n", [], "is empty"),
    "headings alone": ("name;id\n", [], "is empty"),
    "two of one name": ("Ada\nBob\nADA\nAdа\n", [3, 4], "on line 1 already"),
    "two of one id": ("Ada,1\nBob,1\n", [2], "The id '1' is on line 1"),
    "too long": (f"Ada\n{'x' * 65}\n", [2], "65 characters"),
    "an id too long": (f"Ada,{'1' * 65}", [1], "64 characters"),
    "three columns": ("Ada,1,2\nBob", [1], "3 columns"),
    "an unknown heading": ("Name;Vorname\nLovelace;Ada", [1], "'Vorname' is not known"),
    "no name": ("Ada,1\n,2\n", [2], "empty"),
    "reserved": ("Ada\nHost\n", [2], "choose another name"),
    "a control character": ("Ada\nB\x07b", [2], "U+0007"),
    "NUL": ("A\0da\nBob,\0", [1, 2], "U+0000"),
    "invisible": ("Ada\nB\u200bb\nㅤ\n", [2, 3], "invisible"),
    "quotes that never end": ('Ada\n"Bob\nEve\n', [2], "quotation marks"),
    "something after quotes": ('Ada\n"Bob"b\n', [2], "quotation marks"),
    "501 names": ("\n".join(f"P {i}x" for i in range(501)), [501], "this one has 501"),
    "10,000 lines": ("\n".join(f"P {i}x" for i in range(10_000)), [501], "this one has 10,000"),
}


@pytest.mark.parametrize(("text", "lines", "told"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_told_with_its_line(text: str, lines: list[int], told: str) -> None:
    with pytest.raises(RequestError) as refused:
        read(text)
    assert refused.value.status == 422
    assert [each.line for each in refused.value.errors if each.line] == lines
    assert told in refused.value.detail


def test_a_roster_makes_players_with_keys_of_their_own(lesson: Class) -> None:
    roster = 'name;id\nAda Lovelace;1815\n"Zoë; Müller";\n'
    seen = answer(send(lesson, roster, preview=True))["items"]
    assert seen[0] == {"line": 2, "name": "Ada Lovelace", "external_id": "1815", "team": None}
    assert lesson.events()[1:] == []
    made = answer(send(lesson, roster), 201)["items"]
    assert [each["player"]["name"] for each in made] == ["Ada Lovelace", "Zoë; Müller"]
    for each in made:
        player = answer(lesson.house.caller(each["token"]).get("/me"))["player"]
        assert (player["id"], player["external_id"]) == (each["player"]["id"], None)
    listed: list[Json] = answer(lesson.house.host.get(f"/competitions/{lesson.id}/players"))["items"]
    assert [each["external_id"] for each in listed] == ["1815", None]
    assert [event["type"] for event in lesson.events()[1:]] == ["player.joined"] * 2
    lesson.house.caller(made[0]["token"]).score(lesson.round_id, "25")
    assert (
        lesson.house.sql("SELECT action, detail FROM audit WHERE target = :id ORDER BY number", id=lesson.id)[-1][0]
        == "roster.add"
    )


def test_a_roster_goes_where_joining_is_locked(lesson: Class) -> None:
    for how in ("locked", "approval"):
        answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": how}))
        made = answer(send(lesson, f"Ada {how}"), 201)["items"]
        assert made[0]["player"]["pending"] is False


def test_where_one_name_is_taken_nobody_is_added(lesson: Class) -> None:
    lesson.join("Ada")
    answer(send(lesson, "Eve,7"), 201)
    with nothing_changes(lesson.house):
        for preview in (True, False):
            body = problem(send(lesson, "Bob\n\nADA\nCleo,7\n", preview), 409, "name-taken")
            assert [each["line"] for each in body["errors"]] == [3, 4]
            assert body["detail"].startswith("2 lines are wrong, so nobody is added. Line 3: ")


def test_a_roster_that_is_wrong_adds_nobody(lesson: Class) -> None:
    with nothing_changes(lesson.house):
        for text, lines, _ in BAD.values():
            body = problem(send(lesson, text), 422, send(lesson, text, preview=True).json()["type"])
            assert [each["line"] for each in body.get("errors", []) if each.get("line")] == lines


def test_a_roster_comes_as_text_of_decent_size(lesson: Class) -> None:
    with nothing_changes(lesson.house):
        problem(send(lesson, '{"names": ["Ada"]}', kind="application/json"), 415, "unsupported-media-type")
        problem(send(lesson, "x" * 600_000), 413, "body-too-large")


def test_of_rosters_with_one_name_in_common_one_is_added_whole(lesson: Class) -> None:
    sent = all_at_once(4, lambda i: send(lesson, f"First {i}\nAda\nLast {i}"))
    assert sorted(each.status_code for each in sent) == [201, 409, 409, 409]
    members: list[Json] = answer(lesson.house.host.get(f"/competitions/{lesson.id}/players"))["items"]
    assert len(members) == 3
    assert len({each["name"][-1] for each in members if each["name"] != "Ada"}) == 1


def test_a_hosts_program_brings_a_roster_and_finds_its_ids_in_the_results(lesson: Class, tmp_path: Path) -> None:
    file = tmp_path / "class.csv"
    file.write_bytes("Name;Nr\nZoë;=18\n".encode("latin-1"))
    with Client(lesson.house.url, HOST_TOKEN) as host:
        (zoe,) = host.add_roster(lesson.id, file)
        host.add_roster(lesson.id, "Bob")
        assert [(each.name, each.external_id) for each in host.players(lesson.id)] == [("Zoë", "=18"), ("Bob", None)]
        given = host.new_key(zoe.player.id)
    lesson.house.caller(given.token).score(lesson.round_id, "25")
    results = lesson.house.host.get(f"/competitions/{lesson.id}/results.csv")
    (row,) = csv.DictReader(io.StringIO(results.content.decode("utf-8-sig"), newline=""))
    assert (row["player"], row["external_id"]) == ("Zoë", "'=18"), "no formula for a spreadsheet"
