"""What can go wrong for a program that plays.

ArenaError
├── ApiError           the server answered, and said no
├── ServerUnavailable  the server did not answer, for as long as the client is patient
├── NoArena            what answers at the address is something else
├── InputError         a game, text, move or judge that was given to `play` cannot be used
├── MissingExtra       a part of the package that is not installed; also an ImportError
└── NamesakeError      a folder or file of yours hides one of ours from Python; also an ImportError
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xentarena.models import ErrorDetail, Problem


class ArenaError(Exception):
    """Something a program cannot go on from by itself; its text says how to mend it."""


class ApiError(ArenaError):
    """The server's refusal. type: its stable name. errors: which fields are at fault. limit: which one is reached.

    retry_after: seconds until it is worth trying again.
    """

    def __init__(
        self,
        type: str,
        status: int,
        detail: str,
        errors: Sequence[ErrorDetail] = (),
        limit: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{type} ({status}): {detail}")
        self.type = type
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.limit = limit
        self.retry_after = retry_after

    @classmethod
    def of(cls, problem: Problem) -> "ApiError":
        return cls(problem.type, problem.status, problem.detail, problem.errors, problem.limit, problem.retry_after)


class ServerUnavailable(ArenaError):
    """Nothing answered at the address, in `seconds` of trying; at once where nothing ever did."""

    def __init__(self, server: str, seconds: float, reason: str) -> None:
        if seconds:
            super().__init__(f"{server} did not answer for {seconds:.0f} seconds: {reason}")
        else:
            super().__init__(f"{server} does not answer ({reason}). Look at address and port; is the server running?")
        self.server = server


class NoArena(ArenaError):
    """Something answers at the address, but not as this server does."""


class InputError(ArenaError):
    """What was given cannot be used: the text says what is wrong with it."""


class MissingExtra(ArenaError, ImportError):
    """lacking: extra → the module that is not there. A plain installation brings the client and the command alone."""

    def __init__(self, lacking: dict[str, str]) -> None:
        extras, modules = " and ".join(lacking), ", no ".join(lacking.values())
        command = "pip install " + " ".join(f"'xentarena[{extra}]'" for extra in lacking)
        text = f"this needs {extras}, which a plain installation leaves out (there is no {modules}): {command}"
        if "judge" in lacking:
            text += f" (without a GPU: {command} --extra-index-url https://download.pytorch.org/whl/cpu)"
        super().__init__(text)
        self.extras = tuple(lacking)


class NamesakeError(ArenaError, ImportError):
    """Python finds another package of this name before ours, mostly because a script's own folder comes first."""

    def __init__(self, package: str, found: Path) -> None:
        super().__init__(
            f"{found} is in the way: this needs the package {package!r} that is installed with xentarena, and Python"
            f" finds yours first. Rename it, or run from elsewhere."
        )
        self.found = found


def listed(texts: Any, what: str) -> Any:
    """What was given as a list of texts: a text alone would be taken for its letters. Raises `InputError`."""
    if isinstance(texts, str):
        raise InputError(f"{what} are a list of texts, not a text")
    return texts
