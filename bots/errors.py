"""What can go wrong for a player program.

BotError
├── ApiError         the server answered, and said no
├── ServerAway       the server did not answer, for as long as the client is patient
└── UnknownStrategy  there is no strategy of that name
"""

from collections.abc import Iterable, Sequence

from bots.wire import ErrorDetail, Problem


class BotError(Exception):
    """Something a player program cannot go on from by itself; its text says how to mend it."""


class ApiError(BotError):
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


class ServerAway(BotError):
    """Nothing answered at the address, in `seconds` of trying."""

    def __init__(self, server: str, seconds: float, reason: str) -> None:
        super().__init__(f"{server} did not answer for {seconds:.0f} seconds: {reason}")
        self.server = server


class UnknownStrategy(BotError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no strategy {name!r}; there is: {', '.join(sorted(known))}.")
