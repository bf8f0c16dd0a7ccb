"""Databases as the migrations make them: made once in each process, then copied. Migrating takes half a second."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from server.db.migrate import migrate


def sqlite_at(file: Path) -> str:
    """The URL of an up-to-date database in a file that is not there yet."""
    shutil.copyfile(_template(), file)
    return f"sqlite:///{file}"


@cache
def _template() -> Path:
    folder = tempfile.mkdtemp(prefix="xentarena-template-")
    atexit.register(shutil.rmtree, folder)
    made = Path(folder) / "template.sqlite3"
    migrate(f"sqlite:///{made}")
    return made
