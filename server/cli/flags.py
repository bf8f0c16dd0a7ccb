"""Flags that several commands share, and the settings that flags and environment make."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from judge.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from server.settings import Settings

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for everything kept.")]
DatabaseUrl = Annotated[str | None, typer.Option(metavar="U", help="sqlite:///FILE or postgresql://…")]
OneJudge = Annotated[
    str | None, typer.Option("--judge", metavar="J", help="A judge's name, a hub id or a folder.  [default: the usual]")
]
ProfileOption = Annotated[Profile, typer.Option(help="How the judge is asked.")]
Dtype = Annotated[
    Literal["float32", "bfloat16"], typer.Option(envvar="XENTARENA_DTYPE", help="What the judge computes in.")
]
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

    given = {name: value for name, value in flags.items() if value not in (None, (), [])}
    try:
        return Settings(**_from_files(Settings.model_fields) | given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        hint = f"--{name.replace('_', '-')}" if flags.get(name) is not None else f"XENTARENA_{name.upper()}"
        raise typer.BadParameter(first["msg"], param_hint=hint) from error


def _from_files(names: "Iterable[str]") -> dict[str, str]:
    """Settings whose values stand in files: XENTARENA_X_FILE names that of X. Raises typer.BadParameter."""
    found = {}
    for name in names:
        variable = f"XENTARENA_{name.upper()}"
        # Taken away, so that children, who are told the value, do not find both.
        if not (file := os.environ.pop(f"{variable}_FILE", "")):
            continue
        if os.environ.get(variable):
            raise typer.BadParameter("both are set: take one away", param_hint=f"{variable} and {variable}_FILE")
        try:
            found[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise typer.BadParameter(f"cannot read {file}: {reason}", param_hint=f"{variable}_FILE") from error
        if not found[name]:
            raise typer.BadParameter(f"{file} is empty", param_hint=f"{variable}_FILE")
    return found
