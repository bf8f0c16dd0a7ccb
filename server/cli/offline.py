"""`xentarena measure` and `xentarena play`: a judge asked on this machine, without a server."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from games.bits import millibits
from games.engine import replay
from games.errors import GamesError
from games.generation import needed
from games.preflight import check_round
from games.program import Program
from games.values import MAIN, Effect, Finished, JudgeFacts, Log, Measurement, Move, NeedBits, NeedMove, Setup
from judge.judge import Judge, JudgeError, Pair
from judge.profiles import begins_with_bos, scored_tokens
from judge.sampling import write
from server.errors import CommandError


@dataclass(frozen=True, slots=True)
class Table:
    """A play to be had: what is on the table before the first move."""

    program: Program
    stories: Sequence[str]
    profile: str
    seed: str


def load(name: str, profile: str, dtype: str) -> Judge:
    """Raises Fault."""
    try:
        return Judge.load(name, dtype=dtype, need_bos=begins_with_bos(profile))
    except JudgeError as error:
        raise CommandError(f"judge {name}: {error}") from error


def load_all(judges: Mapping[str, str], profile: str, dtype: str) -> dict[str, Judge]:
    """Slot → judge, each loaded once. Raises Fault."""
    loaded = {name: load(name, profile, dtype) for name in dict.fromkeys(judges.values())}
    return {slot: loaded[name] for slot, name in judges.items()}


def measure(judge: Judge, prefix: str, text: str, profile: str) -> dict[str, Any]:
    """The bits of `text` after `prefix`, token by token. Raises Fault."""
    try:
        bits = judge.measure([Pair(prefix, text, profile)])[0]
    except JudgeError as error:
        raise CommandError(str(error)) from error
    spelled = judge.tokens.spelled(text)
    scored = spelled[scored_tokens(len(spelled), profile, judge.direction)]
    total = 0.0
    for value in bits:
        total += value
    tokens = [{"text": token, "bits": value} for token, value in zip(scored, bits, strict=True)]
    return {"judge": judge.name, "bits": total, "tokens": tokens, **told(judge, profile)}


def play(table: Table, judges: Mapping[str, Judge], moves: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """One play from its first line to its end, or to where the moves run out. Raises Fault."""
    seats = {seat: deque(given) for seat, given in moves.items()}
    try:
        effect = _played(table, judges, seats)
    except (GamesError, JudgeError) as error:
        raise CommandError(str(error)) from error
    main = judges[MAIN]
    return {
        **_outcome(effect),
        "judge": main.name,
        **told(main, table.profile),
        "moves_left": sum(map(len, seats.values())),
    }


def told(judge: Judge, profile: str) -> dict[str, Any]:
    engine = {"name": judge.engine.name, "reason": judge.engine.reason}
    return {"identity": judge.identity, "profile": profile, "build": judge.build, "engine": engine}


def _played(table: Table, judges: Mapping[str, Judge], seats: Mapping[str, deque[str]]) -> Finished | NeedMove:
    setup = _prepared(table, judges)
    log = Log()
    while True:
        effect: Effect = replay(table.program, setup, log)
        match effect:
            case NeedBits():
                log = Log(log.moves, {**log.bits, **_measured(effect, judges)})
            case NeedMove(seat=seat) if seats.get(seat):
                log = Log((*log.moves, Move(seat, seats[seat].popleft())), log.bits)
            case _:
                return effect


def _prepared(table: Table, judges: Mapping[str, Judge]) -> Setup:
    """What a server fixes when it makes a round: the passages, and the texts that the main judge writes."""
    facts = {slot: JudgeFacts(judge.tokens.ends, judge.context, judge.direction) for slot, judge in judges.items()}
    setup = Setup(tuple(table.stories), table.seed, facts, table.profile)
    while (need := needed(table.program.generations, setup)) is not None:
        written = write(judges[MAIN], need.prompt, need.tokens, need.seed)
        setup = replace(setup, generated=(*setup.generated, written))
    check_round(table.program, setup)
    return setup


def _measured(need: NeedBits, judges: Mapping[str, Judge]) -> dict[Measurement, list[float]]:
    found: dict[Measurement, list[float]] = {}
    for slot, judge in judges.items():
        asked = [each for each in need.measurements if each.judge == slot]
        pairs = [Pair(each.prefix, each.text, each.profile) for each in asked]
        found.update(zip(asked, judge.measure(pairs), strict=True))
    return found


def _outcome(effect: Finished | NeedMove) -> dict[str, Any]:
    if isinstance(effect, NeedMove):
        awaited = {
            "seat": effect.seat,
            "register": effect.register,
            "limit": effect.limit,
            "registers": dict(effect.registers),
        }
        return {"status": "awaiting_move", "rewards": {}, "events": list(effect.events), "awaits": awaited}
    rewards = {seat: millibits(bits) / 1000 for seat, bits in effect.rewards.items()}
    outcome: dict[str, Any] = {"status": str(effect.status), "rewards": rewards, "events": list(effect.events)}
    if effect.reason is not None:
        reason = effect.reason
        outcome["reason"] = {
            "type": reason.type,
            "detail": reason.detail,
            "line": reason.line,
            "column": reason.column,
        }
    return outcome
