"""`xentarena worker-token`: the tokens of machines that measure for a server over HTTP."""

import json
from typing import Annotated

import typer

from server.cli.flags import Data, DatabaseUrl, RedisUrl, settings_of
from xentarena.extras import require

app = typer.Typer(no_args_is_help=True, help="Which machines may measure for this server: let one in, list, end one.")


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
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
