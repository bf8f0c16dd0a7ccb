"""A data folder has one server, and its database is never changed without a copy."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import migrations
from server.db.migrate import migrate, revisions
from server.db.upgrade import check_current, ensure_current, sqlite_file
from server.errors import CommandError
from server.launch.data_dir import held
from server.settings import sqlite_url
from tests.support.system import environment

NEXT = """
from alembic import op

revision = "9999"
down_revision = {newest!r}


def upgrade() -> None:
    op.execute("CREATE TABLE from_the_future (id INTEGER)")
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path)


@pytest.fixture
def a_later_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> pytest.MonkeyPatch:
    """The program as it will be with one more migration, until the patch is undone."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, folder)
    newest = revisions(url)[1]
    (folder / "versions" / "9999_later.py").write_text(NEXT.format(newest=newest))
    monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
    return monkeypatch


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with held(tmp_path / "new" / "folder") as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_in_a_folder_that_was_open_nobody_else_reads_a_file(tmp_path: Path) -> None:
    for folder, before in ((tmp_path / "new", False), (tmp_path / "old", True)):
        folder.mkdir(mode=0o755)
        if before:
            migrate(sqlite_url(folder))
            (folder / "xentarena.sqlite3").chmod(0o644)
        with held(folder) as data:
            ensure_current(sqlite_url(folder), data.backups)
            with closing(sqlite3.connect(folder / "xentarena.sqlite3")) as rows:
                rows.execute("PRAGMA journal_mode=WAL")
                rows.execute("CREATE TABLE made (id INTEGER)")
                data.host_token()
                data.note_database(sqlite_url(folder))
                files = [file for file in folder.rglob("*") if file.is_file()]
                assert len(files) >= 6
                assert not [file.name for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077]


def test_the_hosts_token_is_made_once_and_private(tmp_path: Path) -> None:
    with held(tmp_path) as folder:
        token = folder.host_token()
        assert stat.S_IMODE((tmp_path / "host-token").stat().st_mode) == 0o600
    with held(tmp_path) as folder:
        assert folder.host_token() == token
    assert len(token) >= 43


def test_a_folder_that_is_in_use_is_refused_with_the_number_of_its_holder(tmp_path: Path) -> None:
    hold = "import sys; from pathlib import Path; from server.launch.data_dir import held\n"
    hold += "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(CommandError, match=rf"in use by another xentarena serve \(process {holder.pid}\)"),
            held(tmp_path),
        ):
            pass
        holder.kill()
    with held(tmp_path):  # the lock of a killed server is gone with it
        pass


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot write in the data folder"), held(tmp_path / path):
        pass


def test_a_new_database_is_made_without_a_copy(url: str, tmp_path: Path) -> None:
    ensure_current(url, tmp_path / "backups")
    check_current(url)
    assert not (tmp_path / "backups").exists()


def test_an_older_database_is_copied_then_migrated(
    url: str, tmp_path: Path, a_later_version: pytest.MonkeyPatch
) -> None:
    a_later_version.undo()
    migrate(url)
    before = tables(tmp_path / "xentarena.sqlite3")
    a_later_version.setattr(migrations, "__file__", str(tmp_path / "migrations" / "__init__.py"))
    ensure_current(url, tmp_path / "backups")
    (copy,) = (tmp_path / "backups").iterdir()
    assert tables(copy) == before
    assert tables(tmp_path / "xentarena.sqlite3") == before | {"from_the_future"}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_newer_database_is_refused_and_left_as_it_is(
    url: str, tmp_path: Path, a_later_version: pytest.MonkeyPatch
) -> None:
    migrate(url)
    a_later_version.undo()
    with pytest.raises(CommandError, match="written by a newer version"):
        ensure_current(url, tmp_path / "backups")
    assert "from_the_future" in tables(tmp_path / "xentarena.sqlite3")


def test_a_part_of_a_server_does_not_migrate_but_says_how(url: str) -> None:
    with pytest.raises(CommandError, match="has no tables yet: run `xentarena migrate`"):
        check_current(url)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("postgresql://ada:secret@127.0.0.1:1/arena", "refused"),
        ("mysql://ada:secret@127.0.0.1/arena", "no database"),
        ("nonsense", "cannot be read"),
        ("sqlite:////proc/nowhere/x.sqlite3", "unable to open"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_fault_that_tells_no_password(bad: str, told: str) -> None:
    with pytest.raises(CommandError, match=told) as caught:
        ensure_current(bad)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_a_fault(url: str) -> None:
    file = sqlite_file(url)
    assert file is not None
    file.write_text("These are not rows. " * 100)
    with pytest.raises(CommandError, match="not a database"):
        ensure_current(url)
