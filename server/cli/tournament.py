"""`xentarena tournament`: players × games × passages × repeats, and a report."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from server.errors import CommandError
from xentarena.extras import require

Server = Annotated[
    str | None, typer.Option(metavar="URL", help="Play there, as its host, instead of at a server of one's own.")
]
HostToken = Annotated[
    str | None, typer.Option(envvar="XENTARENA_HOST_TOKEN", help="The host's token there.", show_envvar=True)
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Where it is kept.  [default: beside FILE, its name]")]


def tournament(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Who plays what, as TOML, or a configuration of the published benchmark; docs/tournaments.md.",
        ),
    ],
    server: Server = None,
    host_token: HostToken = None,
    out: Out = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print each result.")] = False,
) -> None:
    """Let strategies and language models play the same rounds. The same command goes on after a kill."""
    from bots.tournament import plan as plans
    from bots.tournament.folder import cells, held

    plan = plans.load(file)
    if (unknown := plans.unknown_strategy(file, plan)) is not None:
        raise plans.PlanError(unknown)
    strategies, keys = plan.strategies(), plan.keys()
    from bots.tournament.run import Tournament, models_of
    from bots.tournament.venue import prepare, save_ratings, save_results

    say = _silent if quiet else typer.echo
    for note in plan.notes:
        say(note)
    models = models_of(plan, keys)
    with held(out or file.with_suffix(""), plan) as folder, _server(server, host_token, folder.path, plan.judge) as at:
        all_ = cells(plan)
        venue = prepare(plan, folder, all_, *at)
        Tournament(plan, folder, venue, strategies, models, say).play(all_)
        save_ratings(venue, plan, at[1], folder.path / "ratings.json")
        save_results(venue, at[1], folder.path / "results.csv")
        from bots.tournament.report import save

        html, markdown = save(plan, folder, all_)
    typer.echo(f"{html}\n{markdown}")


def _silent(line: str) -> None:
    """What is not to be printed."""


@contextmanager
def _server(url: str | None, token: str | None, folder: Path, judge: str) -> Iterator[tuple[str, str]]:
    """Its address, and a host's token."""
    if url is not None:
        if not token:
            raise CommandError("a tournament at a server needs its host's token: --host-token or XENTARENA_HOST_TOKEN")
        yield url, token
        return
    require("server", "judge")
    from server.launch.own_server import own_server

    with own_server(folder / "server", folder / "server.log", judge) as own:
        yield own.url, own.host_token
