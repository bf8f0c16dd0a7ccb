"""Everything that can go wrong for a caller, by whose fault it is.

    ServerError
    ├── RequestError     the caller's request cannot be done (4xx)
    └── Unavailable      a part of the server is not there for the moment (503)

`server.api.problems` turns each into an RFC 9457 problem.
"""

from dataclasses import dataclass, field

from games.sentences import say


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


class RequestError(ServerError):
    """The request is at fault."""


class Unavailable(ServerError):
    """The server is at fault, for the moment."""


def not_found(sentence: str, identifier: str) -> RequestError:
    """sentence: what is not there, with a place for its `name`."""
    return RequestError("not-found", 404, "Not found", say(sentence, name=repr(identifier)))


def invalid(pointer: str, detail: str) -> RequestError:
    """A field of the body breaks a rule."""
    return RequestError("invalid-request", 422, "Invalid request", detail, (Detail(pointer, detail),))


def conflict(type_: str, title: str, detail: str) -> RequestError:
    return RequestError(type_, 409, title, detail)


def unauthorized(detail: str) -> RequestError:
    return RequestError("unauthorized", 401, "Unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def forbidden(detail: str) -> RequestError:
    return RequestError("forbidden", 403, "Forbidden", detail)


def limited(limit: str, detail: str, retry_after: int) -> RequestError:
    """429, naming the limit and when to come back."""
    return RequestError(
        "limit-reached",
        429,
        "Limit reached",
        detail,
        limit=limit,
        retry_after=retry_after,
    )


def database_away() -> Unavailable:
    return Unavailable(
        "database-away",
        503,
        "Database away",
        "The server cannot reach its database. Nothing is lost that was answered; send the request again with the"
        " same Idempotency-Key.",
        retry_after=2,
    )


def bodies_full() -> Unavailable:
    return Unavailable(
        "busy",
        503,
        "Busy",
        say("The server holds as much of other requests' bodies as it can. Send the request again in a moment."),
        retry_after=2,
    )


def disk_full() -> Unavailable:
    return Unavailable(
        "disk-full",
        503,
        "Disk full",
        say(
            "The disk of the server's database is full. Nothing is lost that was answered; send the request again when"
            " there is room, with the same Idempotency-Key."
        ),
        retry_after=30,
    )


class CommandError(Exception):
    """What the person gave cannot be used (exit status 1): the message says what is wrong and how to mend it."""


class CommandStopped(Exception):
    """The command was told to stop before it had begun (exit status 0)."""
