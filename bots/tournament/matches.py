"""What the plays against each other come to: who won, and what the server rates them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from bots.journal import Record, read
from bots.tournament.folder import Cell, Folder
from bots.tournament.results import Line, paid, why_given_up

RATED = (
    "Everybody plays everybody, once from each seat. The rating is the server's own: mu − 3 sigma of Plackett and"
    " Luce's model, the mean over rounds and repeats. Other than the rest of this report it hangs on who takes part."
    " Who gives no move leaves, and loses."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """value: the rating that ranks. left: plays that the player gave up; they are lost."""

    player: str
    value: float
    won: int
    drawn: int
    lost: int
    left: int


@dataclass(frozen=True, slots=True)
class Matches:
    """cells: of plays against each other. ratings: round → name at the server → rating."""

    folder: Folder
    cells: Sequence[Cell]
    ratings: Mapping[str, Mapping[str, Mapping[str, float]]]

    def standings(self) -> list[Standing]:
        """Best first."""
        tally: dict[str, list[int]] = {}
        for cell in self.cells:
            for player in _both(cell):
                tally.setdefault(player, [0, 0, 0, 0])
            for record in self._records(cell):
                if record["kind"] == "duel":
                    for player, place in _ended(cell, record):
                        tally[player][place] += 1
        found = [Standing(player, self._rating(player), *counts) for player, counts in tally.items()]
        return sorted(found, key=lambda each: (-each.value, each.player))

    def failed(self) -> Iterator[tuple[str, str, str, str]]:
        """What was given up: who, the round, the repeat and why."""
        for cell in self.cells:
            if (why := why_given_up(self.folder, cell)) is not None:
                yield " – ".join(_both(cell)), str(cell.round), str(cell.repeat), why

    def added_to(self, line: Line) -> Line:
        """A player's cost with that of these plays. Each lasts as long for both."""
        for cell in self.cells:
            for seat, player in zip(("black", "white"), _both(cell), strict=True):
                if player == line.player:
                    played = [each for each in self._records(cell) if each["kind"] == "duel"]
                    read_, written, cost = paid(self._records(cell, seat))
                    line = replace(
                        line,
                        plays=line.plays + len(played),
                        seconds=line.seconds + sum(float(each["seconds"]) for each in played),
                        read=line.read + read_,
                        written=line.written + written,
                        cost=line.cost + cost,
                    )
        return line

    def _records(self, cell: Cell, seat: str = "") -> list[Record]:
        file = self.folder.journal(cell, seat)
        return read(file) if file.exists() else []

    def _rating(self, player: str) -> float:
        values = [
            rating["value"]
            for rated in self.ratings.values()
            for name, rating in rated.items()
            if name.rpartition(" #")[0] == player
        ]
        return fmean(values) if values else 0.0


def matches(folder: Folder, cells: Sequence[Cell]) -> Matches:
    file = folder.path / "ratings.json"
    ratings = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return Matches(folder, [cell for cell in cells if cell.opponent is not None], ratings)


def _both(cell: Cell) -> tuple[str, str]:
    """Black and white."""
    assert cell.opponent is not None
    return cell.player, cell.opponent[0]


def _ended(cell: Cell, record: Record) -> Iterator[tuple[str, int]]:
    """Player → won (0), drawn (1) or lost (2); and once more (3) for who has left."""
    black, white = _both(cell)
    bits, left = record["bits"], record["left"]
    if left is not None:
        loser, winner = (black, white) if left == "black" else (white, black)
        yield from ((winner, 0), (loser, 2), (loser, 3))
    elif bits["black"] is None or bits["black"] == bits["white"]:
        yield from ((black, 1), (white, 1))
    else:
        winner, loser = (black, white) if bits["black"] > bits["white"] else (white, black)
        yield from ((winner, 0), (loser, 2))
