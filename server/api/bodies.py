"""What a body of a request may be: a pydantic model for each, strict about its fields."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from games.protocol import HouseSeat
from games.runtime.house import BOTS, TEXTS
from judge.methods import USUAL
from judge.profiles import ARENA, Profile
from server.arena.games import DEFAULT
from server.arena.reveals import Which
from server.arena.round_setup import LEAST_MOVE_SECONDS, MOST_MOVE_SECONDS
from server.db.states import BotPolicy, Joining, LabExperiment, PlayerKind, Total

MoveText = Annotated[
    str, Field(description="What the player says. At most 8,192 bytes of UTF-8.", examples=["sea ship"])
]
Practice = Annotated[bool, Field(strict=True, description="Play in a round that has ended; it counts nowhere.")]
#: A name or a key, as a program would write it: no control characters.
Label = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GameRequest(Request):
    source: str = Field(
        description="The program, at most 64 KB of UTF-8.",
        examples=["# Sequel\n#\n# Write what goes on from the passage.\n\nelicit(x, 10)\nreward(xed(x | story()))\n"],
    )
    name: Label | None = Field(
        None,
        description="Small letters, digits, '_' and '-'; if absent, made of the title. A changed program under a name"
        " that is there becomes its newest version.",
        examples=["sequel"],
    )


class HostRequest(Request):
    name: str = Field(max_length=256, examples=["Ms Byron"])


class ServerRetentionRequest(Request):
    days: int | None = Field(
        description="How many days after its end the players of a competition are kept, 1 to 3,650; null: for good.",
        examples=[90],
    )


class RetentionRequest(ServerRetentionRequest):
    days: int | None = Field(
        None, description="How many days after its end players are kept, 1 to 3,650; null: for good.", examples=[90]
    )
    as_server: bool = Field(False, description="As the server's owner has it; without `days` then.")


class TeamRequest(Request):
    name: str = Field(max_length=256, examples=["The owls"])


class SpreadRequest(Request):
    count: int = Field(description="So many teams there are then, at least: 1 to 100.", examples=[6])


class PlayerTeamRequest(Request):
    team: str | None = Field(max_length=64, description="The team's id; null: none.", examples=["tea_5a1c0e8f72b3d946"])


class InviteRequest(HostRequest):
    scope: Literal["host", "observer"] = Field(
        "host", description="Observers see what hosts see, and change nothing.", examples=["observer"]
    )


class JoinRequest(Request):
    code: str = Field(max_length=64, examples=["K7QWPX"])
    name: str = Field(max_length=256, examples=["Ada"])
    kind: PlayerKind = Field(PlayerKind.PERSON, description="Programs say 'bot'.")


class DeletionRequest(Request):
    name: str = Field(
        max_length=256, description="The player's name, so that it is not the wrong one.", examples=["Ada"]
    )


TOTALS = (
    "What the board over all rounds adds up for every player's best: 'bits' as they are, 'floored' at 0, 'points' (n -"
    " rank + 1 among n who stand in the round), or 'percent' of the passage's bits saved, 0 where a game is not"
    " about that."
)


class CompetitionRequest(Request):
    name: str = Field(max_length=256, examples=["Thursday class"])
    bots: BotPolicy = Field(BotPolicy.SEPARATE, description="No bots, a board of their own, or one board for all.")
    free_measurements: bool = Field(
        False, strict=True, description="Let players measure freely although a round counts attempts."
    )
    total: Total = Field(Total.FLOORED, description=TOTALS)
    draft: bool = Field(False, strict=True, description="Nobody can join before it is published.")


class CompetitionChange(Request):
    """What is left out stays as it is."""

    total: Total | None = Field(None, description=TOTALS)
    joining: Joining | None = Field(
        None,
        description="Who may join by the code: everybody ('open'), nobody ('locked'), or everybody, but they wait"
        " until a host lets them in ('approval').",
    )
    lab: bool | None = Field(None, strict=True, description="Whether players may use the lab.")
    closed_experiments: list[LabExperiment] | None = Field(
        None,
        max_length=len(LabExperiment),
        description="The experiments of the lab that are closed to players; all others are open while the lab is.",
        examples=[["sampling"]],
    )


class NameRequest(Request):
    name: str = Field(max_length=256, examples=["Ada L."])


class ReadmitRequest(Request):
    name: str | None = Field(None, max_length=256, description="Another name, where theirs is taken by now.")


class RemovalRequest(Request):
    joined_since: AwareDatetime = Field(
        description="Remove all who joined from this moment on, as `joined_at` tells it.",
        examples=["2026-01-31T10:02:00Z"],
    )
    joined_until: AwareDatetime | None = Field(None, description="And not after this one.")


class UndoRequest(Request):
    removal: Label = Field(description="What `players:remove` answered with.", examples=["rmv_0f3c5b7a9d1e2f4a"])


#: A hundred years is more than anybody waits.
Seconds = Annotated[int, Field(ge=1, le=3_155_760_000, strict=True)]


class HouseSeatFields(Request):
    texts: list[str] = Field([], max_length=TEXTS, description="Said in turn, and from the first again.")
    bot: Label = Field("", description=f"Where there are no texts: {' or '.join(BOTS)}.", examples=["key_words"])


class RoundFields(Request):
    game: Label = Field(DEFAULT, description="Name or digest of a game.", examples=["condense"])
    title: Annotated[str, Field(max_length=256)] | None = Field(
        None, description="Shown instead of the game's title, with that beside it.", examples=["Warming up"]
    )
    judge: Label | None = Field(
        None, description="Name or identity of the main judge; if absent, what a live worker serves."
    )
    judges: dict[str, Label] = Field(default={}, description="Slot of the program → name or identity.", examples=[{}])
    second_judge: Label | None = Field(
        None,
        description="Name or identity of a judge that measures every play too, aside: players see what it says once the"
        " moves are revealed.",
    )
    profile: Profile = ARENA
    attempts: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = Field(
        None, description="How often a player may submit; null: as often as they like."
    )
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    duration: Seconds | None = Field(
        None, description="Seconds from its opening to its end, where `closes_at` does not say that."
    )
    seed: Annotated[Label, Field(max_length=128)] | None = Field(
        None, description="Where sample() and shuffle() draw from, and what a judge writes for the game."
    )
    move_seconds: Annotated[int, Field(ge=LEAST_MOVE_SECONDS, le=MOST_MOVE_SECONDS, strict=True)] | None = Field(
        None,
        description="The move clock: whose move is not there in time has left the play. If absent: 300 where a game has"
        " several seats, none where it has one.",
    )
    house: dict[str, HouseSeatFields] = Field(
        default={}, description="Seats that no player takes: seat → who answers for it.", examples=[{}]
    )

    def said(self, *, given_only: bool = False) -> dict[str, Any]:
        """The fields of `NewRound`; given_only: those that the request has."""
        told = self.model_dump(exclude_unset=given_only)
        if "house" in told:
            told["house"] = {seat: HouseSeat(tuple(each.texts), each.bot) for seat, each in self.house.items()}
        return told


PASSAGES = [["The tide came in over the flats before the boats were home."]]


class RoundRequest(RoundFields):
    passages: list[str] = Field(max_length=64, examples=PASSAGES)
    draft: bool = Field(False, strict=True, description="Only hosts see it, until it is published or opened.")


class RoundChange(RoundFields):
    """What is to be another now. What is left out stays."""

    passages: list[str] = Field([], max_length=64, examples=PASSAGES)


class OpenRequest(Request):
    closes_at: AwareDatetime | None = Field(None, description="When it closes; null: as it was, if that is not past.")


class ProlongRequest(Request):
    seconds: Seconds = Field(description="How much later it ends.", examples=[300])


class MoveRoundRequest(Request):
    number: int = Field(ge=1, strict=True, description="Of the round whose place it takes.", examples=[1])


class DuplicateRequest(Request):
    name: str = Field(max_length=256, description="Of the new competition.", examples=["Friday class"])


class MoveRequest(Request):
    move: MoveText


class SubmissionRequest(MoveRequest):
    practice: Practice = False


class BeginRequest(Request):
    practice: Practice = False


class PreviewRequest(SubmissionRequest):
    submission: Label | None = Field(None, description="The play to move on in; if absent, a new one.")


class ChallengeRequest(Request):
    seat: Label | None = Field(None, description="The seat to play; if absent, the first free one.", examples=["black"])
    invite: Label | None = Field(
        None, description="Id or name of the only player who may take it up; if absent, anybody may."
    )


class AcceptRequest(Request):
    seat: Label | None = Field(None, description="The seat to play; if absent, the first free one.", examples=["white"])


class BatchItem(SubmissionRequest):
    key: Annotated[Label, Field(min_length=1)] | None = Field(
        None, description="This item's Idempotency-Key.", examples=["item-1"]
    )


class BatchRequest(Request):
    items: list[BatchItem] = Field(
        min_length=1, max_length=32, examples=[[{"move": "sea ship", "key": "item-1"}, {"move": "harbour"}]]
    )


class RevealRequest(Request):
    which: Which = Field(description="`below_own_best`: of those with no more bits than one's own.", examples=["top"])
    names: bool = Field(False, strict=True, description="Say who wrote what.")


class SubmissionsRequest(Request):
    submissions: list[str] = Field(min_length=1, max_length=1_000, examples=[["sub_8f3a0c", "sub_91bd22"]])


class AnnouncementRequest(Request):
    text: str = Field(
        max_length=4_096,
        description="One line of at most 280 characters.",
        examples=["Five minutes left. Try shorter words!"],
    )


class JudgeRequest(Request):
    judge: Label | None = Field(
        None, description="Name or identity; if absent, what a live worker serves.", examples=["pocket"]
    )


class ReadingRequest(JudgeRequest):
    prefix: str = Field("", examples=["ships at sea"])
    text: str = Field(description="With the prefix at most 512 tokens.", examples=["The tide came in."])
    profile: Profile = ARENA


class SampleRequest(JudgeRequest):
    prefix: str = Field(
        description="What is to be gone on with; with what is written at most 256 tokens.",
        examples=["The tide came in over"],
    )
    methods: list[str] = Field(
        [*USUAL],
        max_length=64,
        description="greedy, sampling, beam=4; or, joined by commas, temperature=0.7, top-k=40, top-p=0.9, min-p=0.1,"
        " typical=0.9.",
        examples=[["greedy", "top-p=0.9"]],
    )
    tokens: int = Field(20, description="How many tokens are written, 1 to 64.", examples=[12])
    seed: int = Field(0, ge=0, lt=2**53, description="What the draws come from.")


class PassagesRequest(JudgeRequest):
    prefix: str = Field(description="What stands before each text.", examples=["ships at sea"])
    other: str = Field("", description="Another prefix to compare it with; empty: none.", examples=["a list of taxes"])
    texts: list[str] = Field(
        max_length=64,
        description="2 to 40; each with either prefix at most 512 tokens, all that is read at most 8,192.",
        examples=[["The tide came in.", "The boats were home before the storm."]],
    )


class AnswersRequest(JudgeRequest):
    question: str = Field(examples=["Do ships sail on the sea?"])
    answers: list[str] = Field(
        max_length=64, description="2 to 6 that are allowed, each another.", examples=[["Yes", "No"]]
    )


class PairRequest(JudgeRequest):
    first: str = Field(examples=["Fire is hot."])
    second: str = Field(description="One that differs in little.", examples=["Fire is cold."])


class MeasurementRequest(JudgeRequest):
    prefix: str = Field("", examples=["ships at sea"])
    text: str = Field(examples=["The tide came in."])
    profile: Profile = ARENA
