"""`xentarena host-token`: the tokens of those who run competitions."""

import json
from typing import Annotated

import typer

from server.cli.flags import Data, DatabaseUrl, RedisUrl, settings_of
from xentarena.extras import require

app = typer.Typer(no_args_is_help=True, help="Who runs competitions here: list, rotate, revoke.")


@app.command("list")
def list_tokens(
    data: Data = None,
    database_url: DatabaseUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The hosts and observers whose tokens are good. The tokens themselves are kept nowhere."""
    require("server")
    from server.launch import host_tokens

    found = host_tokens.all_good(settings_of(data=data, database_url=database_url))
    lines = [f"{each['id']}  {each['scope']:8}  {each['made']}  {each['name']}".rstrip() for each in found]
    typer.echo(json.dumps(found) if as_json else "\n".join(lines))


@app.command()
def rotate(data: Data = None, database_url: DatabaseUrl = None, redis_url: RedisUrl = None) -> None:
    """Print another token for the owner. The one of before ends at once, open event streams too."""
    require("server")
    from server.launch import host_tokens

    settings = settings_of(data=data, database_url=database_url, redis_url=redis_url)
    typer.echo(host_tokens.rotate(settings))
    if settings.host_token:
        told = "XENTARENA_HOST_TOKEN names the old one: put the new one there before a server starts again"
        typer.echo(f"xentarena: {told}", err=True)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="As `xentarena host-token list` has it.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
) -> None:
    """End the token of a host or an observer at once. What they made stays."""
    require("server")
    from server.launch import host_tokens

    host_tokens.revoke(settings_of(data=data, database_url=database_url, redis_url=redis_url), token)
