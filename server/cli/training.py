"""A judge of one's own, in a shell: `xentarena train`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from judge.errors import JudgeError
from judge.languages import LANGUAGES
from server.cli.arrow import as_json, sentence
from server.errors import CommandError
from xentarena.extras import require

if TYPE_CHECKING:
    from judge.training.twins import Order

KNOWN = "; ".join(f"{name}: {each.about}" for name, each in LANGUAGES.items())
ONE_PAIR = (
    "This is one pair of twins: another seed may tell otherwise, and the interval is that of these texts, not of other"
    " trainings."
)


def train(
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The judge's folder. DIR-backward: its twin; DIR.work: what it goes on from."),
    ],
    texts: Annotated[
        list[Path] | None, typer.Argument(metavar="TEXT", help="Files and folders: plain text, or .jsonl[.xz|.gz].")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="L", help=f"Train on a small language instead. {KNOWN}.")
    ] = None,
    twins: Annotated[bool, typer.Option("--twins", help="Two judges: one reads forward, one backward.")] = False,
    direction: Annotated[
        Literal["forward", "backward"], typer.Option(help="In which a single judge reads.")
    ] = "forward",
    seed: Annotated[int, typer.Option(min=0, help="Of the first weights, the order, and the small language.")] = 0,
    tokens: Annotated[
        int | None,
        typer.Option(
            min=1, help="To train on, each twin.  [default: about ten minutes on two cores; less for little text]"
        ),
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a judge, or twins, from nothing. On texts of yours or on a small language. Stop it whenever you like: the
    same command goes on from the last checkpoint. For other sizes see python -m judge.training."""
    if (language is None) == (not texts):
        raise typer.BadParameter("give texts, or a small --language", param_hint="TEXT, --language")
    if twins and direction == "backward":
        raise typer.BadParameter("twins read in both directions", param_hint="--direction")
    require("judge")
    from judge.training.twins import Order

    directions = ("forward", "backward") if twins else (direction,)
    order = Order(out, directions, seed, tuple(texts or ()), language, tokens)
    figures = _trained(order)
    told = {"folders": {each: str(order.folder(each)) for each in directions}, "figures": figures}
    told["arrow"] = _arrow(order) if twins and language is not None else None
    typer.echo(json.dumps(told) if as_json_ else _table(told, order))


def _trained(order: "Order") -> dict[str, dict[str, Any]]:
    from judge.training.twins import train

    try:
        return train(order)
    except JudgeError as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        raise CommandError("stopped; the same command goes on from the last checkpoint") from None


def _arrow(order: "Order") -> dict[str, Any]:
    """What the twins pay for texts of the language that they were not trained on."""
    from judge.arrow import compare
    from judge.training.twins import held_out
    from xentarena import offline

    forward, backward = (offline.load_judge(str(order.folder(each)), "arena", "float32") for each in order.directions)
    return as_json(compare(forward, backward, held_out(order)))


def _table(told: Mapping[str, Any], order: "Order") -> str:
    lines = [f"{'':10}{'bits a byte':>12}{'tokens':>12}{'minutes':>9}  folder"]
    for direction, each in told["figures"].items():
        numbers = f"{each['bits_per_byte']['all']:12.4f}{each['tokens']:12,}{each['seconds'] / 60:9.1f}"
        lines.append(f"{direction:10}{numbers}  {told['folders'][direction]}")
    if told["arrow"]:
        lines += [sentence(told["arrow"]), ONE_PAIR]
    lines.append(f"{order.work} has what it would go on from: delete it when you are done.")
    return "\n".join(lines)
