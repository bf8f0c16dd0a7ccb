"""A whole server as one file: exported while it runs, imported into another database, nothing lost or half done."""

import json
import random
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import JSON, event, insert
from structlog.testing import capture_logs

from server.db.migrate import history, migrate
from server.db.models import Competition, FeedEvent
from server.db.session import Database
from server.db.transfer import copying
from server.errors import CommandError
from server.launch import transfer as launched
from server.launch.data_dir import held
from server.launch.files import replacing
from server.settings import Settings, sqlite_url
from tests.support import duels, transfer
from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp, new_class
from tests.support.services import Postgres, eventually
from tests.support.system import command
from tests.support.workers import PLAIN, FakeJudge, at_work

pytestmark = pytest.mark.both_databases

REFUSED = r"is not whole, or was altered|is no export of xentarena"


@pytest.fixture
def played(house: RunningApp, judge: FakeJudge, hand: object) -> Class:
    """A class in which all kinds of rows were made; some of its work is still to be done."""
    lesson = new_class(house, PLAIN)
    ada, bob = lesson.join("Ada Schön"), lesson.join("Bob 漢字")
    for player, word in [(ada, "5"), (bob, "7.125"), (bob, "x \u2028 ü")]:
        player.score(lesson.round_id, word)
    answer(ada.submit(lesson.round_id, "again", key="once", wait=30), 201)
    pair = duels.class_of(house)
    duels.duel(pair, pair.join("Ada Schön"), pair.join("Eve"), 3)
    slow = lesson.another_round(judge=judge.identity)
    answer(ada.submit(slow["id"], "waits"), 202)
    lesson.close()
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all", "names": True}))
    grace = answer(house.host.post("/hosts", json={"name": "Grace"}), 201)
    answer(house.caller(grace["token"]).post("/competitions", json={"name": "hers"}), 201)
    return lesson


@pytest.fixture
def new_url(postgres: Postgres, tmp_path: Path) -> Callable[[str], str]:
    """Of a new database of that kind."""

    def new(kind: str) -> str:
        return postgres.new_database() if kind == "postgresql" else f"sqlite:///{tmp_path / f'{uuid4()}.sqlite3'}"

    return new


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a database without rows."""
    folder = tmp_path_factory.mktemp("small")
    migrate(sqlite_url(folder))
    transfer.export(sqlite_url(folder), folder / "small.zip")
    return folder / "small.zip"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "arena.zip"


def url_of(house: RunningApp) -> str:
    return house.settings.database_url or ""


def there_and_back(url: str, new_url: Callable[[str], str], folder: Path) -> Path:
    """An export that was imported into a database of the other kind, and from there into one of the first kind."""
    kinds = ["postgresql", "sqlite"] if url.startswith("sqlite") else ["sqlite", "postgresql"]
    urls = [url, *map(new_url, kinds)]
    files = [folder / f"{number}.zip" for number in range(3)]
    transfer.export(urls[0], files[0])
    for step in (1, 2):
        transfer.import_(files[step - 1], urls[step])
        transfer.export(urls[step], files[step])
    assert files[0].read_bytes() == files[1].read_bytes() == files[2].read_bytes()
    return files[0]


def test_what_was_imported_is_exported_to_the_same_bytes_by_either_database(
    house: RunningApp, played: Class, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    file = there_and_back(url_of(house), new_url, tmp_path)
    told = transfer.rows(file, "submissions")
    assert {each["state"] for each in told} >= {"scored", "queued"}
    for table in ("ratings", "needs", "hosting", "signing_keys", "repeats", "audit"):
        assert transfer.rows(file, table), table


def test_values_of_every_kind_are_the_same_again(
    database_url: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    """Texts in no language's order; JSON's null and none at all; floats, moments and numbers at their ends."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    words: list[Any] = [0.1 + 0.2, 5e-324, 2**62, None, "é\u2028漢\\", {"z": 1, "a": []}]
    made = Database(database_url)
    with made.engine.begin() as rows:
        for name in ("b", "B", "ä", "a_b", "ab", "", "😀"):
            told: dict[str, Any] = {
                "id": name,
                "name": name,
                "code": name,
                "bots": "none",
                "free_measurements": True,
                "total": "bits",
            }
            rows.execute(insert(Competition).values(joining="open", last_event=2, created_at=at, **told))
        for number, data in enumerate((words, JSON.NULL)):
            told = {"competition_id": "b", "number": number, "type": "t", "at": at + timedelta(microseconds=number)}
            rows.execute(insert(FeedEvent).values(data=data, **told))
    made.dispose()
    file = there_and_back(database_url, new_url, tmp_path)
    assert [each["id"] for each in transfer.rows(file, "competitions")] == ["", "B", "a_b", "ab", "b", "ä", "😀"]
    assert [each["data"] for each in transfer.rows(file, "feed")] == [words, None]
    assert list(transfer.rows(file, "feed")[0]["data"][5]) == ["z", "a"]


def kept(told: dict[str, Any]) -> dict[str, Any]:
    """Without what is a setting of each server."""
    allowance = told.get("allowance", {})
    return {**told, "allowance": {name: each for name, each in allowance.items() if name not in ("rate", "at_once")}}


def test_an_imported_server_goes_on_where_the_other_was(
    house: RunningApp, lesson: Class, new_url: Callable[[str], str], file: Path, own_house: Callable[..., RunningApp]
) -> None:
    ada, newest = lesson.join("Ada"), "SELECT max(number) FROM submissions"
    url = new_url("postgresql" if house.database.sqlite else "sqlite")
    ada.score(lesson.round_id, "5")
    transfer.export(url_of(house), file)
    transfer.import_(file, url)
    there = own_house(url)
    same = there.caller(ada.token or "")
    for path in (f"/rounds/{lesson.round_id}/leaderboard", f"/competitions/{lesson.id}/events?after=0", "/me", "/keys"):
        assert kept(answer(same.get(path))) == kept(answer(ada.get(path))), path
    highest = there.sql(newest)[0][0]
    with at_work(there.redis_url, PLAIN):
        eventually(lambda: there.measurable(PLAIN), what="the judge")
        assert same.score(lesson.round_id, "6")["bits"] == 6
    assert there.sql(newest)[0][0] == highest + 1


def test_an_export_is_of_one_moment_although_moves_are_accepted_meanwhile(
    house: RunningApp, lesson: Class, file: Path
) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "5")
    seen: set[str] = set()

    def move(table: str) -> None:
        if table not in seen:
            seen.add(table)
            ada.score(lesson.round_id, f"{len(seen)}")

    url, before = url_of(house), counts(house)
    database = Database(url)
    with replacing(file) as raw:
        copying.export_rows(database, raw, history()[0], move, shareable=False, names=False)
    database.dispose()
    assert len(seen) > 5
    assert counts(house) != before
    assert {table: len(transfer.rows(file, table)) for table in before} == before


def counts(house: RunningApp) -> dict[str, int]:
    return {name: house.rows()[name] for name in ("submissions", "plays", "measurements")}


def test_while_it_is_written_an_export_is_its_owners_alone_and_not_under_its_name(
    house: RunningApp, lesson: Class, file: Path
) -> None:
    modes: set[int] = set()

    def look(table: str) -> None:
        assert not file.exists()
        modes.update(stat.S_IMODE(each.stat().st_mode) for each in file.parent.glob(".*"))

    with replacing(file) as raw:
        copying.export_rows(house.database, raw, "1", look, shareable=False, names=False)
    assert modes == {0o600} == {stat.S_IMODE(file.stat().st_mode)}


def test_an_export_that_fails_leaves_nothing(house: RunningApp, lesson: Class, tmp_path: Path) -> None:
    def fail(table: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "arena.zip") as raw:
        copying.export_rows(house.database, raw, "1", fail, shareable=False, names=False)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_only_replaced_by_force(small: Path, file: Path, database_url: str) -> None:
    file.write_text("yesterday's")
    with pytest.raises(CommandError, match="is there already: name another file, or replace it with --force"):
        transfer.export(database_url, file)
    assert file.read_text() == "yesterday's"
    transfer.export(database_url, file, force=True)
    assert file.read_bytes() == small.read_bytes()


def test_a_server_that_has_rows_takes_no_others(house: RunningApp, lesson: Class, small: Path, file: Path) -> None:
    url = url_of(house)
    with pytest.raises(CommandError, match=r"the database is in use \(it has rows in .*competitions"):
        transfer.import_(small, url)


def test_a_file_cut_anywhere_is_refused(small: Path, file: Path, tmp_path: Path) -> None:
    whole = small.read_bytes()
    for length in {*range(0, len(whole), len(whole) // 50), *range(len(whole) - 70, len(whole))}:
        file.write_bytes(whole[:length])
        with pytest.raises(CommandError, match=REFUSED):
            launched.import_(Settings(data=tmp_path / "data"), file)
    assert not (tmp_path / "data").exists()


def test_a_file_altered_anywhere_is_refused(small: Path, file: Path, tmp_path: Path) -> None:
    whole, draw = small.read_bytes(), random.Random(0)
    for place in {*range(60), *draw.sample(range(len(whole)), 300), *range(len(whole) - 90, len(whole))}:
        altered = bytearray(whole)
        altered[place] ^= 1 << draw.randrange(8)
        file.write_bytes(altered)
        with pytest.raises(CommandError, match=REFUSED):
            launched.import_(Settings(data=tmp_path / "data"), file)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": 2}, "was written by a newer version of this program: install"),
        ({"revision": "9999"}, r"newer version of this program \(revision 9999, not"),
        ({"revision": "0001"}, r"older version of this program \(revision 0001, not .*: import it with that version"),
        ({"shareable": True}, "exported with --shareable: it lacks what a server needs"),
        ({"revision": None}, "is not as this program writes its exports"),
        ({"tables": {}}, "is not as this program writes its exports"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    small: Path, file: Path, tmp_path: Path, changed: transfer.Json, told: str
) -> None:
    transfer.rewritten(small, file, manifest=transfer.manifest(small, **changed))
    with pytest.raises(CommandError, match=told):
        launched.import_(Settings(data=tmp_path / "data"), file)


def test_what_the_database_would_not_export_again_is_not_imported(
    played: Class, house: RunningApp, file: Path, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    """A score that is not the one of the manifest, and one that is missing, in the last of all tables but one."""
    transfer.export(url_of(house), file)
    lines = transfer.members(file)["standings.jsonl"].splitlines(keepends=True)
    other = json.dumps(json.loads(lines[-1]) | {"millibits": 1}).encode() + b"\n"
    for changed in ([*lines[:-1], other], lines[:-1]):
        transfer.rewritten(file, tmp_path / "changed.zip", standings=b"".join(changed))
        url = new_url("postgresql")
        with pytest.raises(CommandError, match=r"of standings the database has .* nothing was imported"):
            transfer.import_(tmp_path / "changed.zip", url)
        transfer.import_(file, url)


def test_a_folder_in_which_a_server_runs_takes_no_import(small: Path, tmp_path: Path) -> None:
    with held(tmp_path / "data"), pytest.raises(CommandError, match="is in use by another"):
        launched.import_(Settings(data=tmp_path / "data"), small)


def test_the_command_says_what_it_did_and_what_is_wrong(small: Path, tmp_path: Path) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "arena.zip"
    imported = command("import", str(small), "--data", data)
    assert (imported.returncode, imported.stdout.startswith(f"{small}: 0 rows of ")) == (0, True), imported
    exported = command("export", str(file), "--data", data, "--json")
    assert json.loads(exported.stdout)["rows"] == 0
    assert exported.stderr.startswith("xentarena: it holds keys and the digests of tokens")
    assert file.read_bytes() == small.read_bytes()
    file.write_bytes(file.read_bytes()[:-1])
    cut = command("import", str(file), "--data", data)
    assert (cut.returncode, cut.stdout, cut.stderr.count("\n")) == (1, "", 1)


def test_texts_are_in_one_order_whatever_language_postgresql_sorts_in(postgres: Postgres, file: Path) -> None:
    """Only the statement is looked at: PostgreSQL out of a wheel knows no language."""
    url = postgres.migrated_database()
    database, said = Database(url), list[str]()
    event.listen(database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    with replacing(file) as raw:
        copying.export_rows(database, raw, "1", lambda _: None, shareable=False, names=False)
    database.dispose()
    assert any('ORDER BY feed.competition_id COLLATE "C", feed.number' in statement for statement in said)


def test_the_log_tells_how_far_a_long_export_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launched, "SILENCE", 0.0)
    with capture_logs() as told:
        progress = launched.Progress("export.under_way")
        progress("judges")
        progress("plays")
    assert [(each["event"], each["rows"], each["table"]) for each in told] == [
        ("export.under_way", 1, "judges"), ("export.under_way", 2, "plays"),
    ]  # fmt: skip


def test_names_are_asked_for_only_where_there_could_be_none(tmp_path: Path) -> None:
    ended = command("export", str(tmp_path / "arena.zip"), "--names")
    assert (ended.returncode, "only a --shareable export" in ended.stderr) == (2, True)


def test_a_folder_whose_rows_are_elsewhere_says_so(small: Path, file: Path, tmp_path: Path) -> None:
    with held(tmp_path / "data") as folder:
        folder.note_database("postgresql://ada:***@db/arena")
    settings = Settings(data=tmp_path / "data")
    elsewhere = pytest.raises(CommandError, match=r"are in postgresql://ada.*: name that database with --database-url")
    with elsewhere:
        launched.export(settings, file, shareable=False, names=False, force=False)
    with elsewhere:
        launched.import_(settings, small)


def test_what_cannot_be_read_or_written_is_told_in_a_line(small: Path, tmp_path: Path) -> None:
    url = sqlite_url(small.parent)
    with pytest.raises(CommandError, match=r"cannot write .*No such file"):
        transfer.export(url, tmp_path / "nowhere" / "arena.zip")
    with pytest.raises(CommandError, match="is a folder: name the file"):
        transfer.export(url, tmp_path)
    with pytest.raises(CommandError, match=r"cannot read .*: No such file"):
        transfer.import_(tmp_path / "nothing.zip", url)
    with pytest.raises(CommandError, match="cannot use the database postgresql"):
        transfer.import_(small, "postgresql://ada@127.0.0.1:1/arena")


def test_there_must_be_something_to_export(tmp_path: Path, file: Path) -> None:
    with pytest.raises(CommandError, match="there is no database"):
        transfer.export(f"sqlite:///{tmp_path / 'nowhere.sqlite3'}", file)
    assert not (tmp_path / "nowhere.sqlite3").exists()
