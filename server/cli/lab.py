"""What a judge knows, in a shell: `xentarena read`."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from games.sentences import counted
from judge.intervals import mean_interval
from judge.profiles import ARENA, Profile
from judge.reading import MOST_TOP, USUAL_TOP
from judge.turns import Turn
from judge.unforeseen import Rule
from server.cli import given
from server.cli.batch import TEXT_BYTES, THREADS, Files, Lines, Texts, Token, Told, csv_line, each_of, texts_of
from server.cli.flags import Dtype, OneJudge, ProfileOption
from server.cli.output import BAR
from xentarena.extras import require

Borders = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="Cut the text where entropy spikes: above or rise, or with bits as in rise=2; and tell the parts that"
        " stand out.",
    ),
]
WhoseTurn = Annotated[
    Turn | None,
    typer.Option(
        "--turn",
        help="Read each text in the judge's chat template, as the human's turn or as the judge's after what the human"
        " said, the prefix; and outside it.",
    ),
]


class Spike(NamedTuple):
    """What a border is; bits: None for pieces of a usual length."""

    rule: Rule
    bits: float | None


class Shown(NamedTuple):
    """prefixed: with what was read without the prefix; cut: at its borders; turned: in a chat and outside."""

    format_: str
    prefixed: bool
    cut: bool
    turned: bool


def read(
    files: Files = None,
    text: Texts = None,
    lines: Lines = False,
    prefix: Annotated[str | None, typer.Option(metavar="P", help="What the judge reads before each text.")] = None,
    prefix_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The prefix, as a file.")] = None,
    top: Annotated[
        int, typer.Option(min=0, max=MOST_TOP, help="How many of the likeliest tokens are told at each place.")
    ] = USUAL_TOP,
    format_: Annotated[
        Literal["table", "jsonl", "csv"], typer.Option("--format", help="jsonl: a line a text; csv: a line a token.")
    ] = "table",
    borders: Borders = None,
    turn: WhoseTurn = None,
    judge: OneJudge = None,
    profile: ProfileOption = ARENA,
    dtype: Dtype = "float32",
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this server's judge instead of loading one; it tells ten.")
    ] = None,
    token: Token = None,
) -> None:
    """Tell what a judge expected at each token of a text. Bits, rank, entropy and the likeliest tokens, and what a
    prefix changes."""
    spike = _spike(borders)
    texts = texts_of(files or [], text or [], lines)
    before = given.one_text(prefix, prefix_file, "--prefix") or ""
    shown = Shown(format_, prefixed=bool(before or turn), cut=borders is not None, turned=turn is not None)
    if turn and (server or profile != ARENA):
        raise typer.BadParameter("for a judge at home, by the profile arena", param_hint="--turn")
    if server:
        with _at_a_server(server, token, before, judge, profile, top, spike) as ask:
            _write(shown, each_of(ask, texts, 1, doing="reading"))
    else:
        ask = _at_home(before, judge, profile, dtype, top, spike, turn)
        _write(shown, each_of(ask, texts, THREADS, doing="reading"))


def _spike(said: str | None) -> Spike:
    rule, equals, number = (said or "above").partition("=")
    try:
        bits = float(number) if equals else None
    except ValueError:
        bits = math.nan
    if rule not in ("above", "rise") or (bits is not None and not -100 <= bits <= 100):
        told = f"{said!r} is no rule for borders: say above or rise, or with bits from -100 to 100, as in rise=2"
        raise typer.BadParameter(told, param_hint="--borders")
    return Spike("above" if rule == "above" else "rise", bits)


def _at_home(
    prefix: str, judge: str | None, profile: Profile, dtype: str, top: int, spike: Spike, turn: Turn | None
) -> Callable[[str], Told]:
    """Text → its reading by a judge that is loaded now."""
    require("judge")
    from judge.loading.packages.store import usual_judge
    from xentarena import offline

    prefix = offline.text_of(prefix, "--prefix", empty=True, limit=TEXT_BYTES)
    loaded = offline.load_judge(judge or usual_judge(), profile, dtype)

    def ask(text: str) -> Told:
        text = offline.text_of(text, "The text", limit=TEXT_BYTES)
        return offline.read(loaded, prefix, text, profile, top=top, rule=spike.rule, bits=spike.bits, turn=turn)

    return ask


@contextmanager
def _at_a_server(
    server: str, token: str | None, prefix: str, judge: str | None, profile: Profile, top: int, spike: Spike
) -> Iterator[Callable[[str], Told]]:
    """Text → its reading by a server's judge."""
    if not token:
        raise typer.BadParameter("needed with --server; XENTARENA_TOKEN says it, too", param_hint="--token")
    from xentarena import Client, InputError

    with Client(server, token=token) as client:

        def ask(text: str) -> Told:
            found = client.read(text, prefix, judge=judge, profile=profile, rule=spike.rule, bits=spike.bits)
            if found.failure:
                raise InputError(found.failure)
            told = found.model_dump(mode="json", exclude={"id", "state", "failure"})
            for each in filter(None, (told["read"], told["alone"])):
                for place in each["tokens"]:
                    place["top"] = place["top"][:top]
            return told

        yield ask


def _write(shown: Shown, readings: Iterable[Told]) -> None:
    saved: list[float] = []

    def noted() -> Iterator[Told]:
        for told in readings:
            if told["saved"] is not None:
                saved.append(told["saved"])
            yield told

    if shown.format_ == "csv":
        typer.echo(csv_line(_columns(shown)))
    for number, told in enumerate(noted(), 1):
        typer.echo(FORMATS[shown.format_](number, told, shown))
    if len(saved) > 1:
        found = mean_interval(saved)
        line = (
            f"on average over {counted(found.count, 'text')} the {_frame(shown)} saves {found.mean:.3f} bits"
            f" (95 % interval {found.low:.3f} to {found.high:.3f})"
        )
        typer.echo(line, err=shown.format_ != "table")


def _table(number: int, told: Told, shown: Shown) -> str:
    after, alone = told["read"], told["alone"]
    most = max((token["bits"] for token in after["tokens"]), default=0.0) or 1.0
    head = f"{'bits':>8}  {'rank':>6}  {'entropy':>7}  "
    head += f"{'outside':>7}  " if shown.turned else ""
    lines = [f"{head}{'saved':>8}  token" if alone else f"{head}token"]
    for index, token in enumerate(after["tokens"]):
        numbers = f"{token['bits']:8.3f}  {token['rank']:6}  {token['entropy']:7.3f}  "
        if shown.turned:
            numbers += f"{alone['tokens'][index]['entropy']:7.3f}  "
        if alone:
            numbers += f"{alone['tokens'][index]['bits'] - token['bits']:8.3f}  "
        bar = "+" * round(BAR * token["bits"] / most)
        lines.append(f"{numbers}{token['text']!r:24}  {bar}".rstrip())
    perplexity = "" if after["perplexity"] is None else f", perplexity {after['perplexity']:.2f}"
    density = "" if after["bits_per_byte"] is None else f", {after['bits_per_byte']:.3f} a byte{perplexity}"
    count = counted(len(after["tokens"]), "token")
    lines.append(f"{after['bits']:8.3f}  bits in {count}{density}, by {told['judge']}")
    if alone:
        lines.append(f"{alone['bits']:8.3f}  bits without the {_frame(shown)}, which saves {told['saved']:.3f}")
    lines += _parts(told) if shown.cut else []
    return "\n".join(["", *lines] if number > 1 else lines)


def _frame(shown: Shown) -> str:
    return "chat template" if shown.turned else "prefix"


def _parts(told: Told) -> list[str]:
    """The text cut at its borders, and what stands out of it."""
    parts, texts = told["parts"], [token["text"] for token in told["read"]["tokens"]]
    places = [0, *parts["borders"], len(texts)]
    what = "is above" if parts["rule"] == "above" else "rises by more than"
    lines = [f"cut where entropy {what} {parts['threshold']:.3f} bits:"]
    lines.append(" | ".join(repr("".join(texts[start:end])) for start, end in pairwise(places)))
    for what, spans in (("cost", parts["surprising"]), ("saved by the prefix on", parts["explained"] or [])):
        lines += [f"{span['bits']:8.3f}  bits {what} {span['text']!r}" for span in spans]
    return lines


def _columns(shown: Shown) -> list[str]:
    alone = ["alone_bits", "alone_rank", "alone_entropy", "saved"] if shown.prefixed else []
    piece = ["piece"] if shown.cut else []
    return ["text", "token", "token_text", "bits", "rank", "entropy", *alone, *piece, "top"]


def _csv(number: int, told: Told, shown: Shown) -> str:
    """A line a token. Texts of tokens are JSON, by which white space is seen and no spreadsheet takes one for a
    formula."""
    lines = []
    for index, token in enumerate(told["read"]["tokens"]):
        alone = told["alone"] and told["alone"]["tokens"][index]
        beside = [alone["bits"], alone["rank"], alone["entropy"], alone["bits"] - token["bits"]] if alone else []
        top = json.dumps([[each["text"], each["probability"]] for each in token["top"]])
        numbers = [token["bits"], token["rank"], token["entropy"], *beside]
        numbers += [1 + sum(border <= index for border in told["parts"]["borders"])] if shown.cut else []
        lines.append(csv_line([number, index + 1, json.dumps(token["text"]), *numbers, top]))
    return "\n".join(lines)


FORMATS: dict[str, Callable[[int, Told, Shown], str]] = {
    "table": _table,
    "jsonl": lambda _, told, __: json.dumps(told),
    "csv": _csv,
}
