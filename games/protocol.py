"""What the engine works on and what it hands back.

The engine never acts. It returns one of four effects, and whoever holds the play acts on it (``work`` says how many
units of work it took, ``moves`` is the play's log of moves with those that the house has made since):

* ``NeedMove``: a player must say something;
* ``NeedBits``: these texts must be measured;
* ``NeedText``: a judge must write something (only while a round is made);
* ``Finished``: the play is over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from games.values.bits import TermToken, TokenBits

#: The slot of a round's main judge: what a measurement without ``judge="…"`` asks.
MAIN = "main"

#: How a judge is asked: every token scored, or the first left out as the public benchmark's version 0.5 does.
ARENA = "arena"
XENT_05 = "xent-0.5"
PROFILES = (ARENA, XENT_05)


@dataclass(frozen=True, slots=True, order=True)
class Measurement:
    """A question to a judge: the bits of each token of ``text`` after ``prefix``.

    judge: a slot of the round (``MAIN`` or the name in ``judge="…"``), not yet a judge's identity.
    profile: how the judge is asked, one of ``PROFILES``.
    """

    judge: str
    profile: str
    prefix: str
    text: str


#: Where each token of a text ends; see ``JudgeFacts``.
Ends = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class JudgeFacts:
    """What the rules need to know of a judge; all of it pure.

    ends: for each token of a text, the number of characters complete after it. Never decreasing, one entry a
        token; a token that ends inside a character repeats the offset before that character.
    context: the most tokens (beginning-of-text token, prefix and text together) that the judge reads at once.
    direction: ``forward``, or ``backward`` for a judge that reads from right to left; its *first* token, the one
        next to the beginning, is then the last in reading order.
    """

    ends: Ends
    context: int
    direction: str = "forward"


@dataclass(frozen=True, slots=True)
class HouseSeat:
    """Who answers for a seat that nobody takes. texts: these, in turn, and after the last from the first again. bot: a
    name of ``games.runtime.house.BOTS``, where there are none."""

    texts: tuple[str, ...] = ()
    bot: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is fixed when a round is made.

    passages: what ``story()`` stands for, by occurrence. seed: where ``sample`` and ``shuffle`` draw from.
    judges: slot → facts; ``MAIN`` is always there. profile: how judges are asked by default.
    generated: what a judge wrote for ``generate…`` while the round was made, in the order that
    ``games.runtime.generation.needed`` asked for it. house: seat → who answers for it, of those that nobody takes.
    """

    passages: tuple[str, ...]
    seed: str
    judges: Mapping[str, JudgeFacts]
    profile: str = ARENA
    generated: tuple[str, ...] = ()
    house: Mapping[str, HouseSeat] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A text as the player sent it, before any cut; or, where a play is scored again under another judge, as it counted
    in the play. cut: was it longer then? None: as it was sent."""

    seat: str
    text: str
    cut: bool | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """All that happened in a play: the moves in order, and every measurement known so far (bits per token)."""

    moves: tuple[Move, ...] = ()
    bits: Mapping[Measurement, Sequence[float]] = field(default_factory=dict)


class Status(StrEnum):
    """How a play ended. Scored and rejected are the player's doing, void is the game author's."""

    SCORED = "scored"
    REJECTED = "rejected"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a play ended without a score.

    type: ``ensure_limit``, ``no_value`` or ``too_long`` (rejected; void after a move of the house, and where its words
    alone are to blame); ``budget``, ``run_time`` or ``too_long`` (void: texts that no move flowed into). line, column:
    1-based, of the source.
    """

    type: str
    detail: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A player is asked for a text of at most ``limit`` tokens. line: of the program, 1-based, here as everywhere."""

    type: ClassVar[str] = "ask"
    seat: str
    register: str
    limit: int
    line: int


@dataclass(frozen=True, slots=True)
class MoveMade:
    """A player's text, as it counts. cut: was it longer?"""

    type: ClassVar[str] = "move"
    seat: str
    register: str
    text: str
    cut: bool
    line: int


@dataclass(frozen=True, slots=True)
class ShownBits:
    """Bits that a player is shown; those of the tokens add up to ``bits``."""

    bits: float
    tokens: tuple[TokenBits, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A value that a player is shown. register: where it is just what one holds."""

    register: str | None
    value: "str | int | float | bool | tuple[str, ...] | ShownBits"


@dataclass(frozen=True, slots=True)
class Reveal:
    type: ClassVar[str] = "reveal"
    seat: str
    line: int
    values: tuple[Shown, ...]


#: What stands on a side of a comparison; None where there is none, or where the player may not be told.
Side = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Why:
    """Why a condition did not hold, for a sentence about it.

    unit: what is counted: cost, saving, bits, words, tokens, characters, items, number, text. sign: how `found` should
    stand to `wanted`; "in" and "not in" of a text that has to be there or not; "outside" where `outside` holds what is
    not allowed; "spelled" where a text has to spell a number.
    """

    unit: str
    sign: str
    found: int | float | None = None
    wanted: int | float | str | None = None
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnsureFailed:
    """A condition did not hold, and the player is asked again. condition: as the author wrote it. left, right: what was
    compared. failures: how often in a row this line has failed. say: the author's words for it, where there are any.
    why: what can be told where there are none."""

    type: ClassVar[str] = "ensure_failed"
    seat: str
    line: int
    condition: str
    left: Side
    right: Side
    failures: int
    say: str | None = None
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """What a reward was made from: a call of ``xent``, ``nex``, ``xed`` or ``dex`` that measured something.

    factor: how many times it went into the reward. judge: a slot. prefix_before: what the text stood behind at first,
    None where the function asks once; prefix_after: then. The reward's bits are the sum, over terms and their tokens,
    of factor times the token's bits, but for what ``min`` and ``max`` brought in as plain numbers.
    """

    function: str
    factor: float
    judge: str
    text: str
    prefix_before: str | None
    prefix_after: str
    tokens: tuple[TermToken, ...]


@dataclass(frozen=True, slots=True)
class Reward:
    """What a player gains or loses. tokens: what each gave, the terms on one text added up. terms: see ``Term``; none
    where nothing was measured. Neither is there where a play's rewards would repeat too much text
    (``limits.REWARD_CHARACTERS``). label: what the author calls it, where they do."""

    type: ClassVar[str] = "reward"
    seat: str
    bits: float
    tokens: tuple[TokenBits, ...]
    line: int
    terms: tuple[Term, ...] = ()
    label: str | None = None


Event = Ask | MoveMade | Reveal | EnsureFailed | Reward


@dataclass(frozen=True, slots=True)
class NeedMove:
    """The play waits for ``seat``.

    limit: the most tokens of the main judge that will be kept. registers: those the player may see, by name,
    as texts or lists of texts.
    """

    seat: str
    register: str
    limit: int
    registers: Mapping[str, str | list[str]]
    events: tuple[Event, ...]
    work: int = field(default=0, compare=False)
    moves: tuple[Move, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class NeedBits:
    """The play waits for these measurements: distinct, in the order the program asked for them."""

    measurements: tuple[Measurement, ...]
    events: tuple[Event, ...]
    work: int = field(default=0, compare=False)
    moves: tuple[Move, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class NeedText:
    """The round being made waits for a text of the main judge.

    prompt: what the judge continues (``""``: it starts on its own). tokens: the most tokens to write. seed: where
    its draws come from; the same seed, prompt and judge give the same text.
    """

    prompt: str
    tokens: int
    seed: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The play is over.

    rewards: seat → bits (float64, not rounded) for every played seat; empty unless scored.
    """

    status: Status
    rewards: Mapping[str, float]
    events: tuple[Event, ...]
    reason: Reason | None = None
    work: int = field(default=0, compare=False)
    moves: tuple[Move, ...] = field(default=(), compare=False)


Effect = NeedMove | NeedBits | Finished
