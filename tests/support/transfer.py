"""Exports as a test takes them apart: their members, and files that somebody made by hand."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from server.launch import transfer
from server.settings import Settings

Json = dict[str, Any]


def export(database_url: str, file: Path, *, shareable: bool = False, names: bool = False, force: bool = False) -> Json:
    """`xentarena export`."""
    settings = Settings(database_url=database_url)
    return transfer.export(settings, file, shareable=shareable, names=names, force=force)


def import_(file: Path, database_url: str) -> Json:
    """`xentarena import`."""
    return transfer.import_(Settings(database_url=database_url), file)


def members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(file: Path, table: str) -> list[Json]:
    return [json.loads(line) for line in members(file)[f"{table}.jsonl"].splitlines()]


def rewritten(source: Path, target: Path, **changed: bytes) -> Path:
    """The export with other members, and with the right digest: what another program could have written."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members(source).items():
            archive.writestr(name, changed.get(name.partition(".")[0], content))
        archive.comment = b"0" * 64
    whole = target.read_bytes()[:-64]
    target.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())
    return target


def manifest(source: Path, **changed: Any) -> bytes:
    """The manifest of an export, with some of it changed."""
    return json.dumps(json.loads(members(source)["manifest.json"]) | changed).encode()
