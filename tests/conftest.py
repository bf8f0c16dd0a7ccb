"""Fixtures that several rooms share. Databases are built by the migrations; nothing is mocked."""

import gc
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import certifi
import pytest
from hypothesis import settings

from judge.loading.packages.store import judges_folder
from server.cli import main
from server.db.session import Database
from tests.support.command import Ended, Run
from tests.support.databases import sqlite_at
from tests.support.services import Postgres, Redis
from tests.support.system import Demo, serving

settings.register_profile("ours", deadline=None)  # machines that run tests are slow, and no test is about that
settings.load_profile("ours")

gc.set_threshold(100_000, 50, 100)  # what is imported are millions of objects, and to look at them all takes long

DATABASES = ("postgresql", "sqlite")
INSTALLED = judges_folder()  # before any test says otherwise


@pytest.hookimpl(tryfirst=True)  # before the items are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with most slow tests first: one of them that begins last would run on alone when all others are done.

    What runs on both databases is `exhaustive` on one of them, which is the same one throughout a file.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
    names = {item.nodeid for item in items}
    for item in items:
        left, kept = _left_and_kept(item.path)
        again = _database(item) == left and item.nodeid.replace(left, kept) in names
        if again and not item.get_closest_marker("both_databases"):
            item.add_marker("exhaustive")


def _left_and_kept(file: Path) -> tuple[str, str]:
    """The databases on which the tests of a file are exhaustive, and not."""
    return DATABASES if crc32(file.name.encode()) % 2 else DATABASES[::-1]


def _database(item: pytest.Item) -> str | None:
    """The one it runs on, where its parameters say."""
    callspec = getattr(item, "callspec", None)
    named = [each for each in DATABASES if callspec and each in callspec.params.values()]
    return named[0] if len(named) == 1 else None


@pytest.fixture(scope="session")
def installed_judges() -> Path:
    """Where `make test-all` installs the usual judge, smollm2-135m."""
    assert (INSTALLED / "smollm2-135m").is_dir(), "install it: xentarena judges install smollm2-135m"
    return INSTALLED


@pytest.fixture(scope="session", autouse=True)
def one_root_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test speaks TLS. To read all root certificates anew for each client would take 30 ms of it."""
    end = "-----END CERTIFICATE-----\n"
    first, _, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(end)
    file = tmp_path_factory.mktemp("tls") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(autouse=True)
def no_logs_left() -> Iterator[None]:
    """What a command sets up for its logs ends with the test: it writes into a stream that is closed then."""
    root = logging.getLogger()
    before, level = set(root.handlers), root.level
    yield
    for each in set(root.handlers) - before:
        root.removeHandler(each)
    root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def no_installed_judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever judges this machine's user has installed: tests play with pocket, but where they say otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XENTARENA_JUDGES", str(tmp_path_factory.mktemp("judges")))
        yield


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One Redis for all tests that do not harm it; empty at the start of each (see `redis_url`)."""
    server = Redis(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    with redis_server.client as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that a test may stop, wipe and start again."""
    server = Redis(tmp_path / "redis").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not under pytest's own folder: as root PostgreSQL runs as another user, and pytest shuts that folder to others.
    with tempfile.TemporaryDirectory(prefix="xentarena-pg-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An up-to-date database, once of each kind."""
    if request.param == "sqlite":
        return sqlite_at(tmp_path / "test.sqlite3")
    server: Postgres = request.getfixturevalue("postgres")
    return server.migrated_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`xentarena serve --demo`, for the tests of one file. Takes ten seconds to start."""
    with serving(tmp_path_factory.mktemp("serve") / "data", "--demo", "--judge", "pocket") as server:
        told = server.facts["demo"]
        yield Demo(server.facts["url"], told["code"], told["round"])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process, where torch is loaded only once."""

    def run_(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["xentarena", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run_
