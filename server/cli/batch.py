"""What commands of the lab share: many texts in one start, answers in order, how far it is."""

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from server.cli import given

Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="Each is a text. -: standard input.")]
Texts = Annotated[list[str] | None, typer.Option(metavar="T", help="A text; may be repeated.")]
Lines = Annotated[bool, typer.Option("--lines", help="Each line that is not empty is a text.")]
Token = Annotated[
    str | None, typer.Option(envvar="XENTARENA_TOKEN", help="Whose token the server is asked with.", show_envvar=True)
]
THREADS = 4  # texts under way at once at home: a judge takes as many as there are cores
TEXT_BYTES = 1_000_000  # of one text; no judge reads as much at once
Told = dict[str, Any]
A = TypeVar("A")


def texts_of(files: Sequence[Path], texts: Sequence[str], lines: bool) -> list[str]:
    """What is given as options, in files and on standard input; raises typer.BadParameter where nothing is."""
    if not files and not texts:
        if sys.stdin.isatty():
            raise typer.BadParameter("give a text: --text TEXT, a FILE, or - for standard input", param_hint="FILE")
        files = [Path(given.STDIN)]
    said = [given.STDIN for file in files if str(file) == given.STDIN]
    read = given.texts(said, [file for file in files if str(file) != given.STDIN], "FILE")
    found = [*texts, *read]
    if lines:
        found = [line for each in found for line in each.splitlines() if line.strip()]
        if not found:
            raise typer.BadParameter("there is no line that is not empty", param_hint="--lines")
    return found


def each_of(
    ask: Callable[[A], Told], asked: Sequence[A], threads: int, *, doing: str, what: str = "text"
) -> Iterator[Told]:
    """The answers in order, some at a time. How many are done is told on standard error, where somebody looks; an
    error says which `what` it is about."""
    from xentarena.errors import ArenaError

    def numbered(number: int, one: A) -> Told:
        try:
            return ask(one)
        except ArenaError as error:
            if len(asked) > 1:
                error.args = (f"{what} {number} of {len(asked)}: {error}",)
            raise

    shown = len(asked) > 1 and sys.stderr.isatty()
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(numbered, range(1, len(asked) + 1), asked)
        try:
            if not shown:
                yield from found
                return
            with typer.progressbar(found, length=len(asked), label=doing, file=sys.stderr) as bar:
                yield from bar
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """What is told how much is done, and of how much: a bar on standard error, where somebody looks; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    with typer.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def told(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield told


def csv_line(cells: Sequence[Any]) -> str:
    """One line, without its end."""
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()
