"""What happened in a play, as a server and `xentarena play --json` tell it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


class EventModel(BaseModel):
    """line: of the game's program, 1-based."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    line: int


class Ask(EventModel):
    """A player is asked for a text of at most `limit` tokens."""

    type: Literal["ask"]
    seat: str
    register_: str = Field(alias="register")
    limit: int


class MoveMade(EventModel):
    """A player's text, as it counts. cut: was it longer?"""

    type: Literal["move"]
    seat: str
    register_: str = Field(alias="register")
    text: str
    cut: bool


class TokenGain(BaseModel):
    """A token, and the bits that it costs or gives. text: "" for one inside a character."""

    model_config = ConfigDict(frozen=True)

    text: str
    bits: float


class ShownBits(BaseModel):
    """Bits that a player is shown. tokens: those of each, which add up to `bits`; empty where the seat may not see the
    text."""

    model_config = ConfigDict(frozen=True)

    bits: float
    tokens: tuple[TokenGain, ...]


class Shown(BaseModel):
    """A value that a player is shown. register: where it is just what one holds."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    register_: str | None = Field(alias="register")
    value: str | int | float | bool | tuple[str, ...] | ShownBits


class Reveal(EventModel):
    type: Literal["reveal"]
    seat: str
    values: tuple[Shown, ...]


Side = str | int | float | bool | tuple[str, ...] | None


class Why(BaseModel):
    """Why a condition did not hold.

    unit: what is counted (cost, saving, bits, words, tokens, characters, items, number, text). sign: how `found` should
    stand to `wanted`; "in" and "not in" of a text that has to be there or not; "outside": what is not allowed stands in
    `outside`; "spelled": it has to spell a number.
    """

    model_config = ConfigDict(frozen=True)

    unit: str
    sign: str
    found: int | float | None = None
    wanted: int | float | str | None = None
    outside: tuple[str, ...] = ()


class EnsureFailed(EventModel):
    """A condition did not hold, and the player is asked again.

    left, right: what was compared; null where the player may not be told. failures: how often in a row. say: the game's
    words for it, if it has any. why: what can be told in a sentence.
    """

    type: Literal["ensure_failed"]
    seat: str
    condition: str
    left: Side
    right: Side
    failures: int
    say: str | None = None
    why: Why | None = None


class TermToken(BaseModel):
    """before, after: what the token costs behind either prefix, in bits; before is null where the function asks once.
    bits: what the term gives of it."""

    model_config = ConfigDict(frozen=True)

    text: str
    before: float | None
    after: float
    bits: float


class Term(BaseModel):
    """What a reward was made from: a call of xent, nex, xed or dex. factor: how many times it went into the reward.

    prefix_before: what the text stood behind at first, null where the function asks once; prefix_after: then.
    """

    model_config = ConfigDict(frozen=True)

    function: str
    factor: float
    judge: str
    text: str
    prefix_before: str | None
    prefix_after: str
    tokens: tuple[TermToken, ...]


class Reward(EventModel):
    """What a player gains or loses, in bits.

    tokens: empty where the seat may not see the text. terms: empty where nothing was measured, where the seat may not
    see it all, and in plays of before there were terms. Both are empty where a play's rewards have repeated too much.
    label: what the game calls it, if it does.
    """

    type: Literal["reward"]
    seat: str
    bits: float
    tokens: tuple[TokenGain, ...]
    terms: tuple[Term, ...] = ()
    label: str | None = None


class OtherEvent(BaseModel):
    """One of a kind that a newer server has."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str


Event = Annotated[Ask | MoveMade | Reveal | EnsureFailed | Reward, Field(discriminator="type")]

_KINDS = frozenset({"ask", "move", "reveal", "ensure_failed", "reward"})


def _kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return kind if kind in _KINDS else "other"


#: The same, and whatever a newer server may add.
AnyEvent = Annotated[
    Annotated[Ask, Tag("ask")]
    | Annotated[MoveMade, Tag("move")]
    | Annotated[Reveal, Tag("reveal")]
    | Annotated[EnsureFailed, Tag("ensure_failed")]
    | Annotated[Reward, Tag("reward")]
    | Annotated[OtherEvent, Tag("other")],
    Discriminator(_kind),
]
