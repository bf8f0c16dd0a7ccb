"""What is handed out: the wheel, the images, and what may be imported without PyTorch."""

import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from server.settings import Settings
from tests.xentarena import builders
from tests.xentarena.scripted import Answer, serving

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> list[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel_file) as archive:
        return archive.namelist()


def test_the_wheel_carries_all_that_runs(wheel: list[str]) -> None:
    rooms = ("xentarena", "games", "judge", "server", "bots", "migrations")
    here = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert here - set(wheel) == set()


@pytest.mark.parametrize(
    "needed",
    [
        "games/catalog/condense.xent",
        "judge/pocket/model.safetensors",
        "judge/pocket/tokenizer.json",
        "migrations/env.py",
        "migrations/versions/0001_the_first_tables.py",
        "bots/strategies/fields.json",
        "server/web/picture/fonts/SourceSerif4-Regular.ttf",
        "server/web/picture/fonts/LICENSE-OFL.txt",
        "server/web/picture/fonts/LICENSE-DejaVu.txt",
    ],
)
def test_the_wheel_carries(wheel: list[str], needed: str) -> None:
    assert needed in wheel


def test_the_wheel_carries_pages(wheel: list[str]) -> None:
    assert [name for name in wheel if name.startswith("server/web/") and name.endswith(".html")]


def test_the_wheel_carries_no_tests_and_no_benchmarks(wheel: list[str]) -> None:
    assert not [name for name in wheel if name.startswith(("tests/", "docs/", "docker/", "benchmarks/", "examples/"))]


@pytest.mark.slow
def test_the_server_needs_no_torch() -> None:
    blocked = "import sys; sys.modules.update({'torch': None, 'transformers': None, 'safetensors': None})\n"
    parts = (
        "import server.app, server.cli.main, server.queue.server, server.queue.worker,"
        " judge.loading.tokenizer, judge.profiles, judge.codec, xentarena, bots.runner"
    )
    done = subprocess.run([sys.executable, "-c", blocked + parts], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def plain(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command where only `pip install xentarena` was run: the wheel, and links to what it requires."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel_file) as archive:
        archive.extractall(site)
    (ours,) = site.glob("xentarena-*.dist-info")
    for name in _required(Distribution.at(ours).requires or []):
        found = distribution(name)
        for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (site / part).symlink_to(Path(str(found.locate_file(part))))
    return folder / "bin" / "python"


def _required(requirements: Iterable[str], known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The packages that are installed for these, each with what it requires in turn. No extras."""
    for text in requirements:
        each = Requirement(text)
        wanted = each.marker is None or each.marker.evaluate({"extra": ""})
        name = canonicalize_name(each.name)
        if wanted and name not in known:
            known = _required(distribution(name).requires or [], known | {name})
    return known


def _xentarena(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(python), "-Ic", "from server.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_plain_install_is_small(plain: Path) -> None:
    (site,) = plain.parents[1].glob("lib/python*/site-packages")
    there = {path.name.partition("-")[0] for path in site.glob("*.dist-info")}
    assert {"httpx", "httpx_sse", "pydantic", "typer"} < there
    assert not there & {"torch", "tokenizers", "fastapi", "sqlalchemy", "redis", "numpy"}


@pytest.mark.parametrize(
    ("arguments", "extras"),
    [
        (["serve"], ["server", "judge"]),
        (["worker", "--redis-url", "redis://127.0.0.1:1"], ["server", "judge"]),
        (["api"], ["server"]),
        (["migrate"], ["server"]),
        (["backup", "folder", "file.tar"], ["server"]),
        (["measure", "--text", "a"], ["judge"]),
        (["verify", "receipt.json"], ["receipts"]),
        (["play", "condense", "--story", "a", "--move", "b"], ["judge"]),
    ],
    ids=lambda value: value[0],
)
def test_a_command_of_a_plain_install_names_the_extra_it_needs(
    plain: Path, arguments: list[str], extras: list[str]
) -> None:
    done = _xentarena(plain, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    command = " ".join(["pip install", *(f"'xentarena[{extra}]'" for extra in extras)])
    assert command in done.stderr


def test_a_plain_install_helps_checks_and_plays(plain: Path, tmp_path: Path) -> None:
    assert "serve" in _xentarena(plain, "--help").stdout
    (tmp_path / "game.xent").write_text("reward(3)\n")
    assert _xentarena(plain, "check", str(tmp_path / "game.xent")).stdout.startswith(f"{tmp_path}/game.xent:1:8: ")
    round_ = Answer(200, {"items": [builders.round_()], "next": None})
    looked_at, scored = Answer(200, builders.preview()), Answer(201, builders.submission())
    with serving(Answer(201, builders.joined()), round_, looked_at, scored) as script:
        done = _xentarena(plain, "bot", "random", "--server", script.url, "--code", "K", "--budget", "1")
    assert done.returncode == 0, done.stderr
    assert "12.345 bits" in done.stdout


def test_benchmarks_are_run_from_the_source(plain: Path) -> None:
    done = _xentarena(plain, "bench", "judge")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the benchmarks come with the source, not with the installed package" in done.stderr


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return found


def test_compose_publishes_the_api_and_the_proxy_only(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["api", "proxy"]
    assert services["api"]["ports"] == ["${ARENA_LISTEN:-127.0.0.1:8000}:8000"]


def test_compose_has_no_secret_and_lets_each_be_in_a_file(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(("_PASSWORD", "_TOKEN")) and name != "HF_TOKEN":
                variable = re.fullmatch(r"\$\{(\w+)[?-].*\}", value)
                assert variable, name
                assert service["environment"][f"{name}_FILE"].startswith(f"${{{variable[1]}_FILE:+/run/secrets/")


def test_compose_checks_the_health_of_everything_that_stays(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if service.get("restart") != "no":
            assert "test" in service["healthcheck"], name


def test_compose_locks_every_container_up(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name


def test_what_compose_sets_is_a_setting_and_stands_in_the_example(services: dict[str, Any]) -> None:
    known = {f"XENTARENA_{name.upper()}" for name in Settings.model_fields}
    for service in services.values():
        for name in service.get("environment", {}):
            assert not name.startswith("XENTARENA_") or name.removesuffix("_FILE") in known, name
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^#?([A-Z_0-9]+)=", example, re.MULTILINE))


def test_images_are_called_by_the_version(services: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    ours = [service["image"] for service in services.values() if "build" in service]
    assert ours
    assert all(image.endswith(f":${{XENTARENA_VERSION:-{version}}}") for image in ours)


def test_compose_migrates_once_before_the_api(services: dict[str, Any]) -> None:
    assert services["migrate"]["restart"] == "no"
    assert services["api"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_a_worker_of_compose_reaches_redis_and_no_database(services: dict[str, Any]) -> None:
    for name in ("worker", "worker-gpu", "worker-gpu2"):
        assert set(services[name]["networks"]).isdisjoint(services["postgres"]["networks"])
        assert set(services[name]["networks"]) & set(services["redis"]["networks"])
        assert not [each for each in services[name]["environment"] if "DATABASE" in each or "HOST_TOKEN" in each]


def test_each_gpu_worker_has_a_gpu_of_its_own_and_demands_it(services: dict[str, Any]) -> None:
    for name, device in (("worker-gpu", "${GPU:-0}"), ("worker-gpu2", "${GPU2:-1}")):
        (reserved,) = services[name]["deploy"]["resources"]["reservations"]["devices"]
        assert reserved["device_ids"] == [device]
        assert services[name]["environment"]["XENTARENA_DEVICE"] == "${XENTARENA_DEVICE:-cuda}"
    assert (services["worker-gpu"]["profiles"], services["worker-gpu2"]["profiles"]) == (["gpu"], ["gpu2"])


def test_the_images_copy_what_the_wheel_is_made_of() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    for room in ("bots", "games", "judge", "migrations", "server", "xentarena"):
        assert f"COPY {room} ./{room}" in text
        assert f"!{room}" in ignored


def test_the_images_install_what_they_run() -> None:
    stages = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[1:]
    packages = {stage.partition(" AS ")[2].split()[0]: re.findall(r"packages\.py (\w+)", stage) for stage in stages}
    assert packages["server-packages"] == ["server"]
    assert packages["all-packages"] == ["all"]
    command = [sys.executable, "docker/packages.py", "all"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert told == [
        *project["dependencies"],
        *extras["judge"],
        *extras["players"],
        *extras["receipts"],
        *extras["server"],
    ]
