"""Errors of the rules, and whose fault each is.

GamesError
├── ProgramErrors      the author's: the program does not pass the check
├── SetupError         the host's: the round's setup does not fit the program
├── LogError           the server's: the log is not one that this program and setup can have
└── TextError          the player's (or the author's): a text that cannot be taken as it is

What goes wrong *inside* a play is no exception but the play's end: ``Finished`` with a ``Reason``.
"""

from dataclasses import dataclass


class GamesError(Exception):
    """Any error of this package. ``fault`` is author, host, server or player."""

    fault = "server"


@dataclass(frozen=True, slots=True, order=True)
class ProgramError:
    """One static error. line, column: 1-based, in characters of the source as given."""

    line: int
    column: int
    message: str
    found: str = ""
    expected: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class ProgramErrors(GamesError):
    """All static errors of a program, in the order of the source. The author's to mend."""

    fault = "author"

    def __init__(self, name: str, errors: tuple[ProgramError, ...]) -> None:
        self.name = name
        self.errors = errors
        super().__init__("\n".join(f"{name}:{e.line}:{e.column}: {e.message}" for e in errors))


class SetupError(GamesError):
    """The round's setup does not fit the program. The host's to mend, when the round is made."""

    fault = "host"


class LogError(GamesError):
    """A log that no play of this program and setup can have: the server mixed something up."""

    fault = "server"


class TextError(GamesError):
    """A text that is too long, or holds characters that no text here may hold."""

    fault = "player"
