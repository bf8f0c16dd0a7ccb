"""The parts of the package that are loaded only when they are asked for: which are there, and what hides them."""

import sys
from importlib.util import find_spec
from pathlib import Path

from xentarena.errors import MissingExtra, NamesakeError

#: Extra → the modules it brings, as far as a plain installation lacks them. pyproject.toml says the same by package.
MODULES = {
    "frames": ("pandas",),
    "judge": ("torch", "transformers", "safetensors", "tokenizers", "gguf", "numpy", "platformdirs"),
    "players": ("anthropic", "openai"),
    "receipts": ("cryptography",),
    "server": (
        "alembic",
        "babel",
        "cryptography",
        "fastapi",
        "fastapi_offline",
        "jinja2",
        "markdown_it",
        "openskill",
        "platformdirs",
        "prometheus_client",
        "psycopg",
        "pydantic_settings",
        "redis",
        "resvg_py",
        "segno",
        "sqlalchemy",
        "structlog",
        "tokenizers",
        "tzdata",
        "uharfbuzz",
        "uvicorn",
    ),
}
HOME = Path(__file__).resolve().parents[1]  # the folder in which all packages of ours stand


def require(*extras: str, packages: tuple[str, ...] = ()) -> None:
    """Make sure that extras are installed, and that our own `packages` are what Python finds under their names.

    Raises `MissingExtra`, `NamesakeError`.
    """
    for package in packages:
        _refuse_namesake(package)
    first_lacking = {extra: next((name for name in MODULES[extra] if not _is_there(name)), None) for extra in extras}
    if lacking := {extra: name for extra, name in first_lacking.items() if name is not None}:
        raise MissingExtra(lacking)


def _refuse_namesake(package: str) -> None:
    spec = find_spec(package)
    found = Path(spec.origin).resolve() if spec and spec.origin else None
    if found is not None and found.parent != HOME / package:
        raise NamesakeError(package, found.parent if found.name == "__init__.py" else found)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # a module without a spec: somebody put it there by hand
        return module in sys.modules
