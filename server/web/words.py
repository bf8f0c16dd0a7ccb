"""What people are told of the names that programs use: states, seats, reasons."""

from server.db.models import RoundState, SubmissionState
from server.web.i18n import gettext, mark

_STATES: dict[str, str] = {
    RoundState.PREPARING: mark("preparing"),
    RoundState.SCHEDULED: mark("scheduled"),
    RoundState.OPEN: mark("open"),
    RoundState.PAUSED: mark("paused"),
    RoundState.CLOSED: mark("closed"),
    SubmissionState.AWAITING_MOVE: mark("awaiting move"),
    SubmissionState.AWAITING_OPPONENT: mark("awaiting opponent"),
    SubmissionState.QUEUED: mark("queued"),
    SubmissionState.SCORED: mark("scored"),
    SubmissionState.REJECTED: mark("rejected"),
    SubmissionState.VOID: mark("void"),
    SubmissionState.FAILED: mark("failed"),
}
_SEATS = {
    "black": mark("Black"),
    "white": mark("White"),
    "alice": mark("Alice"),
    "bob": mark("Bob"),
    "carol": mark("Carol"),
    "env": mark("Env"),
}


def state_name(state: str) -> str:
    """Of a round or of a submission."""
    return gettext(_STATES[state])


def seat_name(seat: str) -> str:
    return gettext(_SEATS[seat])
