"""What goes over the wire. Requests refuse unknown fields; responses only ever gain fields."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from server.api.round_warnings import RoundWarning
from server.arena.reveals import Which
from server.db.states import BotPolicy, Joining, LabExperiment, PlayerKind, RoundState, SubmissionState, Total
from xentarena.events import Event as PlayEvent

T = TypeVar("T")


class Items(BaseModel, Generic[T]):
    """A page of a list. next: the cursor of the next page, null on the last."""

    items: list[T]
    next: str | None = None


class ProblemDetail(BaseModel):
    pointer: str = Field(
        description="JSON pointer to the field of the body at fault; (query)/name, (header)/name or (path)/name where"
        " it is not in the body.",
        examples=["/move"],
    )
    detail: str
    line: int | None = Field(
        None, description="Of a game's program or a roster: the line at fault, from 1.", examples=[4]
    )
    column: int | None = Field(None, description="The character of the line, from 1.", examples=[8])
    found: str | None = Field(None, description="What stands there.", examples=["the name storyy"])
    expected: str | None = Field(None, description="What should.", examples=["a register or a function"])


class Problem(BaseModel):
    """RFC 9457. `type` is a stable name; `detail` says what is wrong and how to mend it."""

    type: str = Field(examples=["round-closed"])
    title: str = Field(examples=["Round closed"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["The round is closed."])
    errors: list[ProblemDetail] = Field(default=[], examples=[[]])
    limit: str | None = Field(None, description="Of a 429 or a used-up allowance: which limit.")
    retry_after: int | None = Field(None, description="Seconds until it is worth trying again, as in `Retry-After`.")


class Judge(BaseModel):
    identity: str = Field(description="Digest of weights, tokenizer, config, direction and compute type.")
    name: str
    context: int = Field(description="Tokens it reads at once, the beginning-of-text token included.")
    direction: Literal["forward", "backward"]
    dtype: str
    build: str = Field(description="What computed it first: device, CPU capability, torch version.")
    workers: int = Field(description="Live workers that serve it now.")
    measurements_per_second: float | None = Field(description="By all of them; null until one of them has tried.")
    class_size: int | None = Field(description="Players who can each move every 20 seconds without waiting for others.")
    private: bool = Field(description="Not to be used by free measurements.")


class Game(BaseModel):
    digest: str = Field(description="SHA-256 of the program: what a round pins.")
    name: str
    version: int = Field(description="Of those of its name; the highest that is not withdrawn is the name's.")
    packaged: bool = Field(description="Part of the server; else a host brought it.")
    title: str
    description: str = Field(description="Markdown: what a player does, and how it is scored.")
    source: str
    warnings: list[str] = Field(description="What works and is hardly meant so, with its line.")
    created_at: datetime
    withdrawn_at: datetime | None = Field(description="Since when it is in no list and for no new round.")
    passages: int = Field(description="How many passages a round of it takes.")
    seats: list[str]
    judges: list[str] = Field(description="Slots of judges besides the main one.")


class Player(BaseModel):
    id: str
    name: str
    kind: PlayerKind
    competition: str
    team: str | None = Field(None, description="The id of the team that they are in.")
    removed: bool
    pending: bool = Field(False, description="Waits for a host to let them in; until then only `/me` answers.")
    joined_at: datetime | None = None
    external_id: str | None = Field(None, description="What the host's own lists call them; hosts and observers only.")
    removal: str | None = Field(
        None, description="Of those who were removed together, what takes them back; hosts and observers only."
    )


class RosterLine(BaseModel):
    """Whom a line of a roster would add."""

    line: int
    name: str
    external_id: str | None
    team: str | None = Field(description="The name of the team; one that is not there yet is made.")


class Removal(BaseModel):
    """Players who were removed or taken back together."""

    removal: str = Field(description="Send it to `players:readmit` to take them back.")
    players: list[Player]


class Joined(BaseModel):
    token: str = Field(description="Shown this once. Send it as 'Authorization: Bearer …'.")
    player: Player


class Competition(BaseModel):
    id: str
    name: str
    code: str | None = Field(description="The join code; hosts and observers only.")
    bots: BotPolicy
    free_measurements: bool
    lab: bool = Field(True, description="Whether its host has left the lab open to players.")
    closed_experiments: list[LabExperiment] = Field([], description="Those of the lab that are closed to players.")
    total: Total
    joining: Joining = Field(Joining.OPEN, description="Who may join by the code.")
    draft: bool = Field(description="Not published: nobody can join.")
    last_event: int = Field(description="Number of the newest event of its feed.")
    frozen_at: datetime | None = Field(
        None, description="Since when all but hosts and observers see the boards as they were; null: as they are."
    )
    created_at: datetime


class Host(BaseModel):
    id: str
    name: str
    scope: str = Field(description="'host' or 'observer'.")
    competition: str | None = Field(description="The only one that it is good for; null: those that the host makes.")
    created_at: datetime


class IssuedHost(BaseModel):
    token: str = Field(description="Shown this once. Send it as 'Authorization: Bearer …'.")
    host: Host


class HouseSeat(BaseModel):
    bot: str | None = Field(description="Null where the house says fixed texts.")
    texts: list[str] | None = Field(description="Hosts and observers only; null for all others.")


class Round(BaseModel):
    id: str
    competition: str
    number: int
    game: str
    title: str = Field(description="The host's, or the game's where the host gave it none.")
    game_title: str = Field(description="The game's own.")
    draft: bool = Field(description="Not published: only hosts see it.")
    digest: str
    seats: list[str] = Field(description="Those that players take. With several, plays begin by a challenge.")
    house: dict[str, HouseSeat] = Field({}, description="The game's other seats, and who answers for them.")
    passages: list[str] = Field(
        description="Empty for players until the round opens, and where the game shows them only what it reveals."
    )
    opening: "Awaits | None" = Field(
        None,
        description="What a play's first move is asked for, and all that is shown before it. Null until the round"
        " opens, and where something is measured before the first move: begin a play to see it.",
    )
    generated: list[str] = Field([], description="What a judge wrote for the round; hosts and observers only.")
    trouble: str | None = Field(None, description="Why the round could not be prepared; opening it tries again.")
    revealed: "Reveal | None" = Field(None, description="What players may see of each other's moves; null: nothing.")
    closed_because: str | None = Field(
        None, description="Why a closed round cannot go on: its judge is not part of this version."
    )
    move_seconds: int | None = Field(None, description="The move clock.")
    judges: dict[str, str] = Field(description="Slot → identity; the main judge's slot is 'main'.")
    second_judge: str | None = Field(None, description="Its identity. Players see it once the moves are revealed.")
    profile: str
    state: RoundState
    opens_at: datetime | None
    closes_at: datetime | None
    duration: int | None = Field(description="Seconds from its opening to its end, where the host said it so.")
    closed_at: datetime | None = Field(description="When it ended, if it has.")
    attempts: int | None
    attempts_left: int | None = Field(description="Of the caller; null where there is no limit.")
    warnings: list[RoundWarning] = Field(
        [], description="What its hosts may not have meant; nothing is refused because of it. Hosts only."
    )


class Awaits(BaseModel):
    """A move that is awaited."""

    seat: str
    register_: str | None = Field(None, alias="register", description="Null for whoever does not see it.")
    limit: int | None = Field(None, description="The most tokens of the main judge that are kept.")
    registers: dict[str, str | list[str]] = Field({}, description="Those that the player may see, by name.")
    events: list[PlayEvent] = Field([], description="What was shown so far.")
    due_at: datetime | None = Field(None, description="When the move clock runs out.")


class Preview(BaseModel):
    """What the rules say of a move before it is made."""

    tokens: int = Field(description="Of the main judge, in the move as it was sent.")
    limit: int = Field(description="The most tokens that are kept.")
    kept: str = Field(description="What the limit leaves of the move.")
    events: list[PlayEvent] = Field(description="What the player would be told next, as a submission has it.")
    refused: bool = Field(description="A condition would fail: the move would be asked for again.")
    reason: "Reason | None" = Field(None, description="Why the play would end, where it would end without a score.")
    after_scoring: bool = Field(
        description="More depends on bits, or on what only making the move tells: it is not told before."
    )


class Challenge(BaseModel):
    """A play that waits for players."""

    id: str
    round: str
    taken: dict[str, "BoardPlayer"] = Field(description="Seat → who has it.")
    free: list[str]
    invited: "BoardPlayer | None" = Field(description="The only one who may take it up; null: anybody may.")
    since: datetime
    until: datetime | None = Field(description="When it runs out; null in one that is older than this limit.")


class Reason(BaseModel):
    type: str = Field(examples=["too_long"])
    detail: str
    line: int | None = None
    column: int | None = None


class Submission(BaseModel):
    """A participant's seat in a play. States: awaiting_move, awaiting_opponent, queued, then one of scored, rejected,
    void, failed."""

    id: str
    round: str
    play: str
    seat: str
    seats: dict[str, "BoardPlayer | None"] = Field(description="Who plays in which seat; null: still free.")
    player: str
    state: SubmissionState
    place: int | None = Field(description="Measurements before this one's in the judge's queue, and one.")
    expected_wait_s: float | None = Field(description="Null where no worker serves the judge.")
    bits: float | None = Field(description="The score: millibits / 1000.")
    rewards: dict[str, float]
    events: list[PlayEvent] = Field(
        description="What happened in the play, as the engine tells it, as far as this seat may see it."
    )
    awaits: Awaits | None = Field(description="The move that is awaited, by whoever's turn it is.")
    reason: Reason | None
    judge: str
    profile: str
    build: str | None
    engine: str
    hidden: bool
    practice: bool = Field(description="Made after the round had ended: on no board, and no attempt.")
    accepted_at: datetime
    finished_at: datetime | None


class BatchResult(BaseModel):
    """One item's outcome: a submission or a problem."""

    status: int
    submission: Submission | None = None
    problem: Problem | None = None


class BoardPlayer(BaseModel):
    id: str
    name: str
    kind: PlayerKind


class Reveal(BaseModel):
    which: Which
    names: bool


class RevealedMove(BaseModel):
    """What a player wrote, as others may see it."""

    id: str = Field(description="To look at it with its events: `/rounds/{round_id}/moves/{move_id}`.")
    rank: int = Field(description="On the board of its player's kind.")
    kind: PlayerKind
    bits: float
    moves: list[str]
    player: BoardPlayer | None = Field(description="Null where the host reveals no names.")
    submission: str | None = Field(description="As on the board; null without names.")


class RevealText(BaseModel):
    """Words that a reveal would show, or that are hidden; once, however many wrote them."""

    id: str
    moves: list[str]
    bits: float
    players: int = Field(description="Whose best move it is, or of how many it is hidden.")
    hidden: bool
    submissions: list[str] = Field(
        description="All of the round with these words, to be hidden together: `/rounds/{round_id}/submissions:hide`."
    )


class RevealedPlay(RevealedMove):
    seat: str
    events: list[PlayEvent] = Field(description="What happened in the play, as its player saw it.")


class Rating(BaseModel):
    """How strong a player is, from who beat whom in a round of a zero-sum game."""

    value: float = Field(description="What ranks: mu - 3 sigma, in thousandths.", examples=[3.438])
    mu: float = Field(description="The estimate; 25 to begin with.", examples=[27.635])
    sigma: float = Field(description="How unsure it is.", examples=[8.066])
    plays: int = Field(description="How many plays it rests on.", examples=[1])


class BoardEntry(BaseModel):
    rank: int
    player: BoardPlayer
    bits: float = Field(description="The best score; in a rated round it does not rank, and is 0 where there is none.")
    submission: str | None = Field(description="The one with the best score; null on a board over several rounds.")
    rating: Rating | None = Field(description="What ranks in a round of a zero-sum game; null in others.")
    total: float | None = Field(
        None, description="What ranks on a board over several rounds, where `bits` is their plain sum; null on others."
    )


class TeamName(BaseModel):
    id: str
    name: str


class Team(TeamName):
    players: int = Field(description="How many are in it.")


class TeamEntry(BaseModel):
    rank: int
    team: TeamName
    value: float = Field(
        description="What ranks: in a round the bits of its best player, or the rating where players are rated;"
        " over several rounds what the competition's `total` adds up."
    )


class Announcement(BaseModel):
    """A line that a host tells everyone in a competition."""

    id: str
    competition: str
    text: str
    made_at: datetime
    withdrawn_at: datetime | None = Field(description="Since when nobody is shown it any more.")


class Event(BaseModel):
    number: int
    type: str = Field(examples=["standing.changed"])
    at: datetime
    data: dict[str, Any]


class Events(BaseModel):
    items: list[Event]
    last: int = Field(description="Ask for everything after this number next time.")


class TokenBits(BaseModel):
    text: str
    bits: float
    base: float = Field(description="Bits of the same token without the prefix.")


class Measurement(BaseModel):
    id: str
    judge: str
    profile: str
    prefix: str
    text: str
    state: Literal["pending", "known", "failed"]
    bits: float | None = Field(description="Of the text after the prefix.")
    base: float | None = Field(description="Of the text alone.")
    saved: float | None = Field(description="base - bits.")
    tokens: list[TokenBits]
    build: str | None
    failure: str | None


class Readiness(BaseModel):
    ready: bool
    database: bool
    redis: bool
    troubles: list[str] = Field(description="What keeps it from being ready, in words.")
    judges: Mapping[str, "JudgeReadiness"]


class JudgeReadiness(BaseModel):
    name: str
    workers: int
    queue: int


class SigningKey(BaseModel):
    id: str = Field(description="SHA-256 of the public key, in hex: what a receipt calls `key`.")
    algorithm: str = Field(examples=["Ed25519"])
    public_key: str = Field(description="32 bytes, in hex.")
    created_at: datetime
