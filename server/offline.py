"""`xentarena measure` and `xentarena play`: a judge asked on this machine, without a server."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from games.engine import advance
from games.errors import GamesError
from games.events import to_json
from games.preflight import check_round
from games.program import Program
from games.protocol import MAIN, Finished, JudgeFacts, Log, Measurement, Move, NeedMove, Setup
from games.runtime.generation import needed
from games.values.bits import millibits
from judge.measure import Judge, JudgeError, Pair
from judge.sampling import write
from server.faults import Fault


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
        return Judge.load(name, dtype=dtype, need_bos=profile == "arena")
    except JudgeError as error:
        raise Fault(f"judge {name}: {error}") from error


def load_all(judges: Mapping[str, str], profile: str, dtype: str) -> dict[str, Judge]:
    """Slot → judge, each loaded once. Raises Fault."""
    loaded = {name: load(name, profile, dtype) for name in dict.fromkeys(judges.values())}
    return {slot: loaded[name] for slot, name in judges.items()}


def measure(judge: Judge, prefix: str, text: str, profile: str) -> dict[str, Any]:
    """The bits of `text` after `prefix`, token by token. Raises Fault."""
    try:
        bits = judge.measure([Pair(prefix, text, profile)])[0]
    except JudgeError as error:
        raise Fault(str(error)) from error
    spelled = judge.tokens.spelled(text)
    # The profile may leave out the token next to the beginning: the last one for a judge that reads backwards.
    scored = spelled[: len(bits)] if judge.direction == "backward" else spelled[len(spelled) - len(bits) :]
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
        raise Fault(str(error)) from error
    main = judges[MAIN]
    return {
        **_outcome(effect),
        "judge": main.name,
        **told(main, table.profile),
        "moves_left": sum(map(len, seats.values())),
    }


def told(judge: Judge, profile: str) -> dict[str, str]:
    return {"identity": judge.identity, "profile": profile, "build": judge.build}


def _played(table: Table, judges: Mapping[str, Judge], seats: Mapping[str, deque[str]]) -> Finished | NeedMove:
    setup = _prepared(table, judges)
    log = Log()
    while True:
        effect, log = advance(table.program, setup, log, partial(_measured, judges))
        match effect:
            case NeedMove(seat=seat) if seats.get(seat):
                log = Log((*log.moves, Move(seat, seats[seat].popleft())), log.bits)
            case NeedMove() | Finished():
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


def _measured(judges: Mapping[str, Judge], measurements: Sequence[Measurement]) -> dict[Measurement, list[float]]:
    found: dict[Measurement, list[float]] = {}
    for slot, judge in judges.items():
        asked = [each for each in measurements if each.judge == slot]
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
        return {"status": "awaiting_move", "rewards": {}, "events": to_json(effect.events), "awaits": awaited}
    rewards = {seat: millibits(bits) / 1000 for seat, bits in effect.rewards.items()}
    outcome: dict[str, Any] = {"status": str(effect.status), "rewards": rewards, "events": to_json(effect.events)}
    if effect.reason is not None:
        reason = effect.reason
        outcome["reason"] = {
            "type": reason.type,
            "detail": reason.detail,
            "line": reason.line,
            "column": reason.column,
        }
    return outcome
