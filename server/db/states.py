"""The few words that columns of rows may hold, as the API and the code call them."""

from enum import StrEnum


class BotPolicy(StrEnum):
    """Where programs stand in a competition."""

    NONE = "none"
    SEPARATE = "separate"
    MIXED = "mixed"


class Total(StrEnum):
    """What a competition's board adds up over its rounds, for every player's best (see `server.arena.totals`)."""

    BITS = "bits"
    FLOORED = "floored"
    POINTS = "points"
    PERCENT = "percent"


class Joining(StrEnum):
    """Who may join a competition by its code. approval: whoever joins waits until a host lets them in."""

    OPEN = "open"
    APPROVAL = "approval"
    LOCKED = "locked"


class LabExperiment(StrEnum):
    """What players do in the lab, each of which a host may close by itself."""

    READING = "reading"
    SAMPLING = "sampling"
    PASSAGES = "passages"
    ANSWERS = "answers"
    PAIRS = "pairs"


class PlayerKind(StrEnum):
    PERSON = "person"
    BOT = "bot"


class Scope(StrEnum):
    """What a token is good for. worker: to measure for this server, and nothing that anybody else may do."""

    PLAY = "play"
    BOT = "bot"
    HOST = "host"
    OBSERVER = "observer"
    BOARD = "board:read"
    WORKER = "worker"


class RoundState(StrEnum):
    """preparing: a judge still writes the texts that the round's game is played on."""

    PREPARING = "preparing"
    SCHEDULED = "scheduled"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class RescoringState(StrEnum):
    """running: beside what counts, until its host applies or drops it."""

    RUNNING = "running"
    APPLIED = "applied"
    DROPPED = "dropped"


class SubmissionState(StrEnum):
    """What a player sees of a submission. awaiting_opponent: another player is to act, by taking the free seat or by
    moving. The last four are final."""

    AWAITING_MOVE = "awaiting_move"
    AWAITING_OPPONENT = "awaiting_opponent"
    QUEUED = "queued"
    SCORED = "scored"
    REJECTED = "rejected"
    VOID = "void"
    FAILED = "failed"


FINAL = frozenset({SubmissionState.SCORED, SubmissionState.REJECTED, SubmissionState.VOID, SubmissionState.FAILED})


class Blamed(StrEnum):
    """What a host may distrust."""

    WORKER = "worker"
    BUILD = "build"


class WorkState(StrEnum):
    """The life of a measurement or a generation."""

    PENDING = "pending"
    KNOWN = "known"
    FAILED = "failed"
