"""A judge asked on this machine, without a server: plays of a game, one or thousands, and one measurement.

Imports the rules and the judge, and with it PyTorch: `xentarena.play` and its like load it when they are first used.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from games.engine import Lookup, advance
from games.errors import GamesError, TextError
from games.events import to_json
from games.limits import MOVE_BYTES
from games.preflight import check_round
from games.preview import Preview as Previewed
from games.preview import preview as engine_preview
from games.program import Program
from games.protocol import (
    MAIN,
    Effect,
    Finished,
    HouseSeat,
    JudgeFacts,
    Log,
    Measurement,
    Move,
    NeedBits,
    NeedMove,
    Setup,
)
from games.runtime.generation import needed
from games.runtime.house import BOTS, TEXTS
from games.sentences import counted
from games.values.bits import millibits
from games.values.text import accept
from judge.judge import Judge, JudgeError, Pair
from judge.loading.packages.store import usual_judge
from judge.loading.source import PACKAGED
from judge.profiles import ARENA, begins_with_bos, scored_tokens
from judge.reading import USUAL_TOP
from judge.sampling import write
from judge.turns import Turn, read_turn
from judge.unforeseen import Rule, parts
from xentarena import programs
from xentarena.errors import InputError, listed
from xentarena.models import Outcome, Preview, Reason

Judges = Judge | str | Mapping[str, Judge | str]
Moves = Sequence[str] | Mapping[str, Sequence[str]]
House = Mapping[str, str | Sequence[str]]


def play(
    game: str | Path | Program,
    stories: Sequence[str] = (),
    moves: Moves = (),
    *,
    judge: Judges | None = None,
    profile: str = "arena",
    seed: str = "0",
    dtype: str = "float32",
    house: House = MappingProxyType({}),
    ask: Callable[[NeedMove], str | None] | None = None,
) -> Outcome:
    """Play a game once, from its first line to its end, or to where the moves run out.

    game: a packaged game's name, a .xent file, or a parsed program. stories: a passage for each story() of it. moves:
    those of the first seat, or seat → moves. judge: a name or a loaded `Judge`; for a game that asks several, slot →
    judge with the main one as "main"; None: the usual one. seed: what sample(), shuffle() and generate…() draw from.
    profile, dtype: how the judge is asked, and what it computes in. house: seat → what answers for it, a name of
    `games.runtime.house.BOTS` or texts that are said in turn. ask: gives the move that is needed once those of its seat
    have run out; None ends the play. Scores are bits. Raises `InputError` for anything that cannot be used.
    """
    program = game if isinstance(game, Program) else programs.find(game)
    _seats(program, moves, house)  # told before a judge is loaded, which takes seconds
    round_ = OfflineRound(program, stories, judge=judge, profile=profile, seed=seed, dtype=dtype, house=house)
    return round_.play(moves, ask=ask)


def play_many(
    game: str | Path | Program,
    stories: Sequence[str] = (),
    moves: Sequence[str | Moves] = (),
    *,
    judge: Judges | None = None,
    profile: str = "arena",
    seed: str = "0",
    dtype: str = "float32",
    house: House = MappingProxyType({}),
) -> list[Outcome]:
    """As many plays of one round as there are `moves`, their measurements in shared batches; see `play`. A move by
    itself is a play's only one."""
    how = {"profile": profile, "seed": seed, "dtype": dtype}
    return OfflineRound(game, stories, judge=judge, house=house, **how).play_many(moves)


class OfflineRound:
    """A game with its passages and its judge, to be played again and again; what was measured is kept.

    What it is made of is said as with `play`. read: tokens that the judge has read for it so far, prefixes included.
    judges: slot → judge, as loaded.
    """

    def __init__(
        self,
        game: str | Path | Program,
        stories: Sequence[str] = (),
        *,
        judge: Judges | None = None,
        profile: str = "arena",
        seed: str = "0",
        dtype: str = "float32",
        house: House = MappingProxyType({}),
    ) -> None:
        self.program = game if isinstance(game, Program) else programs.find(game)
        stories = [text_of(each, f"Passage {number}") for number, each in enumerate(listed(stories, "passages"), 1)]
        if len(stories) != self.program.passages:
            raise InputError(f"the game takes {counted(self.program.passages, 'passage')}, not {len(stories)}")
        named, seated = _slots(self.program, judge), _seated(house)
        self.read = 0
        self._profile = profile
        self._known: dict[Measurement, list[float]] = {}
        with _as_input_errors():
            self.judges = _loaded(named, profile, dtype)
            self._setup = _prepared(self.program, stories, profile, seed, self.judges, seated)

    def play(self, moves: Moves = (), *, ask: Callable[[NeedMove], str | None] | None = None) -> Outcome:
        """One play. Raises `InputError`."""
        seats = self._seats(moves)
        with _as_input_errors():
            effect = _played(self.program, self._setup, self._measured, seats, ask)
        return self._outcome(effect, seats)

    def play_many(self, moves: Sequence[str | Moves]) -> list[Outcome]:
        """As many plays as there are `moves`. Raises `InputError`, and then says of none."""
        of_each = [[each] if isinstance(each, str) else each for each in listed(moves, "moves")]
        seats = [self._seats(each, f" in moves[{number}]") for number, each in enumerate(of_each)]
        logs, effects = {number: Log() for number in range(len(seats))}, dict[int, Finished | NeedMove]()
        with _as_input_errors():
            while logs:
                wanted: dict[Measurement, None] = {}
                for number, log in list(logs.items()):
                    effect, logs[number] = _gone_on(self.program, self._setup, log, self._told, seats[number])
                    if isinstance(effect, NeedBits):
                        wanted |= dict.fromkeys(effect.measurements)
                    else:
                        effects[number] = effect
                        del logs[number]
                self._measured([*wanted])
        return [self._outcome(effects[number], each) for number, each in enumerate(seats)]

    def preview(self, move: str, moves: Moves = ()) -> Preview:
        """What the rules say of `move` after those that were made, without making it: no judge reads anything for it,
        but what `moves` need. Raises `InputError`."""
        seats = self._seats(moves)
        text = text_of(move, "The move")
        with _as_input_errors():
            effect, log = _gone_on(self.program, self._setup, Log(), self._measured, seats)
            if not isinstance(effect, NeedMove):
                raise InputError("the play is over: no further move is asked for")
            return _previewed(engine_preview(self.program, self._setup, log, self._told, effect.seat, text))

    def _seats(self, moves: Moves, where: str = "") -> dict[str, deque[str]]:
        return _seats(self.program, moves, self._setup.house, where)

    def _told(self, asked: Sequence[Measurement]) -> dict[Measurement, list[float]]:
        return {each: self._known[each] for each in asked if each in self._known}

    def _measured(self, asked: Sequence[Measurement]) -> dict[Measurement, list[float]]:
        for slot, judge in self.judges.items():
            new = [each for each in asked if each.judge == slot and each not in self._known]
            self.read += sum(judge.tokens.count(each.prefix) + judge.tokens.count(each.text) for each in new)
            self._known.update(zip(new, bits_of(judge, new), strict=True))
        return self._told(asked)

    def _outcome(self, effect: Finished | NeedMove, seats: Mapping[str, deque[str]]) -> Outcome:
        left = {"moves_left": sum(map(len, seats.values()))}
        return Outcome.model_validate({**_ended(effect), **_facts(self.judges[MAIN], self._profile), **left})


@contextmanager
def _as_input_errors() -> Iterator[None]:
    try:
        yield
    except (GamesError, JudgeError) as error:
        raise InputError(str(error)) from error


def measure(judge: Judge, prefix: str, text: str, profile: str) -> dict[str, Any]:
    """The bits of `text` after `prefix`, in all and token by token. Raises `InputError`."""
    try:
        bits = judge.measure([Pair(prefix, text, profile)])[0]
    except JudgeError as error:
        raise InputError(str(error)) from error
    spelled = judge.tokens.spelled(text)
    scored = spelled[scored_tokens(len(spelled), profile, judge.direction)]
    total = 0.0
    for value in bits:
        total += value
    tokens = [{"text": token, "bits": value} for token, value in zip(scored, bits, strict=True)]
    engine = {"name": judge.engine.name, "reason": judge.engine.reason}
    return {"bits": total, "tokens": tokens, **_facts(judge, profile), "engine": engine}


def read(
    judge: Judge,
    prefix: str,
    text: str,
    profile: str = ARENA,
    *,
    top: int = USUAL_TOP,
    rule: Rule = "above",
    bits: float | None = None,
    turn: Turn | None = None,
) -> dict[str, Any]:
    """`text` as the judge reads it after `prefix` (`read`) and, where there is a prefix, without it (`alone`), the bits
    that the prefix saves, and the parts that could not be foreseen; rule, bits: what a border is. turn: whose turn of a
    chat the text is, and the prefix what was said before; `alone` is outside the template then. Raises `InputError`.
    """
    try:
        if turn is None:
            reading = judge.read(text, prefix, profile=profile, top=top)
            alone = judge.read(text, profile=profile, top=top) if prefix else None
        else:
            reading = read_turn(judge, text, turn, prefix, top=top)
            alone = judge.read(text, prefix, top=top)
    except JudgeError as error:
        raise InputError(str(error)) from error
    told = {"prefix": prefix, "text": text, "read": reading.as_json(), "alone": alone and alone.as_json()}
    found = parts(reading, alone, direction=judge.direction, rule=rule, threshold=bits)
    saved = alone and alone.bits - reading.bits
    return {**_facts(judge, profile), **told, "saved": saved, "parts": found.as_json()}


def sample(judge: Judge, prefix: str, methods: Sequence[str], *, tokens: int, seed: int, top: int) -> dict[str, Any]:
    """What the judge writes after `prefix` by each of the methods, from the same seed. Raises `InputError`."""
    try:
        found = [judge.sample(prefix, method, tokens=tokens, seed=seed, top=top) for method in methods]
    except (JudgeError, ValueError) as error:
        raise InputError(str(error)) from error
    samples = [{"method": method, **each.as_json()} for method, each in zip(methods, found, strict=True)]
    facts = {"judge": judge.name, "identity": judge.identity, "build": judge.build}
    return {**facts, "prefix": prefix, "tokens": tokens, "seed": seed, "samples": samples}


def load_judge(name: str, profile: str, dtype: str) -> Judge:
    """Raises `InputError`."""
    try:
        return Judge.load(name, dtype=dtype, need_bos=begins_with_bos(profile))
    except JudgeError as error:
        raise InputError(f"judge {name}: {error}") from error


def matching(name: str, profile: str, identities: Mapping[str, str]) -> Judge:
    """The judge of this name, where it is one of those wanted. identities: identity → the dtype that it computes in.

    Raises `InputError`.
    """
    for dtype in dict.fromkeys(identities.values()):
        judge = load_judge(name, profile, dtype)
        if judge.identity in identities:
            return judge
    raise InputError(
        f"the judge {name} is none of those that scored: its identity is {judge.identity[:12]}…, not"
        f" {' or '.join(f'{each[:12]}…' for each in identities)}; other weights, or another tokenizer or configuration"
    )


def bits_of(judge: Judge, asked: Sequence[Measurement]) -> list[list[float]]:
    """What the judge says of each, whatever the slot. Raises `InputError`."""
    try:
        return judge.measure([Pair(each.prefix, each.text, each.profile) for each in asked])
    except JudgeError as error:
        raise InputError(str(error)) from error


def text_of(text: str, what: str, *, empty: bool = False, limit: int = MOVE_BYTES) -> str:
    """The text as a server would take it, of at most `limit` bytes. Raises `InputError`."""
    if not isinstance(text, str):
        raise InputError(f"{what} is no text (str) but {type(text).__name__}: {text!r:.60}")
    try:
        text = accept(text, what, limit)
    except TextError as error:
        raise InputError(f"{error}.") from None
    if not empty and not text.strip():
        raise InputError(f"{what} is empty.")
    return text


def _seats(program: Program, moves: Moves, house: Collection[str], where: str = "") -> dict[str, deque[str]]:
    """Seat → its moves. house: the seats that it has. where: which play, for errors."""
    listed(moves, "moves")
    played = tuple([seat for seat in program.seats if seat not in house]) or ("black",)
    given = moves if isinstance(moves, Mapping) else {played[0]: moves}
    if strange := [seat for seat in given if seat not in played]:
        raise InputError(f"nobody sits at {strange[0]!r} in this game: its seats are {', '.join(played)}")
    return {seat: deque(text_of(move, f"A move of {seat}{where}") for move in said) for seat, said in given.items()}


def usual(program: Program) -> dict[str, str]:
    """Slot → judge where nobody says which: the usual judge, and pocket with its twins for a game that asks several."""
    further = [slot for slot in program.judges if slot != MAIN]
    if further and all(f"pocket-{slot}" in PACKAGED for slot in further):
        return {MAIN: "pocket"} | {slot: f"pocket-{slot}" for slot in further}
    return {MAIN: usual_judge()}


def _slots(program: Program, judge: Judges | None) -> dict[str, Judge | str]:
    """Slot → judge, for every slot of the game."""
    given: dict[str, Judge | str] = {**usual(program)} if judge is None else {}
    given |= {MAIN: judge} if isinstance(judge, Judge | str) else judge or {}
    if missing := [slot for slot in (MAIN, *program.judges) if slot not in given]:
        raise InputError(f"the game asks a further judge, {missing[0]!r}: name one for that slot")
    return given


def _loaded(judges: Mapping[str, Judge | str], profile: str, dtype: str) -> dict[str, Judge]:
    """Slot → judge, each name loaded once."""
    names = dict.fromkeys(judge for judge in judges.values() if isinstance(judge, str))
    loaded = {name: load_judge(name, profile, dtype) for name in names}
    return {slot: loaded[judge] if isinstance(judge, str) else judge for slot, judge in judges.items()}


def _seated(house: House) -> dict[str, HouseSeat]:
    """Raises `InputError`."""
    found = {}
    for seat, each in house.items():
        if isinstance(each, str) and each not in BOTS:
            raise InputError(f"the house has no bot {each!r}; it has {' and '.join(BOTS)}")
        texts = () if isinstance(each, str) else tuple(text_of(text, f"A text of {seat}") for text in each)
        if not isinstance(each, str) and not 0 < len(texts) <= TEXTS:
            raise InputError(f"the house says 1 to {TEXTS} texts in a seat, not {len(texts)}")
        found[seat] = HouseSeat(bot=each) if isinstance(each, str) else HouseSeat(texts)
    return found


def _prepared(
    program: Program,
    stories: Sequence[str],
    profile: str,
    seed: str,
    judges: Mapping[str, Judge],
    house: Mapping[str, HouseSeat],
) -> Setup:
    """What a server fixes when it makes a round: the passages, and the texts that the main judge writes."""
    facts = {slot: JudgeFacts(judge.tokens.ends, judge.context, judge.direction) for slot, judge in judges.items()}
    setup = Setup(tuple(stories), seed, facts, profile, house=house)
    while (need := needed(program.generations, setup)) is not None:
        written = write(judges[MAIN], need.prompt, need.tokens, need.seed)
        setup = replace(setup, generated=(*setup.generated, written))
    check_round(program, setup)
    return setup


def _played(
    program: Program,
    setup: Setup,
    lookup: Lookup,
    seats: Mapping[str, deque[str]],
    ask: Callable[[NeedMove], str | None] | None,
) -> Finished | NeedMove:
    """To its end, or to where nobody gives a move; `lookup` knows everything."""
    log = Log()
    while True:
        effect, log = _gone_on(program, setup, log, lookup, seats)
        assert not isinstance(effect, NeedBits)
        if not isinstance(effect, NeedMove) or ask is None or (said := ask(effect)) is None:
            return effect
        log = Log((*log.moves, Move(effect.seat, text_of(said, "The move", empty=True))), log.bits)


def _gone_on(
    program: Program, setup: Setup, log: Log, lookup: Lookup, seats: Mapping[str, deque[str]]
) -> tuple[Effect, Log]:
    """As far as the moves go, and the bits that `lookup` knows."""
    while True:
        effect, log = advance(program, setup, log, lookup)
        if not isinstance(effect, NeedMove) or not seats.get(effect.seat):
            return effect, log
        log = Log((*log.moves, Move(effect.seat, seats[effect.seat].popleft())), log.bits)


def _ended(effect: Finished | NeedMove) -> dict[str, Any]:
    if isinstance(effect, NeedMove):
        awaited = {
            "seat": effect.seat,
            "register": effect.register,
            "limit": effect.limit,
            "registers": dict(effect.registers),
        }
        return {"status": "awaiting_move", "rewards": {}, "events": to_json(effect.events), "awaits": awaited}
    rewards = {seat: millibits(bits) / 1000 for seat, bits in effect.rewards.items()}
    ended: dict[str, Any] = {"status": str(effect.status), "rewards": rewards, "events": to_json(effect.events)}
    if effect.reason is not None:
        reason = effect.reason
        place = {"line": reason.line, "column": reason.column}
        ended["reason"] = {"type": reason.type, "detail": reason.detail, **place}
    return ended


def _previewed(found: Previewed) -> Preview:
    """As a server tells it."""
    reason = found.reason
    why = None if reason is None else Reason(**{name: getattr(reason, name) for name in Reason.model_fields})
    told = {"tokens": found.tokens, "limit": found.limit, "kept": found.kept, "events": to_json(found.events)}
    return Preview.model_validate({**told, "refused": found.refused, "reason": why, "after_scoring": found.open})


def _facts(judge: Judge, profile: str) -> dict[str, str]:
    return {"judge": judge.name, "identity": judge.identity, "profile": profile, "build": judge.build}
