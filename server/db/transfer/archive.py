"""The file: a zip with a member of JSON Lines for each table, and a manifest.

The same rows make the same bytes. The first member says what the file is. The archive's comment is the digest of all
bytes before it: a file that was cut or altered anywhere does not have the right one.
"""

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import BaseModel

from server.errors import CommandError

VERSION = 1
KIND = b"application/vnd.xentarena.export"
SEAL = 64  # hexadecimal digits of a SHA-256
BLOCK = 1 << 20  # bytes


class Part(BaseModel):
    """What a table's member has. sha256: of its lines."""

    rows: int
    sha256: str


class Manifest(BaseModel):
    """version: of the format. revision: the newest migration of the database. shareable: without secrets."""

    version: int = VERSION
    revision: str
    shareable: bool
    tables: dict[str, Part]


class Archive:
    """An export that is whole. Made by `opened`."""

    def __init__(self, zipped: ZipFile, manifest: Manifest) -> None:
        self._zipped = zipped
        self.manifest = manifest

    def lines(self, table: str) -> Generator[bytes, None, None]:
        with self._zipped.open(f"{table}.jsonl") as member:
            yield from member


def write(
    file: BinaryIO, tables: Iterable[tuple[str, Generator[bytes, None, None]]], revision: str, *, shareable: bool
) -> Manifest:
    """Write the whole file. tables: the name and the lines of each; lines are taken one at a time."""
    with ZipFile(file, "w") as zipped:
        zipped.writestr(_member("mimetype", ZIP_STORED), KIND)
        parts = {name: _write_lines(zipped, name, lines) for name, lines in tables}
        manifest = Manifest(revision=revision, shareable=shareable, tables=parts)
        zipped.writestr(_member("manifest.json"), manifest.model_dump_json(indent=1))
        zipped.comment = b"0" * SEAL
    seal = _digest(file)
    file.seek(-SEAL, 2)
    file.write(seal)
    return manifest


def part_of(lines: Iterable[bytes]) -> Part:
    """What a member with these lines is said to have."""
    digest, rows = hashlib.sha256(), 0
    for line in lines:
        digest.update(line)
        rows += 1
    return Part(rows=rows, sha256=digest.hexdigest())


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The export in a file. Raises CommandError unless it is one, whole, and of a format that this version knows."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from error
    with file:
        _check_bytes(path, file)
        try:
            with ZipFile(file) as zipped:
                yield Archive(zipped, _manifest(path, zipped))
        except (BadZipFile, KeyError, ValueError) as error:
            raise CommandError(f"{path} is not as this program writes its exports: {error}") from error


def _write_lines(zipped: ZipFile, name: str, lines: Generator[bytes, None, None]) -> Part:
    with closing(lines), zipped.open(_member(f"{name}.jsonl"), "w", force_zip64=True) as member:

        def written() -> Iterator[bytes]:
            for line in lines:
                member.write(line)
                yield line

        return part_of(written())


def _member(name: str, compression: int = ZIP_DEFLATED) -> ZipInfo:
    """Nothing in it depends on when and where it is made."""
    made = ZipInfo(name)  # of 1980
    made.compress_type = compression
    made.create_system = 3  # Unix
    made.external_attr = 0o600 << 16
    return made


def _digest(file: BinaryIO) -> bytes:
    """Of everything before the seal."""
    left = file.seek(0, 2) - SEAL
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0:
        block = file.read(min(BLOCK, left))
        digest.update(block)
        left -= len(block)
    return digest.hexdigest().encode()


def _check_bytes(path: Path, file: BinaryIO) -> None:
    """Raises CommandError unless the file is an export, and all of it is as it was written."""
    if b"mimetype" + KIND not in file.read(128):
        raise CommandError(f"{path} is no export of xentarena")
    if _digest(file) != file.read():
        raise CommandError(
            f"{path} is not whole, or was altered after it was written: take another copy, or export again"
        )
    file.seek(0)


def _manifest(path: Path, zipped: ZipFile) -> Manifest:
    written = zipped.read("manifest.json")
    if json.loads(written)["version"] > VERSION:
        raise CommandError(
            f"{path} was written by a newer version of this program: install that version or a newer one"
        )
    return Manifest.model_validate_json(written)
