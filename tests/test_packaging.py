"""What is handed out: the wheel, the images, and what may be imported without PyTorch."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
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
    ],
)
def test_the_wheel_carries(wheel: list[str], needed: str) -> None:
    assert needed in wheel


def test_the_wheel_carries_pages(wheel: list[str]) -> None:
    assert [name for name in wheel if name.startswith("server/web/") and name.endswith(".html")]


def test_the_wheel_carries_no_tests_and_no_benchmarks(wheel: list[str]) -> None:
    assert not [name for name in wheel if name.startswith(("tests/", "docs/", "docker/", "benchmarks/", "examples/"))]


def test_a_base_install_needs_no_torch() -> None:
    blocked = "import sys; sys.modules.update({'torch': None, 'transformers': None, 'safetensors': None})\n"
    parts = (
        "import server.app, server.cli.main, server.queue.server, server.queue.worker,"
        " judge.loading.tokenizer, judge.profiles, judge.codec, xentarena, bots.runner"
    )
    done = subprocess.run([sys.executable, "-c", blocked + parts], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return found


def test_compose_publishes_the_api_only(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["api"]


def test_compose_has_no_secret(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "TOKEN" in name or "URL" in name:
                assert ":?" in value, name


def test_compose_checks_the_health_of_everything_that_stays(services: dict[str, Any]) -> None:
    stages = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    checked = {stage.partition(" AS ")[2].split()[0] for stage in stages if "HEALTHCHECK" in stage}
    for name, service in services.items():
        if service.get("restart") != "no":
            assert "healthcheck" in service or service["build"]["target"] in checked, name


def test_compose_migrates_once_before_the_api(services: dict[str, Any]) -> None:
    assert services["migrate"]["restart"] == "no"
    assert services["api"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_a_worker_of_compose_reaches_redis_and_no_database(services: dict[str, Any]) -> None:
    for name in ("worker", "worker-gpu"):
        assert set(services[name]["networks"]).isdisjoint(services["postgres"]["networks"])
        assert set(services[name]["networks"]) & set(services["redis"]["networks"])
        assert set(services[name]["environment"]) == {"XENTARENA_REDIS_URL", "XENTARENA_JUDGE"}
    assert services["worker-gpu"]["profiles"] == ["gpu"]


def test_the_images_copy_what_the_wheel_is_made_of() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    for room in ("bots", "games", "judge", "migrations", "server", "xentarena"):
        assert f"COPY {room} ./{room}" in text
        assert f"!{room}" in ignored
