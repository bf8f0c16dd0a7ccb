"""What the documents say of the code is so: names, links, settings, versions."""

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from server.settings import Settings
from xentarena.errors import MissingExtra

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md")])
DECISIONS = ROOT / "docs" / "decisions"
DOTTED = re.compile(r"`((?:xentarena|games|judge|server|bots)(?:\.(?!sqlite3`)\w+)+)`")  # the last is a file


def _resolved(dotted: str) -> Any:
    """What a dotted name stands for: the longest part that is a module, then attributes."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        except MissingExtra:
            return None  # of an extra that tests do not have, so that its names are not looked at
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise AssertionError(dotted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_of_code_exist(page: Path) -> None:
    for dotted in DOTTED.findall(page.read_text(encoding="utf-8")):
        _resolved(dotted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), f"{target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    """The headings' anchors, as hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decisions_are_numbered_and_the_index_has_a_line_for_each() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(\d+)\. \[(.+?)\]\((.+?)\): .+\.$", index, re.MULTILINE)
    records = sorted(each.name for each in DECISIONS.iterdir() if each.name != "README.md")
    assert [file for _, _, file in lines] == records, "docs/decisions/README.md has one line for each, in order"
    for expected, (number, title, file) in enumerate(lines, 1):
        assert int(number) == int(file[:4]) == expected, f"{file}: numbers have no gaps and none is there twice"
        first = (DECISIONS / file).read_text(encoding="utf-8").partition("\n")[0]
        assert first == f"# {number}. {title}", f"{file} begins with its number and its title"


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
    extras = data["project"]["optional-dependencies"]
    needed = data["project"]["dependencies"] + extras["judge"] + extras["server"]
    needed += data["dependency-groups"]["lint"] + data["dependency-groups"]["test"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {_plain(line.partition("==")[0]) for line in pins.splitlines() if "==" in line}
    assert {_plain(re.split(r"[\[=<>;~! ]", each)[0]) for each in needed} <= pinned


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
