"""What a server answers, as far as a player program needs it. Fields a newer server adds are passed over."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from xentarena.events import AnyEvent

PlayerKind = Literal["person", "bot"]


class WireModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Item = TypeVar("Item", bound=WireModel)


class Player(WireModel):
    """pending: waits for a host to let them in. external_id: what the host's own lists call them; for hosts alone."""

    id: str
    name: str
    kind: str
    competition: str
    pending: bool = False
    external_id: str | None = None


class Joined(WireModel):
    """token: sent with every later request; the server shows it this once."""

    token: str
    player: Player


class Used(WireModel):
    """Of how many, how many are used."""

    used: int
    of: int


class RoundUsed(WireModel):
    round: str
    attempts: Used


class Allowance(WireModel):
    """What a player has left. rate: moves a second for long; at_once: that would be taken now; wait_s: seconds until
    the next one would. submissions, measured: kept for good; waiting: measurements in the queue. rounds: open ones that
    limit attempts."""

    rate: float
    at_once: int
    wait_s: float
    submissions: Used
    waiting: Used
    measured: Used
    rounds: tuple[RoundUsed, ...]


class Me(WireModel):
    """allowance: null for a host, and from a server that does not tell it."""

    scope: str
    player: Player | None
    competition: str | None
    allowance: Allowance | None = None


class Competition(WireModel):
    """frozen_at: since when everybody but hosts sees the boards as they were then."""

    id: str
    name: str
    last_event: int
    total: str = "bits"
    frozen_at: datetime | None = None


class Awaits(WireModel):
    """A move that is awaited. register, limit: null, and registers empty, where it is another player's.

    registers: what the player may see, by name. events: what was shown before the first move. due_at: when the move
    clock runs out.
    """

    seat: str
    register_: str | None = Field(None, alias="register")
    limit: int | None = None
    registers: dict[str, str | list[str]] = Field(default_factory=dict)
    events: tuple[AnyEvent, ...] = ()
    due_at: datetime | None = None


class Game(WireModel):
    """description: its front page, Markdown. passages: how many a round takes. judges: slots besides the main one."""

    digest: str
    name: str
    title: str
    description: str
    passages: int
    seats: tuple[str, ...]
    judges: tuple[str, ...] = ()


class Reveal(WireModel):
    """which: all, top (the best three ranks), below_own_best (of those with no more bits). names: is it said whose?"""

    which: str
    names: bool


class HouseSeat(WireModel):
    """bot: null where the house says fixed texts. texts: those, for hosts and observers."""

    bot: str | None
    texts: tuple[str, ...] | None = None


class Round(WireModel):
    """attempts, attempts_left: null where a player may submit as often as they like.

    seats: those that players take. house: the game's other seats, and who answers for them. opening: what a play's
    first move is asked for; null where something is measured before it. revealed: what may be seen of others' moves.
    """

    id: str
    competition: str
    game: str
    digest: str
    passages: tuple[str, ...]
    judges: dict[str, str]
    profile: str
    state: str
    opens_at: datetime | None
    closes_at: datetime | None
    attempts: int | None
    attempts_left: int | None
    revealed: Reveal | None = None
    seats: tuple[str, ...] = ("black",)
    house: dict[str, HouseSeat] = {}
    opening: Awaits | None = None
    move_seconds: int | None = None
    number: int | None = None
    title: str | None = None
    game_title: str | None = None
    closed_at: datetime | None = None


class Reason(WireModel):
    """line, column: the place in the game's program, 1-based; null where it is about no place."""

    type: str
    detail: str
    line: int | None = None
    column: int | None = None


class Preview(WireModel):
    """What the rules say of a move before it is made. kept: what the limit leaves of it. refused: would it be asked for
    again? after_scoring: does more hang on bits, or on what only making the move tells?"""

    tokens: int
    limit: int
    kept: str
    events: tuple[AnyEvent, ...]
    refused: bool
    reason: Reason | None
    after_scoring: bool


class Submission(WireModel):
    """bits: the score, in bits, rounded to thousandths; null until it is there. expected_wait_s: seconds."""

    id: str
    round: str
    player: str
    state: str
    place: int | None
    expected_wait_s: float | None
    bits: float | None
    rewards: dict[str, float]
    events: tuple[AnyEvent, ...]
    reason: Reason | None
    judge: str
    profile: str
    build: str | None
    engine: str
    accepted_at: datetime
    play: str = ""
    seat: str = "black"
    practice: bool = False
    awaits: Awaits | None = None


class BoardPlayer(WireModel):
    id: str
    name: str
    kind: str


class RevealedMove(WireModel):
    """What somebody else wrote. rank: on the board of their kind. player, submission: null without names."""

    id: str
    rank: int
    kind: str
    bits: float
    moves: tuple[str, ...]
    player: BoardPlayer | None
    submission: str | None


class RevealedPlay(RevealedMove):
    """events: what happened in the play, as its player saw it."""

    seat: str
    events: tuple[AnyEvent, ...]


class Announcement(WireModel):
    """A line that a host tells everyone in a competition."""

    id: str
    competition: str
    text: str
    made_at: datetime


class Challenge(WireModel):
    """A play that waits for players. invited: the only one who may take it up; null: anybody may."""

    id: str
    round: str
    taken: dict[str, BoardPlayer]
    free: tuple[str, ...]
    invited: BoardPlayer | None


class Rating(WireModel):
    """How strong a player is: an estimate mu, how unsure it is, and after how many plays. value: mu - 3 sigma, which
    ranks."""

    value: float
    mu: float
    sigma: float
    plays: int


class BoardEntry(WireModel):
    """bits: the best score of the player, in bits. submission: null on a board over several rounds.

    rating: what ranks in a round of a zero-sum game; total: what ranks on a board over several rounds; null in others.
    """

    rank: int
    player: BoardPlayer
    bits: float
    submission: str | None
    rating: Rating | None = None
    total: float | None = None


class LeagueMark(WireModel):
    """A program's rating after a round that has ended. number: of the round."""

    round: str
    number: int
    rating: float


class LeagueEntry(WireModel):
    """A program of a competition's league. rating: what ranks, mu - 3 sigma. history: after each of its rounds, the
    oldest first."""

    rank: int
    player: BoardPlayer
    rating: float
    mu: float
    sigma: float
    rounds: int
    history: list[LeagueMark]


class Event(WireModel):
    """What happened in a competition. number: its place in the feed; ask for what came after it."""

    number: int
    type: str
    data: dict[str, Any] = Field(default_factory=dict)


class Judge(WireModel):
    """identity: digest of all that its bits depend on. context: tokens that it reads at once. direction: "forward" or
    "backward". workers: how many serve it now. private: not to be measured with freely."""

    identity: str
    name: str
    context: int
    direction: str
    workers: int
    private: bool


class TokenBits(WireModel):
    """bits: surprise of the token after the prefix; base: without it. Both in bits."""

    text: str
    bits: float
    base: float


class Measurement(WireModel):
    """bits: of the text after the prefix; base: of the text alone; saved: base - bits. Null until known."""

    id: str
    judge: str
    profile: str
    state: str
    bits: float | None
    base: float | None
    saved: float | None
    tokens: tuple[TokenBits, ...]
    failure: str | None


class ErrorDetail(WireModel):
    """pointer: JSON pointer to the field at fault."""

    pointer: str
    detail: str


class Problem(WireModel):
    """RFC 9457, as the server writes it."""

    type: str
    status: int
    detail: str
    errors: tuple[ErrorDetail, ...] = ()
    limit: str | None = None
    retry_after: int | None = None


class Signed(RootModel[dict[str, Any]]):
    """A document with a signature over all that stands in it."""


class BatchResult(WireModel):
    status: int
    submission: Submission | None = None
    problem: Problem | None = None


class BatchResults(WireModel):
    items: list[BatchResult]


class Page(WireModel, Generic[Item]):
    """A part of a long list. next: the cursor of the part after it."""

    items: list[Item]
    next: str | None = None


class Outcome(WireModel):
    """What a play without a server came to (`xentarena.play`).

    status: scored, rejected, void, or awaiting_move where the moves ran out before the play did; awaits says what is
    asked for then. rewards: seat → bits, rounded to thousandths. moves_left: how many of the moves were not asked for.
    identity, build: what the judge's bits depend on.
    """

    status: str
    rewards: dict[str, float]
    events: tuple[AnyEvent, ...]
    reason: Reason | None = None
    awaits: Awaits | None = None
    judge: str
    identity: str
    profile: str
    build: str
    moves_left: int
