"""What the documents say of the code is so: names, links, settings, versions."""

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from server.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DOTTED = re.compile(r"`((?:games|judge|server|bots)(?:\.\w+)+)`")


def _resolved(dotted: str) -> Any:
    """What a dotted name stands for: the longest part that is a module, then attributes."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise AssertionError(dotted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_code_exist(page: Path) -> None:
    for dotted in DOTTED.findall(page.read_text(encoding="utf-8")):
        _resolved(dotted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_one_move_walks_through_real_code() -> None:
    text = (ROOT / "docs/one-move.md").read_text(encoding="utf-8")
    assert len(set(DOTTED.findall(text))) > 20


def test_every_setting_is_in_the_table_with_its_default() -> None:
    text = (ROOT / "docs/hosting.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `XENTARENA_(\w+)` \| (.*?) \|", text, re.MULTILINE))
    assert set(table) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, bool | int | float | str):
            assert table[name.upper()] == f"`{str(field.default).lower() if field.default is False else field.default}`"


def test_every_pin_of_torch_is_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (pinned,) = (each for each in project["optional-dependencies"]["judge"] if each.startswith("torch"))
    assert pinned in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def test_everything_that_is_needed_is_pinned() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    needed = data["project"]["dependencies"] + data["project"]["optional-dependencies"]["judge"]
    needed += data["dependency-groups"]["lint"] + data["dependency-groups"]["test"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {_plain(line.partition("==")[0]) for line in pins.splitlines() if "==" in line}
    assert {_plain(re.split(r"[\[=<>;~! ]", each)[0]) for each in needed} <= pinned


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
