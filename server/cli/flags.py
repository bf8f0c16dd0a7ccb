"""Flags that several commands share, and the settings that flags and environment make."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from server.settings import Settings

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for everything kept.")]
DatabaseUrl = Annotated[str | None, typer.Option(metavar="U", help="sqlite:///FILE or postgresql://…")]
RedisUrl = Annotated[str | None, typer.Option(metavar="U", help="redis://:PASSWORD@HOST:PORT/0")]
PublicUrl = Annotated[str | None, typer.Option(metavar="U", help="https://… where people reach it: links begin so.")]
RootPath = Annotated[str | None, typer.Option(metavar="P", help="What all paths begin with outside, like /arena.")]
TrustedProxies = Annotated[
    str | None, typer.Option(metavar="A,B", help="Whose X-Forwarded-* to believe.  [default: this machine's]")
]


def settings_of(**flags: Any) -> "Settings":
    """The settings of flags and environment; a flag that was given wins, and one that is no setting is left out."""
    from pydantic import ValidationError

    from server.settings import Settings

    try:
        return Settings(**{name: value for name, value in flags.items() if value not in (None, (), [])})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        hint = f"--{name.replace('_', '-')}" if flags.get(name) is not None else f"XENTARENA_{name.upper()}"
        raise typer.BadParameter(first["msg"], param_hint=hint) from error
