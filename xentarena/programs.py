"""Game programs by name or by file."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from games import catalog
from games.errors import ProgramErrors
from games.limits import SOURCE_BYTES
from games.preflight import warnings
from games.program import Program, parse
from xentarena.errors import InputError

STDIN = Path("-")


def find(game: str | Path) -> Program:
    """A packaged game by name, or a file. Raises `InputError`."""
    if game in catalog.names():
        return parse(catalog.source(str(game)), str(game))
    if not Path(game).exists():
        raise InputError(f"no game {str(game)!r}: name a .xent file, or one of {', '.join(catalog.names())}")
    try:
        return parse(read(Path(game)), str(game))
    except ProgramErrors as errors:
        raise InputError(f"{game} does not pass the check:\n{errors}") from errors


@dataclass(frozen=True, slots=True)
class Findings:
    """errors: of a program that cannot be played. warnings: of one that can, and is hardly meant so. Each a line."""

    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()


def check(path: Path) -> Findings:
    """Look through a file. Raises `InputError` for one that cannot be read."""
    try:
        program = parse(read(path), str(path))
    except ProgramErrors as errors:
        return Findings([f"{path}:{error.line}:{error.column}: {error.message}" for error in errors.errors])
    return Findings(warnings=[f"{path}:{line}: warning: {message}" for line, message in warnings(program)])


def read(path: Path) -> str:
    """The text of a program's file (`-`: of standard input), or as much of it as shows that it is too long.

    Raises `InputError`.
    """
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as file:
            raw = file.read(2 * SOURCE_BYTES)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if len(raw) > SOURCE_BYTES:
        return raw.decode(errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {path}: it is not UTF-8 (byte {error.start + 1})") from error
