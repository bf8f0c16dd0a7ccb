"""An export to share: of every column somebody decided whether it has it, and nothing of what is left out is in it."""

import base64
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, String, Table

from server.db.columns import Base
from server.db.transfer.sharing import DECISIONS, Columns
from tests.support import duels, transfer
from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp, new_class
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, bits


def undecided() -> Iterator[str]:
    """Every column that has no decision, or more than one, and every decision on what is not there."""
    names = {name: sorted(table.columns.keys()) for name, table in Base.metadata.tables.items()}
    for name in names.keys() | DECISIONS.keys():
        decided = DECISIONS.get(name, Columns())
        if sorted(" ".join((decided.kept, decided.people, decided.omitted)).split()) != names.get(name):
            yield name


def test_every_column_of_every_table_is_decided_upon() -> None:
    assert not list(undecided()), "say in server/db/transfer/sharing.py whether a shareable export has the column"


def test_a_column_and_a_table_without_a_decision_are_noticed() -> None:
    extra = Table("forgotten", Base.metadata, Column("id", String, primary_key=True))
    try:
        assert list(undecided()) == ["forgotten"]
    finally:
        Base.metadata.remove(extra)


def test_whatever_refers_to_a_player_is_a_pseudonym_too_and_nothing_refers_to_what_is_left_out() -> None:
    for table in Base.metadata.sorted_tables:
        decided = DECISIONS[table.name]
        for key in table.foreign_keys:
            there = DECISIONS[key.column.table.name]
            for kind in ("people", "omitted"):
                if key.column.name in getattr(there, kind).split():
                    assert key.parent.name in f"{getattr(decided, kind)} {decided.omitted}".split(), key


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shared.zip"


@pytest.fixture
def url(house: RunningApp) -> str:
    return house.settings.database_url or ""


def test_nothing_of_what_is_left_out_is_in_a_shareable_export(
    house: RunningApp, lesson: Class, url: str, file: Path
) -> None:
    ada = lesson.join("Ada Quillfeather")
    sent = ada.score(lesson.round_id, "5")
    duel = duels.class_of(house)
    duels.begin(duel, duel.join("Ada Quillfeather"), duel.join("Bob Quillfeather"))
    answer(house.host.post(f"/competitions/{lesson.id}/hosts", json={"name": "Grace Quillfeather"}), 201)
    transfer.export(url, file, shareable=True)
    hidden = ["quillfeather", ada.id or "", sent["id"], lesson.competition["code"]]
    for each in house.sql("SELECT id, prefix, digest FROM tokens"):
        hidden += each
    hidden += [base64.b64encode(each[0]).decode() for each in house.sql("SELECT private FROM signing_keys")]
    for name, content in transfer.members(file).items():
        found = [each for each in hidden if each and each.lower() in content.decode().lower()]
        assert not found, name


def test_what_is_left_is_what_was_played(house: RunningApp, lesson: Class, url: str, file: Path) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "5")
    transfer.export(url, file, shareable=True)
    (sent,) = (row for row in transfer.rows(file, "submissions") if row["round_id"] == lesson.round_id)
    (player,) = (row for row in transfer.rows(file, "players") if row["id"] == sent["player_id"])
    (play,) = (row for row in transfer.rows(file, "plays") if row["id"] == sent["play_id"])
    assert (sent["millibits"], play["moves"]) == (5000, [{"seat": "black", "text": "5"}])
    assert player["name"].startswith("anon-")
    with_hint = [row for row in transfer.rows(file, "measurements") if "5" in row["prefix"] and "bits" in row]
    known = {bytes(base64.b64decode(row["bits"])) for row in with_hint if row["judge"] == PLAIN.identity}
    expected = bits(with_hint[0]["prefix"], with_hint[0]["text"])
    assert struct.pack(f"<{len(expected)}f", *expected) in known


def test_pseudonyms_are_the_same_next_time_and_names_stay_where_they_are_wanted(
    lesson: Class, url: str, file: Path, tmp_path: Path
) -> None:
    ada = lesson.join("Ada")
    told = []
    for number in range(2):
        transfer.export(url, file, shareable=True, force=True)
        told.append({row["id"]: row["name"] for row in transfer.rows(file, "players")})
        lesson.join(f"Guest {number} of {lesson.id}")
    assert told[0].items() <= told[1].items()
    transfer.export(url, tmp_path / "named.zip", shareable=True, names=True)
    assert (ada.id, "Ada") in {(row["id"], row["name"]) for row in transfer.rows(tmp_path / "named.zip", "players")}


def of_second(file: Path, lesson: Class, second: str) -> dict[str, int | str | None]:
    """What an export tells of a round's second judge: how many rows there are, and which judge the round names."""
    (round_,) = (row for row in transfer.rows(file, "rounds") if row["id"] == lesson.round_id)
    told = [row["id"] for row in transfer.rows(file, "rescorings") if row["round_id"] == lesson.round_id]
    keys = [row["key"] for row in transfer.rows(file, "measurements") if row["judge"] == second]
    return {
        "named": round_.get("second_judge"),
        "rescorings": len(told),
        "plays": sum(row["rescoring_id"] in told for row in transfer.rows(file, "rescored_plays")),
        "scores": sum(row["rescoring_id"] in told for row in transfer.rows(file, "rescores")),
        "measured": len(keys),
        "needs": sum(row["key"] in keys for row in transfer.rows(file, "needs")),
    }


def test_what_a_second_judge_says_is_in_it_once_players_see_that(
    house: RunningApp, other: FakeJudge, url: str, file: Path
) -> None:
    first, applied = (new_class(house, PLAIN, second_judge=other.identity) for _ in range(2))
    for lesson in (first, applied):
        lesson.join().score(lesson.round_id, "25 z")
        at = f"/rounds/{lesson.round_id}/rescorings"
        eventually(lambda at=at: [each["done"] for each in house.host.get(at).json()["items"]] == [1], what="it")  # type: ignore[misc]
        lesson.close()
    nothing = {"named": None, "rescorings": 0, "plays": 0, "scores": 0, "measured": 0, "needs": 0}
    transfer.export(url, file, shareable=True)
    whole = transfer.members(file)
    for lesson in (first, applied):
        assert of_second(file, lesson, other.identity) == nothing
    private = {name for name, content in whole.items() if other.identity in content.decode()}
    assert private == {"judges.jsonl"}, "the judge is there for everybody, and nothing else tells of it"
    answer(house.host.post(f"/rounds/{first.round_id}:reveal", json={"which": "top"}))
    transfer.export(url, file, shareable=True, force=True)
    seen = of_second(file, first, other.identity)
    assert {name: bool(told) for name, told in seen.items()} == dict.fromkeys(nothing, True)
    assert (seen["named"], seen["plays"], seen["scores"]) == (other.identity, 1, 1)
    answer(house.host.post(f"/rounds/{first.round_id}:conceal"))
    (rescoring,) = answer(house.host.get(f"/rounds/{applied.round_id}/rescorings"))["items"]
    answer(house.host.post(f"/rescorings/{rescoring['id']}:apply"))
    transfer.export(url, file, shareable=True, force=True)
    told = of_second(file, applied, other.identity)
    assert (told["named"], told["rescorings"], told["scores"]) == (other.identity, 1, 1), "its scores count now"
    assert of_second(file, first, other.identity)["scores"] == 0
