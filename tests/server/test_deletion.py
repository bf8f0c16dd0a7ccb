"""A player deleted for good: nothing of theirs is left anywhere, and everybody else keeps what is theirs."""

import logging
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select, text

from server.db.columns import Base
from server.db.models import Audit, Measurement
from server.db.session import Database
from tests.support import duels
from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, RunningApp, new_class, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, at_work

NAME, WORD = "Zuleika Quine", "xylophonic"


@pytest.fixture
def her() -> tuple[str, str]:
    """A name and a word that stand nowhere else in the database that all tests share."""
    unlike = secrets.token_hex(6)
    return f"Zuleika {unlike}", f"xylophonic{unlike}"


def delete(lesson: Class, player: Caller, name: str, status: int = 204) -> None:
    response = lesson.house.host.request("DELETE", f"/players/{player.id}", json={"name": name})
    assert response.status_code == status, response.text


def cells(house: RunningApp) -> Iterator[tuple[str, str]]:
    """Every value of every column of every table, as text; but for bits and keys, which are bytes."""
    for table in Base.metadata.sorted_tables:
        for column in (each for each in table.columns if not isinstance(each.type, LargeBinary)):
            values = house.sql(f'SELECT CAST("{column.name}" AS TEXT) FROM "{table.name}"')
            yield from ((f"{table.name}.{column.name}", str(value)) for (value,) in values)


def places(house: RunningApp, *words: str | None) -> set[str]:
    """The columns in which one of the words stands."""
    return {column for column, value in cells(house) if any(word and word in value for word in words)}


def test_nothing_of_a_player_is_in_any_table(house: RunningApp, her: tuple[str, str]) -> None:
    name, word = her
    lesson = new_class(house, PLAIN, free=True)
    player, other = lesson.join(name), lesson.join("Bob")
    scored = answer(player.submit(lesson.round_id, f"9 {word}", wait=30, key="again"), 201)
    player.score(lesson.round_id, f"7 {word} others")
    other.score(lesson.round_id, "5")
    answer(player.post("/measurements", json={"text": f"a {word} text", "judge": PLAIN.identity}), 200, 201, 202)
    answer(player.post("/readings", json={"text": f"a {word} text", "judge": PLAIN.identity}), 200, 201, 202)
    answer(house.host.post(f"/submissions/{scored['id']}:hide"))
    before = places(house, name, word, player.id)
    assert {
        "players.name",
        "plays.moves",
        "measurements.prefix",
        "measurements.text",
        "experiments.question",
        "feed.data",
    } <= before
    delete(lesson, player, name)
    assert places(house, name, name.casefold(), word, player.token) == set()
    assert places(house, player.id) == {"audit.target"}
    assert [each["player"]["name"] for each in lesson.board()] == ["Bob"]
    problem(player.get("/me"), 401, "unauthorized")
    problem(house.host.get(f"/submissions/{scored['id']}"), 404, "not-found")
    assert lesson.join(name).id != player.id, "the name is free again"


def test_deleting_sees_to_every_column_that_leads_to_a_player() -> None:
    """A new one fails here: `server.arena.deletion` has to know it, and then this list."""
    gone = {"players", "tokens", "plays", "submissions", "measurements"}
    found = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name in gone for key in column.foreign_keys)
    }
    assert found == {
        "attempts.player_id", "measurements.player_id", "needs.key", "needs.play_id", "plays.invited",
        "ratings.number", "ratings.player_id", "repeats.token_id", "standings.number", "standings.player_id",
        "submissions.play_id", "submissions.player_id", "tokens.player_id", "unrated.first",
        "frozen_standings.number", "frozen_standings.player_id", "frozen_ratings.number", "frozen_ratings.player_id",
        "games.host_id", "hosting.token_id", "rescored_plays.play_id", "rescores.number",
        "checks.measurement",
    }  # fmt: skip


def test_who_submits_while_they_are_deleted_is_told_so(lesson: Class, her: tuple[str, str]) -> None:
    name, word = her
    player = lesson.join(name)

    def submit(who: int) -> set[int]:
        statuses: set[int] = set()
        for number in range(200):
            statuses.add(player.submit(lesson.round_id, f"{who} {number} {word}").status_code)
            if 401 in statuses:
                break
        return statuses

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(submit, who) for who in range(4)]
        eventually(lambda: len(lesson.house.submissions(lesson.round_id)) > 4, what="some moves")
        delete(lesson, player, name)
        statuses = set().union(*(each.result() for each in sent))
    assert 401 in statuses
    assert statuses <= {201, 202, 401}
    assert places(lesson.house, name, word) == set()


def test_only_a_host_who_says_the_name_deletes(lesson: Class) -> None:
    player, other = lesson.join(NAME), lesson.join("Bob")
    path, body = f"/players/{player.id}", {"name": NAME}
    problem(other.request("DELETE", path, json=body), 403, "forbidden")
    problem(lesson.house.anyone.request("DELETE", path, json=body), 401, "unauthorized")
    told = problem(lesson.house.host.request("DELETE", path, json={"name": "Zuleika"}), 422, "invalid-request")
    assert told["errors"][0]["pointer"] == "/name"
    problem(lesson.house.host.request("DELETE", path), 422, "invalid-request")
    assert answer(player.get("/me"))["player"]["name"] == NAME
    delete(lesson, player, NAME)
    problem(lesson.house.host.request("DELETE", path, json=body), 404, "not-found")


def test_the_feed_keeps_its_numbers_and_names_nobody(lesson: Class) -> None:
    player, other = lesson.join(NAME), lesson.join("Bob")
    player.score(lesson.round_id, "9")
    other.score(lesson.round_id, "5")
    before = lesson.events()
    delete(lesson, player, NAME)
    after = lesson.events()
    assert [each["number"] for each in after] == list(range(1, len(before) + 2))
    for old, new in zip(before, after, strict=False):
        if old["data"].get("player") == player.id:
            assert (new["type"], new["data"]) == ("player.deleted", {})
        else:
            assert new == old
    assert (after[-1]["type"], after[-1]["data"]) == ("player.deleted", {})


def test_the_audit_says_that_it_was_done_and_to_which_id(lesson: Class) -> None:
    player = lesson.join(NAME)
    delete(lesson, player, NAME)
    query = select(Audit).where(Audit.target == player.id)
    (row,) = lesson.house.database.read(lambda session: session.scalars(query).all())
    assert (row.action, row.detail) == ("player.delete", {"number": 1})


def test_measurements_that_others_asked_for_stay(lesson: Class) -> None:
    player, same, other = lesson.join(NAME), lesson.join("Same"), lesson.join("Bob")
    player.score(lesson.round_id, "9 shared thoughts")
    player.score(lesson.round_id, "8 lonely thoughts")
    kept = [same.score(lesson.round_id, "9 shared thoughts"), other.score(lesson.round_id, "7 other thoughts")]
    receipts = [
        answer(who.get(f"/submissions/{each['id']}/receipt")) for who, each in zip((same, other), kept, strict=True)
    ]
    delete(lesson, player, NAME)
    prefixes = [row.prefix for row in lesson.house.measurements(PLAIN)]
    assert [any(word in prefix for prefix in prefixes) for word in ("shared", "lonely", "other")] == [True, False, True]
    for who, each, receipt in zip((same, other), kept, receipts, strict=True):
        assert answer(who.get(f"/submissions/{each['id']}/receipt")) == receipt
    query = select(Measurement).where(Measurement.player_id == player.id)
    assert lesson.house.database.read(lambda session: session.scalars(query).all()) == []


def test_a_play_of_two_leaves_the_other_their_own(house: RunningApp, her: tuple[str, str]) -> None:
    name, word = her
    class_ = duels.class_of(house, duels.DUEL + "reward(white, xed(s | y))\n")
    black, white = class_.join(name), class_.join("Bob")
    begun = duels.begin(class_, black, white)
    duels.move(black, begun[0], f"3 {word}")
    duels.move(white, begun[1], "4 of mine", wait=30)
    score = duels.now(white, begun[1], wait=30)["bits"]
    delete(class_, black, name)
    left = duels.now(white, begun[1])
    assert (left["state"], left["bits"], left["seats"]["black"]) == ("scored", score, None)
    assert left["rewards"] == {"white": score}
    assert [each["text"] for each in left["events"] if each["type"] == "move"] == ["4 of mine"]
    assert places(house, name, word) == set()
    receipt = answer(white.get(f"/submissions/{begun[1]['id']}/receipt"))
    assert (receipt["complete"], receipt["because"], receipt["millibits"]) == (False, "lost", round(score * 1000))
    assert receipt["play"]["moves"] == [{"seat": "white", "text": "4 of mine"}]


def test_what_goes_on_ends_for_the_others(house: RunningApp, her: tuple[str, str]) -> None:
    name, word = her
    class_ = duels.class_of(house)
    player, bob, cyd = class_.join(name), class_.join("Bob"), class_.join("Cyd")
    begun = duels.begin(class_, player, bob)
    duels.move(player, begun[0], f"3 {word}")
    invites = duels.challenge(cyd, class_, seat="black", invite=player.id)
    mine = duels.challenge(player, class_, seat="black")
    delete(class_, player, name)
    left = duels.now(bob, begun[1])
    assert (left["state"], left["reason"]["type"]) == ("scored", "opponent_left")
    taken_back = duels.now(cyd, invites)
    assert (taken_back["state"], taken_back["reason"]["type"]) == ("rejected", "withdrawn")
    assert class_.house.attempts_used(class_.round_id, str(cyd.id)) == 0
    problem(house.host.get(f"/submissions/{mine['id']}"), 404, "not-found")
    assert places(house, name, word) == set()


def ratings(class_: Class) -> dict[str, Any]:
    return {each["player"]["name"]: each["rating"] for each in class_.board()}


def test_ratings_are_as_if_the_player_had_never_been(house: RunningApp) -> None:
    told = []
    for with_her in (True, False):
        class_ = duels.class_of(house)
        players = {name: class_.join(name) for name in ("Ann", "Bob", "Cyd", NAME)}
        for one, other, bits in (("Ann", "Bob", 5), (NAME, "Ann", 9), ("Bob", "Cyd", -3), ("Cyd", NAME, 4)):
            if with_her or NAME not in (one, other):
                duels.duel(class_, players[one], players[other], bits)
        if with_her:
            eventually(lambda: NAME in ratings(class_), what="her rating")  # noqa: B023
            delete(class_, players[NAME], NAME)
        eventually(lambda: {"Ann", "Bob", "Cyd"} == set(ratings(class_)), what="their ratings")  # noqa: B023
        told.append(ratings(class_))
    assert told[0] == told[1]


def test_a_stream_of_theirs_ends_and_others_hear_no_name(lesson: Class) -> None:
    player, other = lesson.join(NAME), lesson.join("Bob")
    path = f"/competitions/{lesson.id}/events"
    house = lesson.house
    begin = {"Last-Event-ID": "0"}
    with (
        house.http.stream("GET", path, headers=other.headers | begin) as his,  # the first: from 0 on all is held for it
        house.http.stream("GET", path, headers=player.headers) as hers,
    ):
        lines = his.iter_lines()
        assert NAME in _until(lines, "player.joined", NAME)
        delete(lesson, player, NAME)
        assert NAME not in _until(lines, "player.deleted", "{}")
        list(hers.iter_lines())  # to its end
        with house.http.stream("GET", path, headers=other.headers | begin) as late:
            assert NAME not in _until(late.iter_lines(), "player.deleted", f'"number":{len(lesson.events())}')


def _until(lines: Iterator[str], *words: str) -> str:
    told: list[str] = []
    for line in lines:
        told.append(line)
        if all(word in "\n".join(told[-4:]) for word in words):
            return "\n".join(told)
    raise AssertionError("the stream ended")


def test_the_files_hold_neither_name_nor_moves(
    own_house: Callable[..., RunningApp],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    house = own_house(rate_limit=1_000)
    with at_work(house.redis_url, PLAIN):
        eventually(lambda: house.measurable(PLAIN), what="the judge")
        lesson = new_class(house, PLAIN)
        player, other = lesson.join(NAME), lesson.join("Bob")
        for number in range(5):
            player.score(lesson.round_id, f"{number} {WORD} {'more words ' * 200}")
        other.score(lesson.round_id, "5")
        assert in_files(tmp_path), "they were in the files"
        delete(lesson, player, NAME)
        assert eventually(lambda: not in_files(tmp_path), what="that the files hold nothing")
        exports = "".join(
            house.host.get(path).text
            for path in (f"/competitions/{lesson.id}/{kind}" for kind in ("results.csv", "moves.csv", "moves.jsonl"))
        )
    told = exports + house.host.get("/audit.jsonl").text + caplog.text + "".join(capsys.readouterr())
    assert "Bob" in exports
    assert NAME not in told
    assert WORD not in told


def in_files(folder: Path) -> list[str]:
    """The files below the folder in which name or words stand: the database, its log, the queue's."""
    found = []
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):  # Redis renames what it has written anew
            content = file.read_bytes()
            found += [str(file) for word in (NAME, WORD) if word.encode() in content]
    return found


@pytest.mark.slow
def test_whoever_reads_an_older_state_only_delays_the_emptying(tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "rows.sqlite3")
    database, log = Database(url), tmp_path / "rows.sqlite3-wal"
    database.write(lambda session: session.execute(text("CREATE TABLE words (word TEXT)")))
    database.write(lambda session: session.execute(text("INSERT INTO words VALUES (:word)"), {"word": WORD}))
    reading = database.stream(lambda session: iter(session.execute(text("SELECT word FROM words"))))
    next(reading)
    database.write(lambda session: session.execute(text("DELETE FROM words")))
    assert "reads an older state" in str(database.scrub())
    reading.close()  # type: ignore[attr-defined]
    assert database.scrub() is None
    assert log.stat().st_size == 0
    assert in_files(tmp_path) == []
    database.dispose()


def test_a_host_deletes_on_a_page_that_asks_for_the_name(lesson: Class, visitor: Visitor) -> None:
    player = lesson.join(NAME)
    visitor.sign_in(lesson.house.host)
    page = visitor.get(f"/host/competitions/{lesson.id}/people")
    assert f'href="/host/players/{player.id}/delete"' in page.text
    asked = visitor.get(f"/host/players/{player.id}/delete")
    assert "for good" in text_of(asked)
    refused = visitor.send(f"/host/players/{player.id}/delete", name="somebody")
    assert refused.status_code == 422
    assert "not the player's name" in text_of(refused)
    done = visitor.send(f"/host/players/{player.id}/delete", name=NAME)
    assert NAME not in done.text
    assert visitor.get(f"/host/players/{player.id}/delete").status_code == 404
    assert answer(lesson.house.host.get(f"/competitions/{lesson.id}/players"))["items"] == []


def test_a_player_does_not_see_that_page(lesson: Class, visitor: Visitor) -> None:
    player = lesson.join(NAME)
    visitor.sign_in(player)
    assert visitor.get(f"/host/players/{player.id}/delete").status_code == 403
