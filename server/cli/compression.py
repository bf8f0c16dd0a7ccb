"""Texts as bytes on disk, by a judge: `xentarena compress` and `decompress`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from games.sentences import counted
from judge.compressed_file import MOST_BYTES, CompressedFile
from judge.errors import JudgeError
from judge.profiles import ARENA
from server.cli import given
from server.cli.batch import progress_bar
from server.cli.flags import Dtype, OneJudge
from server.errors import CommandError
from xentarena.extras import require

if TYPE_CHECKING:
    from judge.compression import Compressed, Compressor

ENDING = ".xac"
File = Annotated[Path, typer.Argument(metavar="FILE", help="-: standard input.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file, if it is there.")]


def compress(
    file: File,
    output: Annotated[
        Path | None, typer.Option("-o", metavar="OUT", help=f"-: standard output.  [default: FILE{ENDING}]")
    ] = None,
    description: Annotated[
        str | None, typer.Option(metavar="D", help="What is read before it, and costs what it costs.")
    ] = None,
    judge: OneJudge = None,
    dtype: Dtype = "float32",
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Tell what it costs as JSON.")] = False,
) -> None:
    """Write a file as the bits that it costs a judge. By arithmetic coding; with --description, as the game of the
    shortest description counts it. What it costs is told on standard error.

    The judge is loaded here and no server's: each token is coded by all probabilities at its place, to the last digit,
    and a server tells ten of them, rounded.
    """
    target = _target(file, output, lambda name: name + ENDING, force)
    content = _read(file, MOST_BYTES)
    require("judge")
    from judge.loading.packages.store import usual_judge

    compressor = _compressor(judge or usual_judge(), dtype)
    alone = None
    with _as_input_errors():
        if description:
            with progress_bar("without it") as progress:
                alone = compressor.compress(content, progress=progress)
        with progress_bar("compressing") as progress:
            found = compressor.compress(content, description or "", progress=progress)
    _write(target, found.file)
    told = _told(found, alone, judge or usual_judge())
    typer.echo(json.dumps(told) if as_json else _table(told), err=True)


def decompress(
    file: File,
    output: Annotated[
        Path | None, typer.Option("-o", metavar="OUT", help=f"-: standard output.  [default: FILE without {ENDING}]")
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="J", help="The judge that wrote it.  [default: the one it names]")
    ] = None,
    force: Force = False,
) -> None:
    """Write what `compress` was given. It takes the same judge on the same build: processor and versions."""
    target = _target(file, output, _without_ending, force)
    raw = _read(file, 4 * MOST_BYTES)
    with _as_input_errors():
        header = CompressedFile.read(raw)
    require("judge")
    compressor = _compressor(judge or header.name, header.dtype)
    with _as_input_errors(), progress_bar("decompressing") as progress:
        content = compressor.decompress(raw, progress=progress)
    _write(target, content)


def _compressor(judge: str, dtype: str) -> "Compressor":
    from judge.compression import Compressor
    from xentarena import offline

    with _as_input_errors():
        return Compressor(offline.load_judge(judge, ARENA, dtype))


@contextmanager
def _as_input_errors() -> Iterator[None]:
    try:
        yield
    except JudgeError as error:
        raise CommandError(str(error)) from error


def _without_ending(name: str) -> str:
    if not name.endswith(ENDING) or name == ENDING:
        raise typer.BadParameter(f"say where to write: {name} does not end in {ENDING}", param_hint="-o")
    return name.removesuffix(ENDING)


def _target(file: Path, output: Path | None, named: Callable[[str], str], force: bool) -> Path | None:
    """Where to write; None: to standard output. Raises before anything is computed."""
    if output is None and str(file) != given.STDIN:
        output = file.with_name(named(file.name))
    if output is None or str(output) == given.STDIN:
        if sys.stdout.isatty():
            raise typer.BadParameter("a terminal shows no bytes: name a file", param_hint="-o")
        return None
    if output.exists() and not force:
        raise CommandError(f"{output} is there already: name another with -o, or replace it with --force")
    return output


def _read(file: Path, most: int) -> bytes:
    """Raises CommandError, also for more than `most` bytes."""
    try:
        if str(file) == given.STDIN:
            found = sys.stdin.buffer.read(most + 1)
        else:
            with file.open("rb") as opened:
                found = opened.read(most + 1)
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from error
    if len(found) > most:
        where = "standard input" if str(file) == given.STDIN else file
        raise CommandError(f"{where} has more than {most:,} bytes, the most that a judge is given: cut it in parts")
    return found


def _write(target: Path | None, data: bytes) -> None:
    """The file is there only once it is whole. Raises CommandError."""
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    part = target.with_name(f"{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _told(found: "Compressed", alone: "Compressed | None", judge: str) -> dict[str, Any]:
    beside = None if alone is None else {"bits": alone.bits, "saved": alone.bits - found.whole_bits}
    return {
        "judge": judge,
        "bytes": found.content_bytes,
        "tokens": found.tokens,
        "bits": found.bits,
        "description_bits": found.description_bits,
        "least_bytes": -(-found.whole_bits // 8),
        "coded_bytes": found.coded,
        "beside_bytes": found.beside,
        "file_bytes": len(found.file),
        "without_description": beside,
    }


def _table(told: dict[str, Any]) -> str:
    """What it costs, a line each."""
    size = f"{told['bytes']:,} bytes, {counted(told['tokens'], 'token')}, by {told['judge']}"
    density = f" ({told['bits'] / told['bytes']:.3f} a byte)" if told["bytes"] else ""
    lines = [f"text         {size}", f"bits         {told['bits']:,.2f}{density}"]
    if (alone := told["without_description"]) is not None:
        whole = told["bits"] + told["description_bits"]
        lines += [
            f"description  {told['description_bits']:,.2f} bits, with the text after it {whole:,.2f}",
            f"alone        {alone['bits']:,.2f} bits: the description saves {alone['saved']:,.2f} in all",
        ]
    lines += [
        f"⌈bits/8⌉     {told['least_bytes']:,} bytes",
        f"coded        {told['coded_bytes']:,} bytes",
    ]
    if told["beside_bytes"]:
        lines.append(f"beside       {told['beside_bytes']:,} bytes that no token spells")
    return "\n".join([*lines, f"on disk      {told['file_bytes']:,} bytes, with what says how to read it"])
