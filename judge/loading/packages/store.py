"""Where installed judges lie."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from judge.loading.packages.catalog import PACKAGES, SMOLLM2


def judges_folder() -> Path:
    """Where judges are installed: XENTARENA_JUDGES, else `judges` among the user's data."""
    given = os.environ.get("XENTARENA_JUDGES")
    return Path(given).expanduser() if given else user_data_path("xentarena") / "judges"


def folder_of(name: str) -> Path:
    """Where this judge lies once it is installed."""
    return judges_folder() / name


def is_installed(name: str) -> bool:
    """A folder of this name is there only when it is whole: it is moved there as the last step."""
    return name in PACKAGES and folder_of(name).is_dir()


def usual_judge() -> str:
    """The judge where nobody names one: the one that games are written for where it is installed, else pocket."""
    return SMOLLM2.name if is_installed(SMOLLM2.name) else "pocket"
