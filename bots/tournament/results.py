"""What the journals of a tournament come to: a table that hangs on nothing else."""

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from bots.journal import WASTED, Record, read
from bots.tournament.folder import Cell, Folder
from bots.tournament.plan import Plan

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Outcome:
    """A player in a round, once. curve: the best so far after each play; None before anything was scored.

    percent: of the passage's bits, what the best saves, as the server counts it; None where the game is not about that.
    failure: why it was given up.
    """

    cell: Cell
    curve: Sequence[float | None]
    move: str
    percent: float | None
    read: int
    written: int
    cost: float
    seconds: float
    failure: str | None

    @property
    def best(self) -> float | None:
        return self.curve[-1] if self.curve else None


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and where it would lie in 95 of 100 such tournaments; low and high are it where there is one round."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Line:
    """A player over all rounds. beyond: bits beyond the baseline's best in the same round. saved: percent of the
    passage's bits; None where no game is about that. plays: that were made."""

    player: str
    beyond: Interval | None
    saved: Interval | None
    plays: int
    unscored: int
    given_up: int
    read: int
    written: int
    cost: float
    seconds: float


def outcomes(plan: Plan, folder: Folder, cells: Sequence[Cell]) -> list[Outcome]:
    """Of every cell that has begun and is no play against each other, in the order of the plan."""
    percents = _percents(folder.path / "results.csv")
    alone = [cell for cell in cells if cell.opponent is None]
    begun = [cell for cell in alone if folder.journal(cell).exists() or folder.failure(cell).exists()]
    return [_outcome(folder, cell, percents) for cell in begun]


def board(plan: Plan, found: Sequence[Outcome]) -> list[Line]:
    """Best first, by the mean bits beyond the baseline: no player's place hangs on who else takes part."""
    base = _by_round([each for each in found if each.cell.player == plan.baseline])
    lines = [_line(each.name, [one for one in found if one.cell.player == each.name], base) for each in plan.everybody]
    return sorted(lines, key=lambda line: (line.beyond is None, -line.beyond.mean if line.beyond else 0.0, line.player))


def bootstrap(groups: Sequence[float]) -> Interval:
    """The mean of what each round gave, and an interval for it: rounds drawn anew from these, 10,000 times."""
    draw = random.Random(0)  # noqa: S311 - the same table gives the same report
    mean = fmean(groups)
    if len(groups) < 2:
        return Interval(mean, mean, mean, len(groups))
    means = sorted(fmean(draw.choices(groups, k=len(groups))) for _ in range(RESAMPLES))
    cut = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(mean, means[cut], means[-cut - 1], len(groups))


def _line(player: str, own: Sequence[Outcome], base: Mapping[int, float]) -> Line:
    bests = _by_round(own)
    beyond = [best - base[round_] for round_, best in bests.items() if round_ in base]
    percents: dict[int, list[float]] = {}
    for each in own:
        if each.percent is not None:
            percents.setdefault(each.cell.round, []).append(each.percent)
    saved = [fmean(each) for each in percents.values()]
    return Line(
        player,
        bootstrap(beyond) if beyond else None,
        bootstrap(saved) if saved else None,
        sum(len(each.curve) for each in own),
        sum(each.best is None for each in own),
        sum(each.failure is not None for each in own),
        sum(each.read for each in own),
        sum(each.written for each in own),
        sum(each.cost for each in own),
        sum(each.seconds for each in own),
    )


def _by_round(found: Sequence[Outcome]) -> dict[int, float]:
    """Round → the mean best of its repeats, where something was scored."""
    bests: dict[int, list[float]] = {}
    for each in found:
        if each.best is not None:
            bests.setdefault(each.cell.round, []).append(each.best)
    return {round_: fmean(each) for round_, each in sorted(bests.items())}


def _outcome(folder: Folder, cell: Cell, percents: Mapping[tuple[str, int], float]) -> Outcome:
    records = read(folder.journal(cell)) if folder.journal(cell).exists() else []
    curve: list[float | None] = []
    best, move = None, ""
    for record in records:
        if record["kind"] == "played":
            bits = record["bits"]
            if bits is not None and (best is None or bits > best):
                best, move = bits, " / ".join(record["moves"])
            curve.append(best)
    percent = percents.get((cell.seat, cell.round))
    seconds, used = _sum(records, ("played",), "seconds"), paid(records)
    return Outcome(cell, curve, move, percent, *used, seconds, why_given_up(folder, cell))


def why_given_up(folder: Folder, cell: Cell) -> str | None:
    failure = folder.failure(cell)
    return failure.read_text(encoding="utf-8") if failure.exists() else None


def paid(records: Sequence[Record]) -> tuple[int, int, float]:
    """Tokens read and written, and what they cost."""
    kinds = ("reply", WASTED)
    return int(_sum(records, kinds, "read")), int(_sum(records, kinds, "written")), _sum(records, kinds, "cost")


def _sum(records: Sequence[Record], kinds: Sequence[str], name: str) -> float:
    return sum(float(record[name]) for record in records if record["kind"] in kinds)


def _percents(file: Path) -> dict[tuple[str, int], float]:
    """Player and round at the server → percent saved, of what it tells its hosts."""
    if not file.exists():
        return {}
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    return {
        (row["player"].removeprefix("'"), int(row["round"])): float(row["percent_saved"])
        for row in rows
        if row["percent_saved"]
    }
