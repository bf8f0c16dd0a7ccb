"""Games that hosts bring: taken in, or refused with all that is wrong; versions and withdrawal change no round."""

import json
import os
import re
import secrets
import subprocess
from pathlib import Path

import httpx
import pytest

from games import catalog, limits
from games.program import parse
from server.arena import games
from tests.support.attacks import ATTACKS
from tests.support.games import ESCAPES, new_name, program, upload
from tests.support.scenario.deployment import HOST_TOKEN, PASSAGE, answer
from tests.support.server import (
    Class,
    Json,
    RunningApp,
    all_at_once,
    new_class,
    new_competition,
    nothing_changes,
    pointers,
    problem,
)
from tests.support.workers import PLAIN


def names(house: RunningApp) -> list[str]:
    return [game["name"] for game in answer(house.anyone.get("/games", params={"limit": 1000}))["items"]]


def audited(house: RunningApp, digest: str) -> list[str]:
    rows = house.sql("SELECT action FROM audit WHERE target = :digest ORDER BY number", digest=digest)
    return [row.action for row in rows]


# --- Taken in ---------------------------------------------------------------------------------------------------------


def test_a_program_becomes_a_game(house: RunningApp) -> None:
    name, source = new_name(), program("Sea shanties")
    response = upload(house, source, name)
    made = answer(response, 201)
    assert made["digest"] == parse(source).digest
    assert response.headers["location"] == f"/api/v1/games/{made['digest']}"
    assert (made["name"], made["version"], made["packaged"], made["withdrawn_at"]) == (name, 1, False, None)
    assert (made["title"], made["source"]) == ("Sea shanties", source)
    assert made["description"].startswith("Say something.")
    assert (made["passages"], made["seats"], made["judges"]) == (1, ["black"], [])
    for way in (name, made["digest"]):
        assert answer(house.anyone.get(f"/games/{way}")) == made
    assert name in names(house)
    assert audited(house, made["digest"]) == ["game.upload"]


def test_the_same_program_again_changes_nothing(house: RunningApp) -> None:
    name, source = new_name(), program()
    made = answer(upload(house, source, name), 201)
    with nothing_changes(house):
        for again in (upload(house, source, name), upload(house, source.replace("\n", "  \r\n"), name)):
            assert answer(again, 200) == made
            assert again.headers["location"] == f"/api/v1/games/{made['digest']}"
        assert answer(upload(house, source), 200) == made, "without a name, it is where it is"


def test_a_name_is_made_of_the_title(house: RunningApp) -> None:
    unique = secrets.token_hex(4)
    assert answer(upload(house, program(f"Été à la mer, {unique}!")), 201)["name"] == f"ete_a_la_mer_{unique}"
    assert len(answer(upload(house, program(f"Long {unique} " * 20)), 201)["name"]) <= 48


def test_a_program_without_a_title_is_called_by_its_name(house: RunningApp) -> None:
    source = f"elicit(x, 10)\nreward(xed(story() | x))  # {secrets.token_hex(4)}\n"
    body = problem(upload(house, source), 422, "invalid-request")
    assert pointers(body) == ["/name"]
    assert "Give it one" in body["detail"]
    name = new_name()
    made = answer(upload(house, source, name), 201)
    assert made["title"] == name
    assert [warning.partition(" measures")[0] for warning in made["warnings"]] == ["line 2:"]
    round_ = answer(make_round(house, name), 201)
    assert round_["title"] == name


def test_a_changed_program_is_the_next_version_and_the_older_one_stays(house: RunningApp) -> None:
    name = new_name()
    first, second = (answer(upload(house, program(), name), 201) for _ in range(2))
    assert (first["version"], second["version"]) == (1, 2)
    assert answer(house.anyone.get(f"/games/{name}")) == second
    assert answer(house.anyone.get(f"/games/{first['digest']}")) == first
    assert names(house).count(name) == 1
    for way in (name, first["digest"], second["digest"]):
        assert answer(house.anyone.get(f"/games/{way}/versions"))["items"] == [second, first]


def test_the_list_goes_on_page_by_page(house: RunningApp) -> None:
    for _ in range(2):
        answer(upload(house, program(), new_name()), 201)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = answer(house.anyone.get("/games", params=params))
        seen += [game["name"] for game in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == names(house)
    assert set(catalog.names()) < set(seen)


@pytest.mark.parametrize("filler", ["x", '"', "\\", "é", "語", "😀", "\t"])
def test_a_program_of_exactly_64_kilobytes_is_taken_in_however_it_is_escaped(house: RunningApp, filler: str) -> None:
    """The body may be several times as long: JSON writes some bytes as six."""
    source = program()
    room = limits.SOURCE_BYTES - len(source.encode())
    line = f"#{filler * (900 // len(filler.encode()))}#\n"
    source += line * (room // len(line.encode()))
    source += "#" * (limits.SOURCE_BYTES - len(source.encode()) - 1) + "\n"
    assert len(source.encode()) == limits.SOURCE_BYTES
    assert answer(upload(house, source, new_name()), 201)["source"] == source
    body = problem(upload(house, source + "#", new_name()), 422, "invalid-program")
    assert "65,537 bytes" in body["detail"]


def test_the_line_of_the_documents_brings_a_game(house: RunningApp, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "writing-games.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    source = program('"Quoted" été')
    (tmp_path / "my-game.xent").write_text(source, encoding="utf-8")
    environment = {**os.environ, "API": f"{house.url}/api/v1", "TOKEN": HOST_TOKEN, "PYTHONUTF8": "1"}
    ended = subprocess.run(["sh", "-ec", line], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert json.loads(ended.stdout)["digest"] == parse(source).digest
    assert answer(house.anyone.get("/games/quoted_ete"))["source"] == source


# --- Refused ----------------------------------------------------------------------------------------------------------


def test_all_errors_of_a_program_are_told_at_once_with_their_places(house: RunningApp) -> None:
    source = "# Bad\nassign(s=storyy())\n  elicit(x, 900)\nreward(5)\nassign(a=s)\n"
    with nothing_changes(house):
        body = problem(upload(house, source), 422, "invalid-program")
    assert "4 errors" in body["detail"]
    assert pointers(body) == ["/source"] * 4
    assert [(each["line"], each["column"]) for each in body["errors"]] == [(2, 10), (3, 13), (4, 8), (5, 8)]
    first = body["errors"][0]
    assert "storyy" in first["found"]
    assert first["expected"]
    assert first["found"] in first["detail"]
    assert first["expected"] in first["detail"]
    assert "did you mean story" in first["detail"]


@pytest.mark.parametrize("source", ESCAPES, ids=range(len(ESCAPES)))
def test_a_program_that_would_break_out_is_refused(sqlite_house: RunningApp, source: str) -> None:
    body = problem(upload(sqlite_house, source, "attack"), 422, "invalid-program")
    assert set(pointers(body)) == {"/source"}
    assert sqlite_house.anyone.get("/games/attack").status_code == 404


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_is_taken_or_refused_but_never_breaks_anything(sqlite_house: RunningApp, name: str) -> None:
    response = upload(sqlite_house, ATTACKS[name], new_name())
    if len(ATTACKS[name]) > limits.SOURCE_BYTES:
        problem(response, 413 if response.status_code == 413 else 422, response.json()["type"])
    elif response.status_code == 422:
        assert pointers(problem(response, 422, "invalid-program"))
    else:
        assert answer(response, 200, 201)["source"]


def test_a_text_that_is_no_program_at_all_is_told_so_briefly(house: RunningApp) -> None:
    body = problem(upload(house, "\0\n" * 30_000), 422, "invalid-program")
    assert len(body["errors"]) == games.ERRORS_TOLD
    assert "30,000 errors; the first 1,000 are listed" in body["detail"]


NAMES = [
    "",
    "x" * 49,
    "Upper",
    "two words",
    "_first",
    "1st",
    "dots.too",
    "ünder",
    "a" * 255,
    "a\nb",
    "a\0b",
    "a\ud800",
    "../x",
    "a/b",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_that_can_stand_in_an_address(house: RunningApp, name: str) -> None:
    with nothing_changes(house):
        assert pointers(problem(upload(house, program(), name), 422, "invalid-request")) == ["/name"]


@pytest.mark.parametrize("body", [{}, {"source": 5}, {"source": None}, {"source": "x", "version": 2}, [], "x"])
def test_a_body_of_another_shape_is_refused(house: RunningApp, body: object) -> None:
    with nothing_changes(house):
        problem(house.host.post("/games", json=body), 422, "invalid-request")


def test_a_body_beyond_every_program_is_refused_before_it_is_read(house: RunningApp) -> None:
    body = problem(upload(house, "#" * 500_000), 413, "body-too-large")
    assert "397,312 bytes" in body["detail"]


@pytest.mark.parametrize("name", ["condense", None])
def test_the_name_of_a_packaged_game_cannot_be_taken(house: RunningApp, name: str | None) -> None:
    with nothing_changes(house):
        body = problem(upload(house, program("Condense"), name), 409, "name-taken")
    assert "another name" in body["detail"]


def test_a_program_has_one_name(house: RunningApp) -> None:
    source = program()
    there = answer(upload(house, source, new_name()), 201)
    with nothing_changes(house):
        body = problem(upload(house, source, new_name()), 409, "game-exists")
        assert there["name"] in body["detail"]
        body = problem(upload(house, catalog.source("condense"), new_name()), 409, "game-exists")
        assert "packaged as 'condense'" in body["detail"]
        assert answer(upload(house, catalog.source("condense"), "condense"), 200)["packaged"]


@pytest.mark.parametrize("path", ["/games", "/games/condense:withdraw", "/games/condense:restore"])
def test_only_hosts_bring_games(lesson: Class, path: str) -> None:
    body = {"source": program()} if path == "/games" else None
    with nothing_changes(lesson.house):
        problem(lesson.house.anyone.post(path, json=body), 401, "unauthorized")
    ada = lesson.join()
    with nothing_changes(lesson.house):
        problem(ada.post(path, json=body), 403, "forbidden")


# --- Versions, rounds, withdrawal -------------------------------------------------------------------------------------


def make_round(house: RunningApp, game: str | None, competition: Json | None = None) -> httpx.Response:
    competition = competition or new_competition(house)
    body = {"passages": [PASSAGE], "judge": PLAIN.identity} | ({} if game is None else {"game": game})
    return house.host.post(f"/competitions/{competition['id']}/rounds", json=body)


def test_a_round_plays_the_version_that_it_was_made_with(house: RunningApp) -> None:
    """The second version gives nothing for any move; the round of the first one does not mind."""
    name = new_name()
    first = answer(upload(house, program(), name), 201)
    lesson = new_class(house, PLAIN, game=name)
    ada = lesson.join()
    assert ada.score(lesson.round_id, "about 12.5 boats")["bits"] == 12.5
    second = answer(upload(house, program().replace("xed(s | x)", "0 * xed(s | x)"), name), 201)
    assert ada.score(lesson.round_id, "about 13.5 boats")["bits"] == 13.5
    later = lesson.another_round(game=name)
    assert ada.score(later["id"], "about 12.5 boats")["bits"] == 0
    older = lesson.another_round(game=first["digest"])
    assert ada.score(older["id"], "about 14.5 boats")["bits"] == 14.5
    digests = [answer(house.host.get(f"/rounds/{each['id']}"))["digest"] for each in (lesson.round, later, older)]
    assert digests == [first["digest"], second["digest"], first["digest"]]


def test_a_withdrawn_game_leaves_the_lists_and_its_rounds_go_on(house: RunningApp) -> None:
    name = new_name()
    first, second = (answer(upload(house, program(), name), 201) for _ in range(2))
    lesson = new_class(house, PLAIN, game=name)
    gone = answer(house.host.post(f"/games/{name}:withdraw"))
    assert (gone["digest"], gone["withdrawn_at"] is not None) == (second["digest"], True)
    assert name not in names(house)
    for way in (name, first["digest"], second["digest"]):
        assert answer(house.anyone.get(f"/games/{way}"))["withdrawn_at"]
        body = problem(make_round(house, way), 422, "invalid-request")
        assert pointers(body) == ["/game"]
        assert "withdrawn" in body["detail"]
    assert lesson.join().score(lesson.round_id, "2")["bits"] == 2
    with nothing_changes(house):
        answer(house.host.post(f"/games/{name}:withdraw"))
    back = answer(house.host.post(f"/games/{name}:restore"))
    assert back == second
    assert name in names(house)
    with nothing_changes(house):
        answer(house.host.post(f"/games/{name}:restore"))
    answer(make_round(house, first["digest"]), 201)
    assert audited(house, first["digest"]) == ["game.upload", "game.withdraw", "game.restore"]


def test_a_version_that_was_a_mistake_is_withdrawn_alone(house: RunningApp) -> None:
    name = new_name()
    first, second = (answer(upload(house, program(), name), 201) for _ in range(2))
    answer(house.host.post(f"/games/{second['digest']}:withdraw"))
    assert answer(house.anyone.get(f"/games/{name}")) == first
    assert answer(make_round(house, name), 201)["digest"] == first["digest"]
    third = answer(upload(house, program(), name), 201)
    assert third["version"] == 3, "a number is given once"


def test_a_withdrawn_program_that_is_sent_again_is_back(house: RunningApp) -> None:
    name, source = new_name(), program()
    made = answer(upload(house, source, name), 201)
    answer(house.host.post(f"/games/{name}:withdraw"))
    assert answer(upload(house, source, name), 200) == made
    assert name in names(house)


def test_a_program_under_a_wrong_name_gets_another_one(house: RunningApp) -> None:
    wrong, right, source = new_name(), new_name(), program()
    answer(upload(house, source, wrong), 201)
    answer(house.host.post(f"/games/{wrong}:withdraw"))
    assert answer(upload(house, source, right), 201)["name"] == right
    assert right in names(house)
    assert house.anyone.get(f"/games/{wrong}").status_code == 404


def test_a_packaged_game_cannot_be_withdrawn(house: RunningApp) -> None:
    with nothing_changes(house):
        for way in ("condense", parse(catalog.source("condense")).digest):
            problem(house.host.post(f"/games/{way}:withdraw"), 409, "game-packaged")


@pytest.mark.parametrize("how", ["get", "withdraw", "restore", "versions"])
def test_a_game_that_is_not_there_is_not_found(house: RunningApp, how: str) -> None:
    caller = house.host
    paths = {"get": "/games/nope", "versions": "/games/nope/versions"}
    response = caller.get(paths[how]) if how in paths else caller.post(f"/games/nope:{how}")
    problem(response, 404, "not-found")


def test_where_no_game_is_named_the_strict_one_is_played(house: RunningApp) -> None:
    assert answer(make_round(house, None), 201)["game"] == "condense_strict"


# --- At the same moment -----------------------------------------------------------------------------------------------


def test_hosts_who_race_for_a_name_get_a_version_each(house: RunningApp) -> None:
    name = new_name()
    sources = [program() for _ in range(8)]
    made = [answer(response, 201) for response in all_at_once(8, lambda i: upload(house, sources[i], name))]
    assert sorted(game["version"] for game in made) == list(range(1, 9))
    newest = max(made, key=lambda game: int(game["version"]))
    assert answer(house.anyone.get(f"/games/{name}")) == newest


def test_hosts_who_send_the_same_program_at_once_get_one_game(house: RunningApp) -> None:
    name, source = new_name(), program()
    responses = all_at_once(8, lambda _: upload(house, source, name))
    assert sorted(response.status_code for response in responses) == [200] * 7 + [201]
    digests = {answer(response, 200, 201)["digest"] for response in responses}
    assert digests == {parse(source).digest}
    assert audited(house, parse(source).digest) == ["game.upload"]


def test_a_name_that_is_packaged_later_goes_to_the_packaged_game(house: RunningApp) -> None:
    """A newer server brings a game whose name, or whose very program, a host had first."""
    source = catalog.source("contrast")
    digest = parse(source).digest
    name = new_name()
    house.sql(
        "UPDATE games SET name = :name, packaged = :no WHERE digest = :digest", name=name, no=False, digest=digest
    )
    own = answer(upload(house, program(), "contrast"), 201)
    house.database.write(games.install_packaged)
    packaged = answer(house.anyone.get("/games/contrast"))
    assert (packaged["digest"], packaged["packaged"]) == (digest, True)
    assert answer(house.anyone.get(f"/games/{own['digest']}"))["source"] == own["source"]
    assert house.anyone.get(f"/games/{name}").status_code == 404
