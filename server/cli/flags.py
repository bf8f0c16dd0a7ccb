"""Flags that several commands share, and the settings that flags and environment make."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from server.settings import Settings

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for everything kept.")]
DatabaseUrl = Annotated[str | None, typer.Option(metavar="U", help="sqlite:///FILE or postgresql://…")]
RedisUrl = Annotated[str | None, typer.Option(metavar="U", help="redis://:PASSWORD@HOST:PORT/0")]


def settings_of(**flags: Any) -> "Settings":
    """The settings of flags and environment; a flag that was given wins."""
    from pydantic import ValidationError

    from server.settings import Settings

    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        hint = f"--{name.replace('_', '-')}" if flags.get(name) is not None else f"XENTARENA_{name.upper()}"
        raise typer.BadParameter(first["msg"], param_hint=hint) from error
