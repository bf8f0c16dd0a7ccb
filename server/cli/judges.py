"""`xentarena judges`: which judges there are, and installing those that come from the package index."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from server.errors import CommandError
from xentarena.extras import require

app = typer.Typer(no_args_is_help=True, help="Judges that can be used by name: list, install, remove.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `xentarena judges list` has it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_judges(as_json: AsJson = False) -> None:
    """What can be named as --judge, besides folders and hub ids."""
    found = _all()
    if as_json:
        typer.echo(json.dumps(found))
        return
    for each in found:
        typer.echo(
            f"{each['name']:16} {each['state']:14} {each['megabytes']:4} MB  {each['licence']:12} {each['about']}"
        )


@app.command()
def info(name: Name, as_json: AsJson = False) -> None:
    """What a judge is: where it lies, its size, licence and origin, and its identity where it is there."""
    require("judge")
    found = next((each for each in _all() if each["name"] == name), None)
    if found is None:
        raise CommandError(f"no judge {name!r}: there are {', '.join(each['name'] for each in _all())}")
    found = found | _identity(found)
    lines = [f"{label.replace('_', ' '):12} {value}" for label, value in found.items()]
    typer.echo(json.dumps(found) if as_json else "\n".join(lines))


@app.command()
def install(
    name: Name,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Agree to the licence of a judge that asks for it.")
    ] = False,
    wheel: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="A wheel that was fetched by hand."),
    ] = None,
) -> None:
    """Fetch a judge from the package index with pip, verify it, and write it as a plain folder."""
    require("judge")
    from judge.errors import JudgeError
    from judge.loading.packages import install

    try:
        folder = install.install(name, accept_licence=accept_licence, given=wheel or [], say=_say)
    except JudgeError as error:
        raise CommandError(str(error)) from error
    typer.echo(folder)


@app.command()
def remove(name: Name) -> None:
    """Delete an installed judge. `install` brings it back, the same to the bit."""
    require("judge")
    from judge.errors import JudgeError
    from judge.loading.packages import install

    try:
        typer.echo(f"{name} is removed from {install.remove(name).parent}")
    except JudgeError as error:
        raise CommandError(str(error)) from error


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _all() -> list[dict[str, Any]]:
    from judge.loading.packages.catalog import PACKAGES
    from judge.loading.packages.store import folder_of, is_installed
    from judge.loading.source import PACKAGED, packaged_folder

    ours = [
        {
            "name": name,
            "state": "in the package",
            "megabytes": _megabytes(sum(file.stat().st_size for file in packaged_folder(name).iterdir())),
            "licence": "CC BY 4.0",
            "about": about,
            "folder": str(packaged_folder(name)),
        }
        for name, about in PACKAGED.items()
    ]
    return ours + [
        {
            "name": package.name,
            "state": "installed" if is_installed(package.name) else "not installed",
            "megabytes": _megabytes(package.disk),
            "licence": package.licence.name,
            "about": package.about,
            "folder": str(folder_of(package.name)),
            "download": f"{_megabytes(package.download)} MB",
            "origin": ", ".join(f"{wheel.project} {wheel.version}" for wheel in package.wheels),
            "licence_text": package.licence.url,
        }
        for package in PACKAGES.values()
    ]


def _megabytes(size: int) -> int:
    return round(size / 1e6)


def _identity(found: dict[str, Any]) -> dict[str, Any]:
    """Of the judge in float32, whichever machine it is on; nothing where it is not installed."""
    if found["state"] == "not installed":
        return {}
    from judge.loading.identity import identity
    from judge.loading.source import begin_token, find

    source = find(found["name"])
    bos = begin_token(source, source.config["vocab_size"])
    return {
        "context": f"{source.config['max_position_embeddings']} tokens",
        "direction": source.direction,
        "identity": identity(source, bos=bos, dtype="float32", device_kind="cpu"),
    }
