"""Builders for tests: a setup with defaults, and a play driven to where it needs a move that nobody gives."""

from collections.abc import Iterable, Sequence

from games.builtins import banned
from games.engine import replay
from games.program import Program, parse
from games.protocol import Effect, Log, Move, NeedBits, NeedMove, Setup
from tests.games import table_judge


def program(*lines: str) -> Program:
    return parse("\n".join(lines))


def setup(
    *passages: str,
    seed: str = "seed",
    slots: Sequence[str] = (),
    context: int = 1_000,
    profile: str = "arena",
    generated: Sequence[str] = (),
) -> Setup:
    return Setup(passages, seed, table_judge.judges(*slots, context=context), profile, tuple(generated))


def steps(of: Program, given: Setup, moves: Iterable[str | tuple[str, str]]) -> list[tuple[Log, Effect]]:
    """Every log of the play with the effect that it has. A move without a seat is made by whoever is asked."""
    waiting = iter(moves)
    log = Log()
    found: list[tuple[Log, Effect]] = []
    while True:
        effect = replay(of, given, log)
        found.append((log, effect))
        if isinstance(effect, NeedBits):
            log = Log(log.moves, {**log.bits, **table_judge.known(effect.measurements)})
        elif isinstance(effect, NeedMove):
            move = next(waiting, None)
            if move is None:
                return found
            seat, text = move if isinstance(move, tuple) else (effect.seat, move)
            log = Log((*log.moves, Move(seat, text)), log.bits)
        else:
            return found


def play(of: Program, given: Setup, *moves: str | tuple[str, str]) -> Effect:
    """Where the play stands when the moves are used up."""
    return steps(of, given, moves)[-1][1]


def normalised(text: str) -> str:
    """As the hardened word rule reads it."""
    return banned.folded(banned.decomposed(text))


def without_banned_words(text: str, unwanted: str) -> str:
    """What ``remove_banned_words(text, unwanted)`` leaves of the text."""
    return banned.without(normalised(text), banned.banned(normalised(unwanted)))
