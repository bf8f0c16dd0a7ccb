"""The arithmetic of the published benchmark's table, for whoever wants to hold a tournament against it.

A player's score of a map over the largest absolute score that anybody has on it; the mean over maps; the mean over
games; times 100, where it is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bots.tournament.plan import Plan
from bots.tournament.results import Outcome

NOTE = (
    "The arithmetic of the published benchmark: a player's best of a map over the largest absolute best of all"
    " players on it, the mean over maps, the mean over games, times 100. It hangs on who else takes part, and has no"
    " baseline and no intervals; a map on which all find little weighs as much as any. The ranking above has none of"
    " these faults."
)
Scores = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class Row:
    """games: game → the mean over its maps, from -1 to 1; where the player has no score, none. score: the mean over
    all games, those counting 0."""

    player: str
    score: float
    games: Mapping[str, float]


def table(scores: Scores) -> list[Row]:
    """scores: game → map → player → score; who has none is left out there. Best first."""
    shares: dict[str, dict[str, list[float]]] = {}
    for game, maps in scores.items():
        for players in maps.values():
            largest = max(map(abs, players.values()), default=0.0)
            for player, score in players.items():
                shares.setdefault(player, {}).setdefault(game, []).append(score / largest if largest else 0.0)
    rows = []
    for player, by_game in shares.items():
        means = {game: fmean(each) for game, each in by_game.items()}
        rows.append(Row(player, sum(means.values()) / len(scores), means))
    return sorted(rows, key=lambda row: (-row.score, row.player))


def scores(plan: Plan, found: Sequence[Outcome]) -> Scores:
    """Of a tournament: its rounds are the maps. A player's best of a map is the mean over repeats, which the benchmark
    does not have."""
    bests: dict[str, dict[str, dict[str, list[float]]]] = {}
    for number, round_ in enumerate(plan.rounds, 1):
        for each in found:
            if each.cell.round == number and each.best is not None:
                maps = bests.setdefault(round_.game.game, {})
                maps.setdefault(str(number), {}).setdefault(each.cell.player, []).append(each.best)
    return {
        game: {name: {who: fmean(those) for who, those in players.items()} for name, players in maps.items()}
        for game, maps in bests.items()
    }
