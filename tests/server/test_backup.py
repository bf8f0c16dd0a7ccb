"""A backup is everything, consistent, and can be served as it is."""

import sqlite3
import stat
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest

from server.db.migrate import migrate
from server.errors import CommandError
from server.launch.backup import backup
from server.launch.data_dir import DataDir, held
from server.settings import sqlite_url


@pytest.fixture
def folder(tmp_path: Path) -> DataDir:
    with held(tmp_path / "data") as made:
        migrate(sqlite_url(made.path))
        made.note_database(sqlite_url(made.path))
        made.host_token()
        made.demo.write_text("{}")
        (made.path / "redis").mkdir()
        return made


def restored(file: Path, into: Path) -> Path:
    into.mkdir()
    with tarfile.open(file) as archive:
        archive.extractall(into, filter="data")
    return into


@pytest.mark.parametrize("name", ["arena.tar", "arena.tar.gz"])
def test_a_backup_holds_the_rows_the_token_and_the_demo(folder: DataDir, tmp_path: Path, name: str) -> None:
    backup(folder.path, tmp_path / name)
    copy = restored(tmp_path / name, tmp_path / "copy")
    assert {file.name for file in copy.iterdir()} == {"xentarena.sqlite3", "host-token", "demo.json"}
    with held(copy) as other:
        assert other.host_token() == folder.host_token()


def test_a_backup_is_its_owners_alone_and_leaves_nothing_else(folder: DataDir, tmp_path: Path) -> None:
    backup(folder.path, tmp_path / "arena.tar")
    assert stat.S_IMODE((tmp_path / "arena.tar").stat().st_mode) == 0o600
    assert {file.name for file in tmp_path.iterdir()} == {"data", "arena.tar"}


def test_a_backup_takes_the_place_of_an_older_one(folder: DataDir, tmp_path: Path) -> None:
    (tmp_path / "arena.tar").write_text("yesterday's")
    backup(folder.path, tmp_path / "arena.tar")
    assert tarfile.is_tarfile(tmp_path / "arena.tar")


def test_a_backup_while_rows_are_written_is_consistent(folder: DataDir, tmp_path: Path) -> None:
    """Each write adds the same number to two tables: a copy in which they differ was torn."""
    database = folder.path / "xentarena.sqlite3"
    with closing(sqlite3.connect(database)) as rows:
        rows.executescript("PRAGMA journal_mode=WAL; CREATE TABLE one (n INTEGER); CREATE TABLE two (n INTEGER);")
    enough = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=30)) as rows:
            number = 0
            while not enough.is_set():
                number += 1
                with rows:
                    rows.execute("INSERT INTO one VALUES (?)", (number,))
                    rows.execute("INSERT INTO two VALUES (?)", (number,))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for attempt in range(5):
            backup(folder.path, tmp_path / "arena.tar")
            copy = restored(tmp_path / "arena.tar", tmp_path / f"copy{attempt}") / "xentarena.sqlite3"
            with closing(sqlite3.connect(copy)) as rows:
                assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                sums = rows.execute("SELECT (SELECT total(n) FROM one), (SELECT total(n) FROM two)").fetchone()
            assert sums[0] == sums[1]
    finally:
        enough.set()
        writer.join()


def test_rows_in_postgresql_are_not_ours_to_copy_but_the_command_is_named(folder: DataDir, tmp_path: Path) -> None:
    folder.note_database("postgresql://ada:***@db/arena")
    with pytest.raises(CommandError, match="pg_dump --dbname=postgresql://ada"):
        backup(folder.path, tmp_path / "arena.tar")


def test_rows_in_another_file_are_copied_from_there(folder: DataDir, tmp_path: Path) -> None:
    (folder.path / "xentarena.sqlite3").rename(tmp_path / "elsewhere.sqlite3")
    folder.note_database(f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}")
    backup(folder.path, tmp_path / "arena.tar")
    assert (restored(tmp_path / "arena.tar", tmp_path / "copy") / "xentarena.sqlite3").is_file()


def test_what_is_no_data_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no data folder"):
        backup(tmp_path / "nowhere", tmp_path / "arena.tar")
    with pytest.raises(CommandError, match="is no data folder"):
        backup(tmp_path, tmp_path / "arena.tar")


@pytest.mark.parametrize("name", ["data", "nowhere/arena.tar"])
def test_an_archive_that_cannot_be_written_is_a_fault(folder: DataDir, tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match=r"name the archive|cannot write"):
        backup(folder.path, tmp_path / name)


def test_a_damaged_database_is_a_fault_and_leaves_no_archive(folder: DataDir, tmp_path: Path) -> None:
    (folder.path / "xentarena.sqlite3").write_text("These are not rows. " * 100)
    with pytest.raises(CommandError, match="cannot read the database"):
        backup(folder.path, tmp_path / "arena.tar")
    assert {file.name for file in tmp_path.iterdir()} == {"data"}
