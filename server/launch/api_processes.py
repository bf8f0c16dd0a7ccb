"""Further API processes beside the first, all of which take connections from one listening socket."""

import json
import os
import shutil
import socket
import tempfile
from typing import Any

from server.errors import CommandError
from server.launch.supervisor import ChildProcess, Supervisor, environment, xentarena
from server.settings import Settings

LISTENER = "XENTARENA_LISTENER"  # the number of a socket that a process was left by whoever started it

FIGURES = "PROMETHEUS_MULTIPROC_DIR"  # as in server.metrics, which must not be imported before it is set


class ApiProcesses:
    """Started one by one, and again whenever they end; `stop` ends them all at the same time."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._figures = tempfile.mkdtemp(prefix="xentarena-figures-")
        os.environ[FIGURES] = self._figures  # before this process makes any
        self._kept = [self._supervised(number) for number in range(2, settings.api_processes + 1)]

    def stop(self) -> None:
        for each in self._kept:
            each.let_go()
        for each in self._kept:
            each.stop()
        os.environ.pop(FIGURES, None)
        shutil.rmtree(self._figures, ignore_errors=True)

    def _supervised(self, number: int) -> Supervisor:
        return Supervisor(f"api {number}", self._spawn(), self._spawn, lambda _status, _ended: True)

    def _spawn(self) -> ChildProcess:
        descriptor = self._listener.fileno()
        env = environment(**_variables(self._settings) | {LISTENER: str(descriptor), FIGURES: self._figures})
        return ChildProcess(xentarena("api"), env, pass_fds=[descriptor])


def check(settings: Settings, database_url: str) -> None:
    """Raises CommandError where the rows are in a file, to which one process writes."""
    if settings.api_processes > 1 and not database_url.startswith("postgres"):
        raise CommandError(
            f"{settings.api_processes} API processes need PostgreSQL (--database-url postgresql://…): "
            "a SQLite file has one writer, and one process is the quickest there"
        )


def inherited() -> socket.socket | None:
    """The listening socket that this process was left, if it is one of several."""
    number = os.environ.pop(LISTENER, None)
    return None if number is None else socket.socket(fileno=int(number))


def _variables(settings: Settings) -> dict[str, str | None]:
    """The settings as an environment, for one process."""
    # The first process has made the token the owner's; one that starts later must not undo that it was rotated.
    alone = settings.model_copy(update={"api_processes": 1, "host_token": None})
    return {f"XENTARENA_{name.upper()}": _written(value) for name, value in alone.model_dump(mode="json").items()}


def _written(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
