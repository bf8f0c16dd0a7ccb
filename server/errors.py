"""Everything that can go wrong for a caller, by whose fault it is.

    ServerError
    ├── Refused          the caller's request cannot be done (4xx)
    └── Away             a part of the server is not there for the moment (503)

`server.api.problems` turns each into an RFC 9457 problem.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing wrong with a body: where (JSON pointer) and what.

    Of a game's program also the place in it, 1-based, what was found there and what was expected.
    """

    pointer: str
    detail: str
    line: int | None = None
    column: int | None = None
    found: str | None = None
    expected: str | None = None


@dataclass(eq=False)
class ServerError(Exception):
    """An error with a stable name, an HTTP status and a sentence that says how to mend it."""

    type: str
    status: int
    title: str
    detail: str
    errors: tuple[Detail, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    limit: str | None = None
    retry_after: int | None = None  # seconds

    def __str__(self) -> str:
        return self.detail


class Refused(ServerError):
    """The request is at fault."""


class Away(ServerError):
    """The server is at fault, for the moment."""


def not_found(what: str, identifier: str) -> Refused:
    return Refused("not-found", 404, "Not found", f"There is no {what} {identifier!r}.")


def invalid(pointer: str, detail: str) -> Refused:
    """A field of the body breaks a rule."""
    return Refused("invalid-request", 422, "Invalid request", detail, (Detail(pointer, detail),))


def conflict(type_: str, title: str, detail: str) -> Refused:
    return Refused(type_, 409, title, detail)


def unauthorized(detail: str) -> Refused:
    return Refused("unauthorized", 401, "Unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def forbidden(detail: str) -> Refused:
    return Refused("forbidden", 403, "Forbidden", detail)


def limited(limit: str, detail: str, retry_after: int) -> Refused:
    """429, naming the limit and when to come back."""
    return Refused(
        "limit-reached",
        429,
        "Limit reached",
        detail,
        limit=limit,
        retry_after=retry_after,
    )


def database_away() -> Away:
    return Away(
        "database-away",
        503,
        "Database away",
        "The server cannot reach its database. Nothing is lost that was answered; send the request again with the"
        " same Idempotency-Key.",
        retry_after=2,
    )
