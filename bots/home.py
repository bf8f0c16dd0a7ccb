"""A search at home: the same strategies, against the rules and a judge of one's own, with no server."""

from time import monotonic

from bots.budget import Budget, Curve, Spent
from bots.lawful import fault, lawful
from bots.strategy import Strategy
from xentarena.errors import ArenaError
from xentarena.offline import OfflineRound

IDLE = 1_000  # plays in a row for which the judge had nothing to read: there is nothing new to come


def search(strategy: Strategy, round_: OfflineRound, budget: Budget) -> Curve:
    """Let a strategy play the first seat of a round again and again, as long as the budget allows.

    What was measured before is not measured again, and costs no tokens; what a strategy reads by itself does (its
    `read`, if it has one). Raises `InputError` for a move that no server would take, `ArenaError` for no budget.
    """
    if budget == Budget():
        raise ArenaError("A search at home ends with its budget: give it one.")
    curve, begun, read, idle = Curve(), monotonic(), round_.read, 0
    while budget.allows(curve.spent) and idle < IDLE:
        moves, bits = _played(strategy, round_)
        strategy.learn(moves[0], bits)
        tokens = round_.read - read + getattr(strategy, "read", 0)
        spent = Spent(curve.spent.submissions + 1, tokens, monotonic() - begun)
        idle = idle + 1 if spent.judge_tokens == curve.spent.judge_tokens else 0
        curve.note(spent, bits, " / ".join(moves))
    return curve


def _played(strategy: Strategy, round_: OfflineRound) -> tuple[list[str], float | None]:
    """The moves of one play, and what they earned."""
    moves: list[str] = []

    def next_move(_: object) -> str:
        moves.append(lawful(strategy, lambda move: fault(round_.preview(move, moves))))
        return moves[-1]

    outcome = round_.play(ask=next_move)
    if (review := getattr(strategy, "review", None)) is not None:
        review(outcome)
    return moves, outcome.rewards[next(iter(outcome.rewards))] if outcome.status == "scored" else None
