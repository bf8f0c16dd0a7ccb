"""How fast the bare engine is, with a judge that is a table: ``python -m benchmarks.games [--json]``.

Plays per second of Condense and of a ten-step chain on one core, each play replayed from its first line for every
move and every set of measurements, as the server does it; and the longest time an attack program held the engine.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from games import catalog
from games.engine import advance, replay
from games.errors import ProgramErrors
from games.program import Program, parse
from games.protocol import MAIN, Finished, JudgeFacts, Log, Measurement, Move, NeedBits, NeedMove, Setup
from tests.support.attacks import ATTACKS

PASSAGE = (
    "The ferry left at seven, an hour before the fog came down. Nobody on the quay had seen the second boat, and the "
    "harbour master, who had, did not say so until the evening. By then the tide had turned, the lamps along the wall "
    "were lit, and the two crews had found each other by the sound of their bells. They tied the boats together and "
    "waited for the morning, telling stories, drinking tea from tin cups, and counting the seconds between the flashes "
    "of a lighthouse that none of them could name."
)


@lru_cache(maxsize=4096)
def _ends(text: str) -> tuple[int, ...]:
    """Words are tokens; a server keeps what its tokenizer said, and so does this."""
    return tuple([match.end() for match in re.finditer(r"\s*\S+\s*?", text)])


def _bits(measurements: Sequence[Measurement]) -> dict[Measurement, list[float]]:
    return {each: [6.0 if each.prefix else 8.0] * len(_ends(each.text)) for each in measurements}


_FACTS = JudgeFacts(_ends, context=2048)


def _play(program: Program, setup: Setup, move: str) -> Finished:
    log = Log()
    while True:
        effect, log = advance(program, setup, log, _bits)
        match effect:
            case NeedMove():
                log = Log((*log.moves, Move(effect.seat, move)), log.bits)
            case Finished():
                return effect


def _plays_per_second(name: str, move: str, seconds: float) -> float:
    program = parse(catalog.source(name), name)
    setup = Setup((PASSAGE,) * program.passages, "seed", {MAIN: _FACTS})
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        _play(program, setup, move)
        count += 1
    return count / elapsed


def _held(source: str) -> float:
    """The longest that one call of the check or of the engine took, in seconds."""
    longest = [0.0]

    def timed(call: Callable[[], object]) -> object:
        start = time.perf_counter()
        try:
            return call()
        finally:
            longest[0] = max(longest[0], time.perf_counter() - start)

    try:
        program = timed(lambda: parse(source))
    except ProgramErrors:
        return longest[0]
    assert isinstance(program, Program)
    setup = Setup((PASSAGE * 8,) * program.passages, "seed", {MAIN: JudgeFacts(_ends, context=20_000)})
    log = Log()
    while True:
        effect = timed(lambda log=log: replay(program, setup, log))  # type: ignore[misc]
        if isinstance(effect, NeedMove):
            log = Log((*log.moves, Move(effect.seat, "a b c d e")), log.bits)
        elif isinstance(effect, NeedBits):
            log = Log(log.moves, {**log.bits, **_bits(effect.measurements)})
        else:
            return longest[0]


def measure(seconds: float = 2.0) -> dict[str, float | str]:
    """The figures: plays per second, and the worst attack with the milliseconds that it held the engine."""
    held = {name: min(_held(source) for _ in range(3)) for name, source in ATTACKS.items()}
    worst = max(held, key=lambda name: held[name])
    return {
        "condense_plays_per_second": round(_plays_per_second("condense", "a sea story about boats", seconds)),
        "ten_steps_plays_per_second": round(_plays_per_second("likely_steps", " and then it", seconds)),
        "attack_milliseconds": round(1000 * held[worst], 1),
        "attack": worst,
    }


def main(as_json: bool) -> None:
    figures = measure()
    lines = [json.dumps(figures)] if as_json else [f"{name:28} {value}" for name, value in figures.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main("--json" in sys.argv[1:])
