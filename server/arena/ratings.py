"""How strong players are, from who beat whom: Plackett and Luce's model, as openskill works it out.

A rating is an estimate (mu) and how unsure it is (sigma). Who has played little is unsure, so what ranks is an estimate
that holds almost surely: mu - 3 sigma. Decision 0023 says why.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import NamedTuple

from openskill.models import PlackettLuce

_MODEL = PlackettLuce()


class Outcome(NamedTuple):
    """Who beat whom. drawn: nobody did, and the order of the two says nothing."""

    winner: str
    loser: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """A player's rating after so many plays."""

    mu: float
    sigma: float
    plays: int

    @property
    def points(self) -> int:
        """What ranks: thousandths of mu - 3 sigma. Rounded, so that what differs in a float's last bit is a tie."""
        return round(1000 * (self.mu - 3 * self.sigma))

    @property
    def value(self) -> float:
        """The points as they are shown."""
        return self.points / 1000


NEW = Rating(_MODEL.mu, _MODEL.sigma, 0)


def rate(outcomes: Iterable[Outcome]) -> dict[str, Rating]:
    """The rating of everybody who played, after all outcomes, in their order."""
    table: dict[str, Rating] = {}
    for _ in follow(outcomes, table):
        pass
    return table


def follow(outcomes: Iterable[Outcome], table: MutableMapping[str, Rating]) -> Iterator[tuple[Rating, Rating]]:
    """Bring the table up to date, outcome by outcome: the winner's new rating, and the loser's."""
    for winner, loser, drawn in outcomes:
        table[winner], table[loser] = found = _after(table.get(winner, NEW), table.get(loser, NEW), drawn)
        yield found


def rate_ranking(ranks: Mapping[str, int], table: Mapping[str, Rating]) -> dict[str, Rating]:
    """The ratings of at least two players after all of them were ranked at once, by those of before in the table.

    ranks: 1 is the best; equal ones share a rank, and none of them beat another.
    """
    before = [table.get(player, NEW) for player in ranks]
    after = _MODEL.rate([[_MODEL.rating(each.mu, each.sigma)] for each in before], ranks=list(ranks.values()))
    return {
        player: Rating(now.mu, now.sigma, old.plays + 1)
        for player, old, [now] in zip(ranks, before, after, strict=True)
    }


def _after(winner: Rating, loser: Rating, drawn: bool) -> tuple[Rating, Rating]:
    before = [[_MODEL.rating(each.mu, each.sigma)] for each in (winner, loser)]
    [[won], [lost]] = _MODEL.rate(before, ranks=[1, 1] if drawn else [1, 2])
    return Rating(won.mu, won.sigma, winner.plays + 1), Rating(lost.mu, lost.sigma, loser.plays + 1)
