"""A search at home: the same strategies, against the rules and a judge of one's own, with no server."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from bots.budget import Budget, Curve, Spent
from bots.lawful import fault, lawful
from bots.strategy import Strategy, View
from xentarena.errors import ArenaError
from xentarena.offline import OfflineRound

IDLE = 1_000  # plays in a row for which the judge had nothing to read: there is nothing new to come


def search(
    strategy: Strategy, round_: OfflineRound, budget: Budget, opponents: Mapping[str, Strategy] | None = None
) -> Curve:
    """Let a strategy play the first seat of a round again and again, as long as the budget allows.

    opponents: who sits at the other seats; another of the same strategy makes it play itself, and all of them learn.

    What was measured before is not measured again, and costs no tokens; what a strategy reads by itself does (its
    `read`, if it has one), and it is told beforehand how much that may be (by its `allow`). Raises `InputError` for a
    move that no server would take, `ArenaError` for no budget.
    """
    if budget == Budget():
        raise ArenaError("A search at home ends with its budget: give it one.")
    first, *others = round_.program.seats or ("black",)
    if missing := [seat for seat in others if seat not in (opponents or {})]:
        raise ArenaError(f"Nobody sits at {missing[0]}: name an opponent for that seat.")
    players = {first: strategy, **(opponents or {})}
    curve, begun, read, idle = Curve(), monotonic(), round_.read, 0
    while budget.allows(curve.spent) and idle < IDLE:
        if budget.judge_tokens is not None and (allow := getattr(strategy, "allow", None)) is not None:
            allow(budget.judge_tokens - (round_.read - read))
        moves, bits = _played(players, round_, first)
        tokens = round_.read - read + getattr(strategy, "read", 0)
        spent = Spent(curve.spent.submissions + 1, tokens, monotonic() - begun)
        idle = idle + 1 if spent.judge_tokens == curve.spent.judge_tokens else 0
        curve.note(spent, bits, " / ".join(moves))
    return curve


def _played(players: Mapping[str, Strategy], round_: OfflineRound, first: str) -> tuple[list[str], float | None]:
    """The moves of the first seat in one play, and what they earned. Everybody learns."""
    moves: dict[str, list[str]] = {seat: [] for seat in players}

    def next_move(asked: Any) -> str:
        seat, player = str(asked.seat), players[str(asked.seat)]
        _show(player, round_, moves)
        moves[seat].append(lawful(player, lambda move: fault(round_.preview(move, moves))))
        return moves[seat][-1]

    outcome = round_.play(ask=next_move)
    earned = {seat: outcome.rewards.get(seat) if outcome.status == "scored" else None for seat in players}
    for seat, player in players.items():
        if (review := getattr(player, "review", None)) is not None:
            review(outcome)
        if moves[seat]:
            player.learn(moves[seat][0], earned[seat])
    return moves[first], earned[first]


def _show(player: Strategy, round_: OfflineRound, moves: Mapping[str, Sequence[str]]) -> None:
    """To a player that looks: what there is to see after these moves."""
    look = getattr(player, "look", None)
    if look is None:
        return
    stands = round_.play(moves)
    if (asked := stands.awaits) is not None:
        program = round_.program
        shown = (asked.register_ or "a text", asked.limit or 0, asked.registers, stands.events)
        look(View(program.title, program.description, (), asked.seat, *shown))
