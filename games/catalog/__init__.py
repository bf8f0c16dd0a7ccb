"""The packaged games: one ``.xent`` file each."""

from importlib.resources import files


def names() -> list[str]:
    """The names of the packaged games, sorted: file names without their ending."""
    return sorted(each.name.removesuffix(".xent") for each in files(__name__).iterdir() if each.name.endswith(".xent"))


def source(name: str) -> str:
    """The source of a packaged game. Raises KeyError where there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.xent").read_text(encoding="utf-8")
