"""Texts that a command is given: as an option, as a file, on standard input, or by whoever sits there."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from server.cli import output
from server.errors import CommandError

if TYPE_CHECKING:
    from games.protocol import NeedMove

STDIN = "-"


def texts(given: Sequence[str], files: Sequence[Path], option: str) -> list[str]:
    """The texts of an option, then those of its files; `-` is standard input. Raises CommandError.

    The last line end of a file or an input is none of its text.
    """
    if given.count(STDIN) > 1:
        raise typer.BadParameter("standard input can be read once", param_hint=option)
    said = [_decoded(sys.stdin.buffer.read(), "standard input") if each == STDIN else each for each in given]
    return said + [_decoded(_read(file), str(file)) for file in files]


def pairs(said: Sequence[str], option: str, form: str) -> Iterator[tuple[str, str]]:
    """What stands before and after the first `=` of each, as in SEAT=TEXT."""
    for each in said:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"{each!r} is no {form}", param_hint=option)
        yield name, value


def one_text(given: str | None, file: Path | None, option: str) -> str | None:
    """The same for an option that is given once."""
    if given is not None and file is not None:
        raise typer.BadParameter(f"give it or {option}-file, not both", param_hint=option)
    found = texts([given] if given is not None else [], [file] if file is not None else [], option)
    return found[0] if found else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from error


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CommandError(f"{where} is not UTF-8, at byte {error.start + 1}") from error


def moves_of_whoever_sits_here() -> "Callable[[NeedMove], str | None] | None":
    """What asks at the terminal for each move, until the end of its input; None where no terminal is there to ask at.

    It asks on standard error: what comes of the play is the only thing on standard output.
    """
    if not sys.stdin.isatty():
        return None
    told = 0

    def ask(need: "NeedMove") -> str | None:
        nonlocal told
        for line in output.before_a_move(need, told):
            typer.echo(line, err=True)
        told = len(need.events)
        typer.echo(f"{need.seat}> ", err=True, nl=False)
        line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None

    return ask
