"""What a judge writes, in a shell: `xentarena sample`."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal

import typer

from games.sentences import counted
from judge import methods
from judge.diversity import distinct, self_overlap
from judge.profiles import ARENA
from judge.reading import MOST_TOP, USUAL_TOP
from server.cli.batch import TEXT_BYTES, THREADS, Files, Lines, Texts, Token, Told, csv_line, each_of, texts_of
from server.cli.flags import Dtype, OneJudge
from xentarena.extras import require

Asked = tuple[str, int]  # a text to go on with, and a seed
Ways = Annotated[
    list[str] | None,
    typer.Option(
        metavar="M",
        help="greedy, sampling, temperature=0.7, top-k=40, top-p=0.9, min-p=0.1, typical=0.9, beam=4; may be repeated;"
        " cuts joined by commas.  [default: each of these]",
    ),
]
RUNS = (1, 2, 3)  # of so many tokens each: what diversity is told by


def sample(
    files: Files = None,
    text: Texts = None,
    lines: Lines = False,
    method: Ways = None,
    tokens: Annotated[int, typer.Option(min=1, metavar="N", help="How many tokens are written.")] = 20,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="What the draws come from.")] = 0,
    count: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="So many samples, each with the next seed.")
    ] = 1,
    top: Annotated[
        int, typer.Option(min=0, max=MOST_TOP, help="Of how many tokens jsonl and csv tell the probabilities.")
    ] = USUAL_TOP,
    format_: Annotated[
        Literal["table", "jsonl", "csv"], typer.Option("--format", help="jsonl: a line a sample; csv: a line a token.")
    ] = "table",
    judge: OneJudge = None,
    dtype: Dtype = "float32",
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this server's judge instead of loading one; it tells ten.")
    ] = None,
    token: Token = None,
) -> None:
    """Have a judge go on with a text, by methods side by side. At each token it tells what might have come, before and
    after the method's cut."""
    ways = _spelled(method or methods.USUAL)
    texts = texts_of(files or [], text or [], lines)
    asked = [(each, seed + number) for each in texts for number in range(count)]
    if server:
        with _at_a_server(server, token, ways, tokens, top, judge) as ask:
            _write(format_, each_of(ask, asked, 1, doing="sampling", what="sample"))
    else:
        ask = _at_home(ways, tokens, top, judge, dtype)
        _write(format_, each_of(ask, asked, THREADS, doing="sampling", what="sample"))


def _spelled(said: Sequence[str]) -> list[str]:
    try:
        return [*dict.fromkeys(methods.spelled(methods.parse(each)) for each in said)]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--method") from None


def _at_home(ways: Sequence[str], tokens: int, top: int, judge: str | None, dtype: str) -> Callable[[Asked], Told]:
    """Text and seed → samples by a judge that is loaded now."""
    require("judge")
    from judge.loading.packages.store import usual_judge
    from xentarena import offline

    loaded = offline.load_judge(judge or usual_judge(), ARENA, dtype)

    def ask(asked: Asked) -> Told:
        text = offline.text_of(asked[0], "The text", limit=TEXT_BYTES)
        return offline.sample(loaded, text, ways, tokens=tokens, seed=asked[1], top=top)

    return ask


@contextmanager
def _at_a_server(
    server: str, token: str | None, ways: Sequence[str], tokens: int, top: int, judge: str | None
) -> Iterator[Callable[[Asked], Told]]:
    """Text and seed → samples by a server's judge."""
    if not token:
        raise typer.BadParameter("needed with --server; XENTARENA_TOKEN says it, too", param_hint="--token")
    from xentarena import Client, InputError

    with Client(server, token=token) as client:

        def ask(asked: Asked) -> Told:
            found = client.sample(asked[0], ways, tokens=tokens, seed=asked[1], judge=judge)
            if found.failure:
                raise InputError(found.failure)
            told = found.model_dump(mode="json", exclude={"id", "state", "failure", "methods"})
            for each in told["samples"]:
                for step in each["steps"]:
                    step["top"] = step["top"][:top]
            return told

        yield ask


def _write(format_: str, found: Iterable[Told]) -> None:
    """The samples, and of each text and method with several how much they repeat themselves and each other."""
    written: dict[tuple[str, str], list[list[str]]] = defaultdict(list)

    def noted() -> Iterator[Told]:
        for told in found:
            for each in told["samples"]:
                written[told["prefix"], each["method"]].append([step["text"] for step in each["steps"]])
            yield told

    if format_ == "csv":
        typer.echo(csv_line(COLUMNS))
    for number, told in enumerate(noted(), 1):
        typer.echo(FORMATS[format_](number, told))
    for (_, way), texts in written.items():
        if len(texts) > 1:
            typer.echo(_diversity(way, texts), err=format_ != "table")


def _diversity(way: str, texts: Sequence[Sequence[str]]) -> str:
    told = [f"{way}: {counted(len(texts), 'sample')}"]
    for n in RUNS:
        own, others = distinct(texts, n), self_overlap(texts, n)
        if own is not None and others is not None:
            told.append(f"of the runs of {counted(n, 'token')} {own:.3f} are distinct, {others:.3f} in another sample")
    return "; ".join(told)


def _table(number: int, told: Told) -> str:
    count = len(told["samples"][0]["steps"])
    lines = [f"{told['prefix']!r} + {counted(count, 'token')} by {told['judge']}, seed {told['seed']}"]
    wide = max(len(each["method"]) for each in told["samples"])
    lines.append(f"{'method':{wide}}  {'bits':>8}  repeats  text")
    for each in told["samples"]:
        again = sum(step["repeats"] for step in each["steps"])
        lines.append(f"{each['method']:{wide}}  {each['bits']:8.3f}  {again:7}  {each['text']!r}")
    return "\n".join(["", *lines] if number > 1 else lines)


COLUMNS = (
    *("sample", "seed", "method", "token", "token_text", "before", "after", "kept", "mass"),
    *("entropy", "entropy_after", "repeats", "top"),
)


def _csv(number: int, told: Told) -> str:
    """A line a token. Texts of tokens are JSON, by which white space is seen and no spreadsheet takes one for a
    formula."""
    lines = []
    for each in told["samples"]:
        for index, step in enumerate(each["steps"], 1):
            top = json.dumps([[choice["text"], choice["before"], choice["after"]] for choice in step["top"]])
            numbers = [step[name] for name in COLUMNS[5:11]]
            head = [number, told["seed"], each["method"], index, json.dumps(step["text"])]
            lines.append(csv_line([*head, *numbers, int(step["repeats"]), top]))
    return "\n".join(lines)


FORMATS: dict[str, Callable[[int, Told], str]] = {
    "table": _table,
    "jsonl": lambda _, told: json.dumps(told),
    "csv": _csv,
}
