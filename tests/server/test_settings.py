"""Settings that stand in files, passwords of any characters, and a device that has to be there."""

import re
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from server.cli.flags import settings_of
from server.cli.main import app
from server.db.upgrade import wait_for
from server.errors import CommandError
from server.settings import Settings
from tests.support.services import Postgres

ODD = "p@ss:w/rd 1%x\"\\'?#é"


def test_a_password_may_have_any_characters() -> None:
    made = Settings(
        database_url="postgresql://xentarena@rows:5432/xentarena",
        database_password=ODD,
        redis_url="redis://jobs:6379/0",
        redis_password=ODD,
    )
    rows = make_url(made.database_url or "")
    assert (rows.username, rows.password, rows.host, rows.port) == ("xentarena", ODD, "rows", 5432)
    jobs = make_url((made.redis_url or "").replace("redis", "postgresql", 1))
    assert (jobs.username or "", jobs.password, jobs.host) == ("", ODD, "jobs")


def test_the_password_of_an_address_counts_before_the_other() -> None:
    made = Settings(
        redis_url="redis://:own@jobs/0", redis_password=ODD, database_url="sqlite:///x", database_password="y"
    )
    assert (made.redis_url, made.database_url) == ("redis://:own@jobs/0", "sqlite:///x")


def test_a_file_says_what_a_variable_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("t" * 40 + "\n")
    monkeypatch.setenv("XENTARENA_HOST_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("XENTARENA_HOST_TOKEN", "")  # as Compose gives what is not set
    monkeypatch.setenv("XENTARENA_RATE_LIMIT", "")
    made = settings_of()
    assert made.host_token == "t" * 40
    assert made.rate_limit == Settings.model_fields["rate_limit"].default


@pytest.mark.parametrize(
    ("content", "variable", "told"),
    [
        (None, "", "cannot read"),
        ("", "", "is empty"),
        (b"\xff\xfe", "", "not UTF-8"),
        ("t" * 40, "u" * 40, "both are set: take one away"),
        ("short", "", "String should have at least 32 characters"),
    ],
)
def test_a_file_that_will_not_do_is_told_in_one_line(
    content: str | bytes | None, variable: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("XENTARENA_HOST_TOKEN_FILE", str(file))
    monkeypatch.setenv("XENTARENA_HOST_TOKEN", variable)
    ended = CliRunner().invoke(app, ["migrate"])
    assert ended.exit_code == 2
    output = " ".join(re.sub("[│╭╮╰╯─]", " ", ended.output).split())
    assert told in output
    assert "XENTARENA_HOST_TOKEN" in output


def test_a_gpu_that_is_demanded_and_is_not_there_is_told_in_one_line(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # read when torch first looks
    monkeypatch.setenv("XENTARENA_DEVICE", "cuda")
    ended = CliRunner().invoke(app, ["worker", "--redis-url", redis_url, "--judge", "pocket"])
    assert ended.exit_code == 1
    assert "device cuda was asked for, but this machine's torch sees none" in str(ended.exception)
    monkeypatch.setenv("XENTARENA_DEVICE", "gpu")
    assert CliRunner().invoke(app, ["worker", "--redis-url", redis_url]).exit_code == 2


def test_migrate_waits_for_a_database_that_is_not_up_yet(postgres: Postgres) -> None:
    start = time.monotonic()
    wait_for(postgres.new_database(), 30)
    assert time.monotonic() - start < 10
    nowhere = "postgresql://nobody:secret@127.0.0.1:1/rows"
    ended = CliRunner().invoke(app, ["migrate", "--wait", "1", "--database-url", nowhere])
    assert isinstance(ended.exception, CommandError | SystemExit)
    assert time.monotonic() - start >= 1
    assert "secret" not in f"{ended.output} {ended.exception}"
