"""One pocket judge and one tiny judge of each shape for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from judge.judge import Judge
from tests.judge import tiny


@pytest.fixture(scope="session")
def pocket() -> Judge:
    return Judge.load("pocket", device="cpu")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in tiny.SHAPES.items()}
