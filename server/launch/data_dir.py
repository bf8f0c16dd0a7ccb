"""A data folder: what one server keeps between its runs, and the lock that makes it the only one.

DIR/lock                 held by the server that runs
DIR/xentarena.sqlite3    the rows, unless they are in another database
DIR/database             where the rows are: the database's URL, without its password
DIR/host-token           the host's token, made once, mode 0600
DIR/worker-token         that of workers elsewhere, made once, mode 0600, if they are let in by `serve --workers`
DIR/demo.json            the demo competition, made once, mode 0600: it holds the house bots' tokens
DIR/redis/               the queue's configuration and append-only file
DIR/backups/             copies of the database from before its tables were changed
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from judge.locks import Taken, take
from server.errors import CommandError
from server.launch.files import read_if_there, write_private
from server.settings import sqlite_path

KEPT_FILES = ("host-token", "worker-token", "demo.json")  # besides the database: what a backup holds


class DataDir:
    """The folder of a server that runs. Made by `held`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.redis = path / "redis"
        self.backups = path / "backups"
        self.demo = path / "demo.json"

    def note_database(self, url: str) -> None:
        write_private(self.path / "database", url + "\n")

    def host_token(self) -> str:
        file = self.path / "host-token"
        token = (read_if_there(file) or "").strip()
        if not token:
            token = secrets.token_urlsafe(32)
            self.keep_host_token(token)
        return token

    def keep_host_token(self, token: str) -> None:
        write_private(self.path / "host-token", token + "\n")

    def worker_token(self) -> str | None:
        return (read_if_there(self.path / "worker-token") or "").strip() or None

    def keep_worker_token(self, token: str) -> None:
        write_private(self.path / "worker-token", token + "\n")


def noted_database(path: Path) -> str | None:
    """Where the rows of this folder's server were when it last started; None where it never did."""
    return (read_if_there(path / "database") or "").strip() or None


@contextmanager
def held(path: Path) -> Iterator[DataDir]:
    """Make the folder where it is missing and keep every other server out of it. Raises CommandError.

    The folder may be one that others can look into: they cannot read what is made in the block, nor the rows of before.
    """
    path = path.expanduser().absolute()
    with _for_its_owner_alone(), _lock(path):
        yield DataDir(path)


@contextmanager
def _for_its_owner_alone() -> Iterator[None]:
    """Files that are made in the block, by processes started in it too, are nobody else's to read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _lock(path: Path) -> IO[bytes]:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for rows in path.glob(f"{sqlite_path(path).name}*"):
            rows.chmod(0o600)
        return take(path / "lock", 0o600)
    except Taken as taken:
        raise CommandError(
            f"the data folder {path} is in use by another xentarena serve (process {taken.holder}):"
            " stop that one, or choose another folder with --data"
        ) from None
    except OSError as error:
        raise CommandError(
            f"cannot write in the data folder {path}: {error.strerror} (choose another with --data, on a local disk)"
        ) from error
