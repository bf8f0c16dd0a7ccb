"""Texts forward and backward, in a shell: `xentarena arrow`."""

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from games.sentences import counted
from judge.errors import JudgeError
from judge.profiles import ARENA
from server.cli.answers import Format
from server.cli.batch import TEXT_BYTES, Files, Lines, Texts, csv_line, progress_bar, texts_of
from server.cli.flags import Dtype
from server.errors import CommandError
from xentarena.extras import require

if TYPE_CHECKING:
    from judge.arrow import Passage

FORWARD = "pocket"


def arrow(
    files: Files = None,
    text: Texts = None,
    lines: Lines = False,
    judge: Annotated[str, typer.Option(metavar="J", help="The twin that reads forward.")] = FORWARD,
    twin: Annotated[
        str | None,
        typer.Option(metavar="J", help="The one that reads backward.  [default: that of the judge: J-backward]"),
    ] = None,
    dtype: Dtype = "float32",
    format_: Format = "table",
) -> None:
    """Tell what texts cost from the left and from the right. By twins, of which one reads forward and one backward:
    the difference per byte with its 95 % interval. Long texts are read in passages; csv: a line a passage."""
    texts = texts_of(files or [], text or [], lines)
    require("judge")
    from judge.arrow import compare
    from xentarena import offline

    texts = [offline.text_of(each, f"Text {number}", limit=TEXT_BYTES) for number, each in enumerate(texts, 1)]
    forward = offline.load_judge(judge, ARENA, dtype)
    backward = offline.load_judge(twin or f"{judge.rstrip('/')}-backward", ARENA, dtype)
    with progress_bar("reading") as progress:
        try:
            found = compare(forward, backward, texts, progress)
        except JudgeError as error:
            raise CommandError(str(error)) from error
    typer.echo(FORMATS[format_](found, [forward.name, backward.name]))


def as_json(texts: "Sequence[Sequence[Passage]]") -> dict[str, Any]:
    """What one text, or several together, cost in both directions. The interval is that over texts, of one over its
    passages; a single passage has none."""
    from judge.arrow import difference, together

    flat = [passage for passages in texts for passage in passages]
    over = "texts" if len(texts) > 1 else "passages"
    known = difference(texts if len(texts) > 1 else [[passage] for passage in flat])
    bits, size = together(flat)
    return {
        "bytes": size,
        "tokens": sum(each.tokens for each in flat),
        "forward_bits": math.fsum(each.forward for each in flat),
        "backward_bits": math.fsum(each.backward for each in flat),
        "difference_per_byte": bits / size,
        "interval": known and {"low": known.low, "high": known.high, "over": over, "count": known.count},
    }


def sentence(told: dict[str, Any]) -> str:
    """What `as_json` made, for people."""
    line = f"backward less forward: {told['difference_per_byte']:+.4f} bits a byte"
    if (known := told["interval"]) is None:
        return f"{line}, from one passage: how well that is known cannot be told"
    count = counted(known["count"], known["over"].removesuffix("s"))
    return f"{line} (95 % interval {known['low']:+.4f} to {known['high']:+.4f}, over {count})"


def _table(texts: "Sequence[Sequence[Passage]]", names: Sequence[str]) -> str:
    heads = ("bytes", "tokens", "forward", "backward", "a byte", "low", "high")
    lines = ["  text" + "".join(f"{head:>12}" for head in heads)]
    for number, passages in enumerate(texts, 1):
        told = as_json([passages])
        cells = [f"{told['bytes']:,}", f"{told['tokens']:,}"]
        cells += [f"{told[name]:,.2f}" for name in ("forward_bits", "backward_bits")]
        known = told["interval"]
        bounds = [f"{known[end]:+.4f}" for end in ("low", "high")] if known else ["", ""]
        cells += [f"{told['difference_per_byte']:+.4f}", *bounds]
        lines.append(f"{number:6}" + "".join(f"{cell:>12}" for cell in cells).rstrip())
    return "\n".join([*lines, f"{sentence(as_json(texts))}, by {' and '.join(names)}"])


def _jsonl(texts: "Sequence[Sequence[Passage]]", names: Sequence[str]) -> str:
    judges = dict(zip(("judge", "twin"), names, strict=True))
    rows = [
        {
            **judges,
            **as_json([passages]),
            "passages": [dict(zip(COLUMNS, _cells(each), strict=True)) for each in passages],
        }
        for passages in texts
    ]
    return "\n".join(map(json.dumps, rows))


def _csv(texts: "Sequence[Sequence[Passage]]", _: Sequence[str]) -> str:
    rows = [
        [number, place, *_cells(each)[:-1], json.dumps(each.text)]
        for number, passages in enumerate(texts, 1)
        for place, each in enumerate(passages, 1)
    ]
    return "\n".join(map(csv_line, [["text", "passage", *COLUMNS[:-1], "passage_text"], *rows]))


COLUMNS = ("bytes", "tokens", "forward_bits", "backward_bits", "difference_per_byte", "text")


def _cells(passage: "Passage") -> list[Any]:
    density = passage.difference / passage.bytes
    return [passage.bytes, passage.tokens, passage.forward, passage.backward, density, passage.text]


FORMATS: "dict[str, Callable[[Sequence[Sequence[Passage]], Sequence[str]], str]]" = {
    "table": _table,
    "jsonl": _jsonl,
    "csv": _csv,
}
