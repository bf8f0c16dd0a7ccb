"""One play while it is replayed: registers, budgets, events, and what is known and unknown so far.

A ``Play`` lives for one call of ``replay`` and is never stored. It is the one thing here that changes.
"""

from collections.abc import Mapping, Sequence
from math import isfinite

from games import limits
from games.errors import LogError
from games.protocol import XENT_05, Event, Finished, Log, Measurement, Move, NeedBits, NeedMove, Reason, Setup, Status
from games.runtime import house, rng
from games.runtime.costs import copied, shown_size
from games.sentences import counted
from games.syntax.names import REGISTERS, is_list
from games.values.bits import NOTHING, Bits, Measured, TermToken, Tokens
from games.values.text import EMPTY, PLAYER, Text, Texts

_START: Mapping[str, Text | Texts] = {name: () if is_list(name) else EMPTY for name in REGISTERS}


class Suspended(Exception):
    """The play cannot go on: a move or measurements are needed."""

    def __init__(self, effect: NeedMove | NeedBits) -> None:
        self.effect = effect


class PlayEnded(Exception):
    """The play is over before its last line. The innermost expression that knows its location adds it."""

    def __init__(self, status: Status, type: str, detail: str) -> None:
        self.status = status
        self.type = type
        self.detail = detail
        self.line: int | None = None
        self.column: int | None = None

    def at(self, line: int, column: int) -> "PlayEnded":
        if self.line is None:
            self.line, self.column = line, column
        return self


def out_of_budget(budget: str, limit: int) -> PlayEnded:
    return PlayEnded(Status.VOID, "budget", f"the play went over its budget of {limit:,} {budget}")


def run_time_error(detail: str) -> PlayEnded:
    return PlayEnded(Status.VOID, "run_time", detail)


class NoValue(PlayEnded):
    """What cannot be computed of a move: in a condition it fails, anywhere else it ends the play."""


def no_value(detail: str, *, from_move: int) -> PlayEnded:
    """Raised by what has no value, by the player's fault, the house's or the program's."""
    return NoValue(blamed(from_move), "no_value", detail) if from_move else run_time_error(detail)


def blamed(from_move: int) -> Status:
    """How a play ends that cannot go on with a text into which these moves have flowed."""
    return Status.REJECTED if from_move & PLAYER else Status.VOID


class Play:
    """What a play is made of while it is replayed."""

    __slots__ = (
        "answers",
        "asked",
        "bits",
        "complete_events",
        "draws",
        "ends_of",
        "events",
        "failures",
        "flags",
        "generated",
        "line",
        "lines",
        "measured_characters",
        "measures",
        "moves",
        "named",
        "registers",
        "replays",
        "return_seat",
        "return_to",
        "revealed",
        "rewarded",
        "rewards",
        "said",
        "setup",
        "shown_characters",
        "term_tokens",
        "tokens_of",
        "unknown",
        "used",
        "work",
    )

    def __init__(self, seats: Sequence[str], named: Sequence[str], setup: Setup, log: Log) -> None:
        """seats: those that play, as the program seats them. named: the registers that the program names."""
        self.named = named
        self.setup = setup
        self.moves = log.moves
        self.bits = log.bits
        self.registers = dict(_START)
        self.rewards = dict.fromkeys(seats, 0.0)
        self.generated: Sequence[Text | Texts] = ()
        self.revealed: dict[str, frozenset[str]] = {}
        #: (seat, text) of each move, as it counts.
        self.said: set[tuple[str, str]] = set()
        self.events: list[Event] = []
        #: How many events are complete: the first reward that waits for bits, and all after it, are not shown yet.
        self.complete_events: int | None = None
        self.unknown: dict[Measurement, None] = {}
        self.asked: set[Measurement] = set()
        #: (slot, profile, prefix, text, without the first token?) → what is known.
        self.answers: dict[tuple[str, str, str, str, bool], Measured] = {}
        #: (function, slot, first token?, preprompt, text) → what ``xent`` or ``xed`` is, once it is known.
        self.measures: dict[tuple[str, str, bool | None, Text, Text], Bits] = {}
        #: (function, its bits before and after, by identity) → the tokens of a reward's term.
        self.term_tokens: dict[tuple[str, int, int], tuple[TermToken, ...]] = {}
        self.ends_of: dict[tuple[str, str], tuple[int, ...]] = {}
        self.tokens_of: dict[tuple[str, str, bool], Tokens] = {}
        self.failures: dict[int, int] = {}
        self.replays: dict[int, int] = {}
        self.flags: dict[str, int] = {}
        self.return_to = 0
        self.return_seat = ""
        self.line = self.lines = self.used = self.draws = self.work = 0
        #: Characters: of what is shown, of what the rewards repeat, of what is measured.
        self.shown_characters = self.rewarded = self.measured_characters = 0

    # Budgets

    def spend(self, units: int) -> None:
        """Counts work and stops where it is too much. (Small constant costs are added to ``work`` directly, and
        looked at with the next line.)"""
        self.work += units
        if self.work > limits.WORK:
            raise out_of_budget("units of work", limits.WORK)

    def show(self, *texts: str, tokens: int = 0) -> None:
        """Counts what the events of the play repeat, and stops where it is too much."""
        self.shown_characters += shown_size(texts, tokens)
        if self.shown_characters > limits.SHOWN_CHARACTERS:
            raise out_of_budget("characters shown", limits.SHOWN_CHARACTERS)

    def text(self, text: str, from_move: int = 0) -> Text:
        """A new text without a prefix, within the budget of characters."""
        self.check_length(len(text))
        return Text(text, "", from_move)

    def check_length(self, characters: int) -> None:
        """Ends the play where a text of so many would be too long."""
        if characters > limits.TEXT_CHARACTERS:
            raise out_of_budget("characters in one text", limits.TEXT_CHARACTERS)

    def texts(self, items: Texts) -> Texts:
        """The list, if it is within its budgets."""
        if len(items) > limits.LIST_ITEMS:
            raise out_of_budget("items in one list", limits.LIST_ITEMS)
        if sum([len(item.text) + len(item.prefix) for item in items]) > limits.LIST_CHARACTERS:
            raise out_of_budget("characters in one list", limits.LIST_CHARACTERS)
        return items

    def passes(self, conditions: Sequence[bool]) -> bool:
        """Does an ``ensure`` with these results let the play go on?"""
        return all(conditions)

    def next_move(self, seat: str, seen: Sequence[str], limit: int) -> Move | None:
        """The next move of the log, which is one of this seat; the house's where it has the seat and has not moved yet;
        None where it is still to come. seen: the registers that the seat sees. limit: in tokens."""
        if self.used == limits.MOVES:
            raise out_of_budget("moves", limits.MOVES)
        if seat in self.setup.house and (self.used == len(self.moves) or self.moves[self.used].seat != seat):
            move = Move(seat, self._said_by_house(seat, seen, limit))
            self.moves = (*self.moves[: self.used], move, *self.moves[self.used :])
        if self.used == len(self.moves):
            return None
        move = self.moves[self.used]
        self.used += 1
        if move.seat != seat:
            raise LogError(f"move {self.used} of the log is {move.seat}'s, and {seat} is asked")
        return move

    def _said_by_house(self, seat: str, seen: Sequence[str], limit: int) -> str:
        shown = [self.plain(name) for name in seen]
        texts = [text for each in shown for text in ([each] if isinstance(each, str) else each)]
        self.spend(sum(map(len, texts)))
        number = sum(move.seat == seat for move in self.moves[: self.used])
        again = bool(self.events[:-1]) and self.events[-2].type == "ensure_failed"
        return house.said(self.setup.house[seat], house.Turn(seat, texts, limit, number, again, seed=self.setup.seed))

    def plain(self, register: str) -> str | list[str]:
        """What a register holds, as players are shown it."""
        value = self.registers[register]
        return value.text if isinstance(value, Text) else [item.text for item in value]

    # What the judges say

    def ends(self, slot: str, text: str) -> tuple[int, ...]:
        """Where each token of the text ends, by the judge of the slot."""
        self.work += copied(text)
        key = (slot, text)
        ends = self.ends_of.get(key)
        if ends is None:
            self.spend(15 * len(text))
            ends = self.ends_of[key] = tuple(self.setup.judges[slot].ends(text))
        return ends

    def tokens(self, slot: str, profile: str, text: str, leave_first: bool) -> Tokens:
        """The tokens of the text that are scored; the same object whenever the same is asked."""
        leave_first = leave_first or profile == XENT_05
        key = (slot, text, leave_first)
        tokens = self.tokens_of.get(key)
        if tokens is None:
            ends = self.ends(slot, text) if text else ()
            left_out = 1 if leave_first and ends else 0
            backward = self.setup.judges[slot].direction == "backward"
            tokens = Tokens(text, ends, 0, left_out) if backward else Tokens(text, ends, left_out, 0)
            self.tokens_of[key] = tokens
        return tokens

    def measured(self, slot: str, profile: str, text: Text, leave_first: bool) -> Measured:
        """The bits of the scored tokens of the text after its prefix, or None where they have to be asked for."""
        key = (slot, profile, text.prefix, text.text, leave_first)
        if key in self.answers:
            return self.answers[key]
        tokens = self.tokens(slot, profile, text.text, leave_first)
        count = tokens.count()
        self.spend(50 + 4 * count)
        answer: Measured = NOTHING
        if count:
            answer = self._answer(Measurement(slot, profile, text.prefix, text.text), text, tokens)
        self.answers[key] = answer
        return answer

    def _answer(self, question: Measurement, text: Text, tokens: Tokens) -> Measured:
        self.asked.add(question)
        if len(self.asked) > limits.MEASUREMENTS:
            raise out_of_budget("different measurements", limits.MEASUREMENTS)
        self.measured_characters += len(question.text) + len(question.prefix)
        if self.measured_characters > limits.MEASURED_CHARACTERS:
            raise out_of_budget("characters measured", limits.MEASURED_CHARACTERS)
        known = self.bits.get(question)
        if known is not None:
            return Bits(((tokens, _checked(question, known, tokens)),))
        self._refuse_too_long(question, text)
        self.unknown[question] = None
        return None

    def _refuse_too_long(self, question: Measurement, text: Text) -> None:
        context = self.setup.judges[question.judge].context
        length = of_others = 1
        for part, from_move in ((text.text, text.from_move), (text.prefix, text.prefix_from_move)):
            tokens = len(self.ends(question.judge, part)) if part else 0
            length += tokens
            of_others += 0 if from_move & PLAYER else tokens
        if length > context:
            by_player = of_others <= context and (text.from_move | text.prefix_from_move) & PLAYER
            detail = (
                f"the text and its prefix are {length:,} tokens long with the beginning-of-text token; "
                f"the judge {question.judge!r} reads {context:,} at once"
            )
            raise PlayEnded(blamed(by_player), "too_long", detail)

    def need_bits(self) -> Suspended:
        return Suspended(NeedBits(tuple(self.unknown), self.shown()))

    # Events, draws and the end

    def shown(self) -> tuple[Event, ...]:
        return tuple(self.events if self.complete_events is None else self.events[: self.complete_events])

    def draw(self, below: int) -> int:
        self.spend(200)
        number = rng.draw(self.setup.seed, self.draws, below)
        self.draws += 1
        return number

    def finish(self) -> Finished:
        if self.used < len(self.moves):
            extra = len(self.moves) - self.used
            raise LogError(f"the play is over, and {extra} of the log's moves were never asked for")
        return Finished(Status.SCORED, self.rewards, self.shown())

    def broken_off(self, end: PlayEnded) -> Finished:
        latest = self.moves[self.used - 1].seat if self.used else None
        status = Status.VOID if latest in self.setup.house else end.status  # no player's doing
        return Finished(status, {}, self.shown(), Reason(end.type, end.detail, end.line, end.column))


def _checked(question: Measurement, values: Sequence[float], tokens: Tokens) -> Sequence[float]:
    """The measured numbers of the scored tokens. Raises LogError where they cannot be what was asked for."""
    scored = len(tokens.ends) - (question.profile == XENT_05)
    if len(values) != scored:
        wanted, there = counted(scored, "scored token"), counted(len(values), "number")
        raise LogError(f"{question} has {wanted}, and the log {there} for it")
    numbers = tuple(map(float, values))
    if not isfinite(sum(numbers)):
        raise LogError(f"the log's bits for {question} are not finite")
    if scored == tokens.count():
        return numbers
    return numbers[tokens.skip : len(numbers) - tokens.drop]
