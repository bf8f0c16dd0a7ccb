"""`xentarena verify`: is a receipt good?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from games.sentences import counted
from server.errors import CommandError
from xentarena.extras import require

if TYPE_CHECKING:
    from xentarena.verify import SecondVerdict, Verdict


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The receipt; - reads standard input.")],
    key: Annotated[
        str | None,
        typer.Option(metavar="KEYS.json", help="Whose keys are trusted: what the server gives at /api/v1/keys, or a"
                     " key's fingerprint."),
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option(metavar="J", help="Measure again with this judge; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Check the receipt of a score without its server. Its signature, and the score from what is recorded."""
    require("receipts")
    from xentarena import verify

    found = verify.verify(_read(file), None if key is None else verify.trusted(key), judge or ())
    typer.echo(found.model_dump_json() if as_json else "\n".join(_lines(found)))
    raise typer.Exit(not found.good)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from None


def _lines(found: "Verdict") -> Iterator[str]:
    yield f"{found.player}, {found.seat}: {found.millibits / 1000:.3f} bits ({found.submission})"
    if not found.signed:
        yield "signature: WRONG: the receipt is not as it was signed; nothing else was looked at"
        return
    yield f"signature: good, by the key {found.key}"
    match found.key_known:
        case None:
            yield "key: not checked: anybody can make a key; --key says which ones are the server's"
        case True:
            yield "key: one of those that were given"
        case False:
            yield "key: WRONG: none of those that were given"
    yield from _score(found)


def _score(found: "Verdict") -> Iterator[str]:
    match found.score:
        case "same":
            yield "score: the recorded measurements lead to it"
        case "different":
            yield "score: WRONG: the recorded measurements lead to another"
        case None:
            yield f"score: not checked: {found.why}"
            return
    for each in found.measured:
        verb = "is" if each.measurements == 1 else "are"
        same = f"{each.equal} of {counted(each.measurements, 'measurement')} {verb} equal to the last bit"
        off = f", the others at most {each.furthest * 1000:.3f} millibits a token away" if each.furthest else ""
        yield f"judge {each.judge}: {same}{off}"
    if found.again is not None:
        yield f"score by what was measured now: {found.again / 1000:.3f} bits"
    elif found.why:
        yield f"judge: WRONG: {found.why}"
    else:
        yield "judge: not asked: --judge measures again"
    if found.second is not None:
        yield from _second(found.second)


def _second(found: "SecondVerdict") -> Iterator[str]:
    told = f"second judge {found.judge}: {found.millibits / 1000:.3f} bits"
    match found.score:
        case "same":
            yield f"{told}: the recorded measurements lead to it"
        case "different":
            yield f"{told}: WRONG: the recorded measurements lead to another"
    if found.again is not None:
        yield f"second judge by what was measured now: {found.again / 1000:.3f} bits"
    elif found.why:
        yield f"second judge: WRONG: {found.why}"
