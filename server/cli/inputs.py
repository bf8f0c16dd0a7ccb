"""What a person gives on the command line: game programs by name or by file, and texts."""

from pathlib import Path

from games import catalog
from games.errors import ProgramErrors
from games.limits import SOURCE_BYTES
from games.program import Program, parse
from server.arena.validation import clean
from server.errors import CommandError, RequestError


def errors_of(path: Path) -> list[str]:
    """Every static error of a file as FILE:LINE:COL: message. Raises CommandError for a file that cannot be read."""
    try:
        parse(read(path), str(path))
    except ProgramErrors as errors:
        return [f"{path}:{error.line}:{error.column}: {error.message}" for error in errors.errors]
    return []


def find(game: str) -> Program:
    """A packaged game by name, or a file. Raises CommandError."""
    if game in catalog.names():
        return parse(catalog.source(game), game)
    if not Path(game).exists():
        raise CommandError(f"no game {game!r}: name a .xent file, or one of {', '.join(catalog.names())}")
    try:
        return parse(read(Path(game)), game)
    except ProgramErrors as errors:
        raise CommandError(f"{game} does not pass the check:\n{errors}") from errors


def cleaned(text: str, what: str, *, empty: bool = False) -> str:
    """The text as the server would take it. Raises CommandError."""
    try:
        return clean(text, "", what=what, empty=empty)
    except RequestError as refused:
        raise CommandError(refused.detail) from None


def read(path: Path) -> str:
    """The text of a program's file, or as much of it as shows that it is too long. Raises CommandError."""
    try:
        with path.open("rb") as file:
            raw = file.read(2 * SOURCE_BYTES)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    if len(raw) > SOURCE_BYTES:
        return raw.decode(errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"cannot read {path}: it is not UTF-8 (byte {error.start + 1})") from error
