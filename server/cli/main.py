"""The command `xentarena`. Each part is imported when it is asked for, so that the light ones are quick.

Exit status: 0 good, 1 the input is at fault, 2 usage. Errors go to standard error.
"""

import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from judge.profiles import ARENA
from server.cli import (
    answers,
    arrow,
    compression,
    host_tokens,
    judges,
    lab,
    pairs,
    receipts,
    samples,
    tournament,
    training,
    worker_tokens,
)
from server.cli.flags import (
    Data,
    DatabaseUrl,
    Dtype,
    OneJudge,
    ProfileOption,
    PublicUrl,
    RedisUrl,
    RootPath,
    TrustedProxies,
    settings_of,
)
from server.errors import CommandError
from xentarena.errors import ArenaError
from xentarena.extras import require

app = typer.Typer(
    name="xentarena",
    help="A server that hosts cross-entropy games, and its tools.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(judges.app, name="judges")
app.add_typer(host_tokens.app, name="host-token")
app.add_typer(worker_tokens.app, name="worker-token")
app.command()(receipts.verify)
app.command()(lab.read)
app.command()(samples.sample)
app.command()(answers.answers)
app.command()(pairs.pairs)
app.command()(arrow.arrow)
app.command()(training.train)
app.command()(compression.compress)
app.command()(compression.decompress)
app.command()(tournament.tournament)

MoveOption = Annotated[
    list[str] | None, typer.Option(metavar="TEXT", help="A move of the first seat; without any, it asks.")
]
HouseOption = Annotated[
    list[str] | None, typer.Option(metavar="SEAT=BOT", help="A seat of the house: random_words or key_words.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Judges = Annotated[
    list[str] | None,
    typer.Option(
        "--judge", metavar="J", help="A name of `xentarena judges list`, a hub id or a folder; may be repeated."
    ),
]
Host = Annotated[str | None, typer.Option(metavar="H", help="Address to listen on.  [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0: a free one.  [default: 8000]")]

ApiProcesses = Annotated[
    int | None,
    typer.Option(min=1, max=64, metavar="N", help="API processes; more than one with PostgreSQL.  [default: 1]"),
]


@app.command()
def serve(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    data: Data = None,
    judge: Judges = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
    api_processes: ApiProcesses = None,
    public_url: PublicUrl = None,
    root_path: RootPath = None,
    trusted_proxies: TrustedProxies = None,
    workers: Annotated[
        bool, typer.Option("--workers", help="Print the command for a worker on another machine.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Open a demo competition.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Once ready, print one line of JSON.")] = False,
) -> None:
    """Serve everything here: API, pages, queue, one worker."""
    require("server", "judge")
    settings = settings_of(**context.params)
    from server.launch.serve import Options, serve

    serve(settings, Options(workers, demo, as_json))


@app.command()
def api(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
    api_processes: ApiProcesses = None,
    public_url: PublicUrl = None,
    root_path: RootPath = None,
    trusted_proxies: TrustedProxies = None,
) -> None:
    """Serve the API and the pages only. Needs a migrated database and a Redis."""
    require("server")
    settings = settings_of(**context.params)
    _need(settings.database_url, "--database-url")
    _need(settings.redis_url, "--redis-url")
    from server.launch.commands import serve_api

    serve_api(settings)


@app.command()
def worker(
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="The server's address, for a machine that is lent to it.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With its worker's token; XENTARENA_WORKER_TOKEN says it, too.")
    ] = None,
    redis_url: RedisUrl = None,
    judge: Judges = None,
) -> None:
    """Measure for a server. Elsewhere with its address and a worker's token, beside it with that of its Redis."""
    require("server", "judge")
    settings = settings_of(server=server, worker_token_file=token_file, redis_url=redis_url, judge=judge)
    if settings.server and settings.redis_url:
        raise typer.BadParameter("name one: the server, or its Redis", param_hint="--server, --redis-url")
    if not settings.server:
        _need(settings.redis_url, "--server", "--redis-url")
    from server.launch.commands import run_worker

    run_worker(settings)


@app.command()
def migrate(
    database_url: DatabaseUrl = None,
    data: Data = None,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Give PostgreSQL so long to take connections.")
    ] = 0,
) -> None:
    """Create the database's tables, or bring them up to date. Without a URL: the database of the data folder."""
    require("server")
    settings = settings_of(database_url=database_url, data=data)
    from server.launch.commands import migrate

    migrate(settings, wait)


@app.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .xent file, or - for standard input.")]) -> None:
    """Check a game program. Errors are told as FILE:LINE:COL: message, warnings as FILE:LINE: warning: message."""
    from xentarena import programs

    found = programs.check(file)
    for line in [*found.errors, *found.warnings]:
        typer.echo(line)
    raise typer.Exit(bool(found.errors))


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The data folder of a server, running or not.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write, .tar or .tar.gz.")],
) -> None:
    """Copy all that a server keeps, as of one moment, to a file."""
    require("server")
    from server.launch.backup import backup

    backup(folder, file)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, a .zip.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    shareable: Annotated[bool, typer.Option("--shareable", help="Leave out secrets, and who the players are.")] = False,
    names: Annotated[bool, typer.Option("--names", help="With --shareable: keep players' names and ids.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file, if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write all rows of a server, running or not, into one file. `import` reads it on any database."""
    require("server")
    if names and not shareable:
        raise typer.BadParameter("only a --shareable export can do without names", param_hint="--names")
    settings = settings_of(data=data, database_url=database_url)
    from server import logs
    from server.cli import output
    from server.launch import transfer

    logs.configure(settings.log_level, as_json=settings.log_json)
    told = transfer.export(settings, file, shareable=shareable, names=names, force=force)
    _show(told, as_json, output.of_transfer)
    typer.echo(f"xentarena: {transfer.warning(shareable=shareable, names=names)}", err=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `export` wrote.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a new server of an exported one. Into a new data folder, or an empty database."""
    require("server")
    settings = settings_of(data=data, database_url=database_url)
    from server import logs
    from server.cli import output
    from server.launch import transfer

    logs.configure(settings.log_level, as_json=settings.log_json)
    _show(transfer.import_(settings, file), as_json, output.of_transfer)


@app.command()
def play(
    game: Annotated[str, typer.Argument(metavar="GAME", help="A packaged game's name, or a .xent file.")],
    judge: Annotated[
        list[str] | None, typer.Option(metavar="J", help="The main judge; SLOT=J for a further one of the game.")
    ] = None,
    story: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A passage; one for each story(). -: standard input.")
    ] = None,
    story_file: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A passage that is a file.")] = None,
    move: MoveOption = None,
    seat: Annotated[list[str] | None, typer.Option(metavar="SEAT=TEXT", help="A move of another seat.")] = None,
    house: HouseOption = None,
    profile: ProfileOption = ARENA,
    seed: Annotated[str, typer.Option(help="Where sample(), shuffle() and generate…() draw from.")] = "0",
    dtype: Dtype = "float32",
    as_json: AsJson = False,
) -> None:
    """Play a game once, without a server."""
    from games.sentences import counted
    from server.cli import given, output
    from xentarena import programs

    program = programs.find(game)
    seated = dict(given.pairs(house or [], "--house", "SEAT=BOT"))
    seats = _seats([each for each in program.seats if each not in seated], move or [], seat or [])
    require("judge")
    from xentarena import offline

    judges = _slots(game, judge or [], program.judges, offline.usual(program))
    stories = given.texts(story or [], story_file or [], "--story")
    ask = None if move or seat else given.moves_of_whoever_sits_here()
    how = {"profile": profile, "seed": seed, "dtype": dtype}
    outcome = offline.play(program, stories, seats, judge=judges, house=seated, ask=ask, **how)
    _show(outcome.model_dump(by_alias=True, exclude_unset=True), as_json, output.of_play)
    if outcome.moves_left:
        left = counted(outcome.moves_left, "move")
        typer.echo(f"xentarena: the play asked for {left} fewer than were given", err=True)
    raise typer.Exit(outcome.status != "scored")


@app.command()
def measure(
    text: Annotated[str | None, typer.Option(metavar="T", help="The text to be predicted. -: standard input.")] = None,
    prefix: Annotated[
        str | None, typer.Option(metavar="P", help="What the judge reads before it. -: standard input.")
    ] = None,
    text_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The text, as a file.")] = None,
    prefix_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The prefix, as a file.")] = None,
    judge: OneJudge = None,
    profile: ProfileOption = ARENA,
    dtype: Dtype = "float32",
    as_json: AsJson = False,
) -> None:
    """Measure how many bits each token of a text costs a judge."""
    from server.cli import given, output

    if text == prefix == given.STDIN:
        raise typer.BadParameter("standard input can be read once", param_hint="--prefix")
    text = given.one_text(text, text_file, "--text")
    prefix = given.one_text(prefix, prefix_file, "--prefix") or ""
    if text is None:
        raise typer.BadParameter("give a text: --text TEXT, --text -, or --text-file FILE", param_hint="--text")
    require("judge")
    from judge.loading.packages.store import usual_judge
    from xentarena import offline

    text, prefix = (offline.text_of(each, of, empty=True) for each, of in ((text, "--text"), (prefix, "--prefix")))
    found = offline.measure(offline.load_judge(judge or usual_judge(), profile, dtype), prefix, text, profile)
    _show(found, as_json, output.of_measurement)


@app.command()
def bot(
    strategy: Annotated[
        str, typer.Argument(metavar="STRATEGY", help="A registered one, as random; or your own, FILE.py:CLASS.")
    ],
    server: Annotated[str, typer.Option(metavar="URL", help="The server's address.")],
    code: Annotated[str | None, typer.Option(help="Join the competition with this code.")] = None,
    round_id: Annotated[str | None, typer.Option("--round", metavar="ID", help="Play this round only.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="XENTARENA_TOKEN", help="Play on as an earlier player.", show_envvar=True)
    ] = None,
    budget: Annotated[int, typer.Option(min=1, help="Submissions in all.")] = 20,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="And so long at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed plays the same words.")] = None,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between two submissions.")] = 0,
    name: Annotated[str | None, typer.Option(help="The name to join with.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print each score.")] = False,
) -> None:
    """Let a program play on a server."""
    if not code and not token:
        raise typer.BadParameter("name the competition's --code, or come back with a --token", param_hint="--code")
    from bots.runner import run
    from server.launch import reaper

    reaper.follow()
    run(
        strategy,
        server,
        code=code,
        round_id=round_id,
        token=token,
        budget=budget,
        seconds=seconds,
        seed=seed,
        pause=pause,
        name=name,
        say=(lambda _: None) if quiet else typer.echo,
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="play, judge, server, games, …")],
    as_json: AsJson = False,
) -> None:
    """Run a benchmark, with options of its own. They come with the source, not with the installed package."""
    from server.cli.bench import benchmark

    benchmark(name, context.args, as_json=as_json)


def main() -> None:
    """The command, with a line instead of a traceback for whatever can be foreseen."""
    gc.set_threshold(10_000)  # starting makes many objects and hardly a cycle: to look after each 700 is a tenth of it
    try:
        app(prog_name="xentarena")
    except (CommandError, ArenaError) as error:
        typer.echo(f"xentarena: {error}", err=True)
        sys.exit(1)


def _need(value: str | None, *flags: str) -> None:
    if not value:
        variables = " or ".join("XENTARENA_" + flag.removeprefix("--").replace("-", "_").upper() for flag in flags)
        raise typer.BadParameter(f"needed here; {variables} says it, too", param_hint=", ".join(flags))


def _seats(played: Sequence[str], moves: Sequence[str], further: Sequence[str]) -> dict[str, list[str]]:
    """Seat → its moves. A plain move is the first seat's."""
    from server.cli import given

    seats: dict[str, list[str]] = {seat: [] for seat in played}
    if moves:
        seats.setdefault(next(iter(played), "black"), []).extend(moves)
    for seat, move in given.pairs(further, "--seat", "SEAT=TEXT"):
        seats.setdefault(seat, []).append(move)
    return seats


def _slots(game: str, given: Sequence[str], slots: Sequence[str], usual: Mapping[str, str]) -> dict[str, str]:
    """Slot → judge. A plain name is the main judge's. Raises CommandError for a slot without a judge."""
    judges = {"main": usual["main"]} if given else dict(usual)
    for each in given:
        slot, equals, name = each.partition("=")
        if equals and slot in slots:
            judges[slot] = name
        else:
            judges["main"] = each
    if missing := [slot for slot in slots if slot not in judges]:
        raise CommandError(f"{game} asks a further judge, {missing[0]!r}: give it as --judge {missing[0]}=J")
    return judges


def _show(found: dict[str, Any], as_json: bool, table: Callable[[dict[str, Any]], str]) -> None:
    typer.echo(json.dumps(found) if as_json else table(found))
