"""`xentarena worker-token`: the tokens of machines that measure for a server over HTTP, and who is not believed."""

import json
from typing import Annotated

import typer

from server.cli.flags import Data, DatabaseUrl, RedisUrl, settings_of
from xentarena.extras import require

app = typer.Typer(
    no_args_is_help=True,
    help="Which machines may measure for this server: let one in, list, end one, believe one no more.",
)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A token's ID, a worker's name, or with --build a build's whole name."),
]
IsBuild = Annotated[bool, typer.Option("--build", help="Every worker of this build is meant.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose machine it is for, for the list.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a token for `xentarena worker --server`. It is kept nowhere."""
    require("server")
    from server.launch import worker_tokens

    typer.echo(worker_tokens.create(settings_of(data=data, database_url=database_url), name))


@app.command("list")
def list_tokens(
    data: Data = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Those that are good. The tokens themselves are kept nowhere."""
    require("server")
    from server.launch import worker_tokens

    found = worker_tokens.all_good(settings_of(data=data, database_url=database_url))
    lines = [f"{each['id']}  {each['made']}  {each['name']}" for each in found]
    typer.echo(json.dumps(found) if as_json else "\n".join(lines))


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="As `xentarena worker-token list` has it.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
) -> None:
    """End a token at once. What its worker measured stays; what it held goes to others at once."""
    require("server")
    from server.launch import worker_tokens

    worker_tokens.revoke(settings_of(data=data, database_url=database_url, redis_url=redis_url), token)


@app.command()
def distrust(
    name: Name,
    build: IsBuild = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """No more work for it: what it measured is measured again by others, and the rounds in which that may count are
    scored again, aside."""
    require("server")
    from server.db.states import Blamed
    from server.launch import worker_tokens

    settings = settings_of(data=data, database_url=database_url, redis_url=redis_url)
    found = worker_tokens.distrust(settings, Blamed.BUILD if build else Blamed.WORKER, name)
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"to be measured again by others: {found['measurements']:,}")
    typer.echo(f"rounds that are scored again: {len(found['rounds'])}")
    if found["rounds"]:
        typer.echo("Nothing counts otherwise until a host has looked: see Scores to look at, on the page /host/judges.")


@app.command("trust")
def trust_again(name: Name, build: IsBuild = False, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """It may work again. What was measured again meanwhile stays so."""
    require("server")
    from server.db.states import Blamed
    from server.launch import worker_tokens

    settings = settings_of(data=data, database_url=database_url)
    worker_tokens.trust_again(settings, Blamed.BUILD if build else Blamed.WORKER, name)


@app.command()
def distrusted(data: Data = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Whom nobody believes: they get no work, and what they hand in is not taken."""
    require("server")
    from server.launch import worker_tokens

    found = worker_tokens.distrusted(settings_of(data=data, database_url=database_url))
    lines = [f"{each['kind']:6}  {each['since']}  {each['name']}" for each in found]
    typer.echo(json.dumps(found) if as_json else "\n".join(lines))
