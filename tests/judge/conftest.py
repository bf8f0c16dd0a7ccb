"""One pocket judge and one tiny judge of each shape for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from judge.judge import Judge
from tests.judge import tiny

SHAPES: dict[str, Callable[[Path], Path]] = {
    "gpt2": tiny.write_gpt2,
    "llama": tiny.write_llama,
    "qwen3": tiny.write_qwen3,
    "gemma2": tiny.write_gemma2,
}


@pytest.fixture(scope="session")
def pocket() -> Judge:
    return Judge.load("pocket", device="cpu")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in SHAPES.items()}
