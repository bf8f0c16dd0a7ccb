"""A report of a tournament, as one page of HTML and as Markdown with pictures beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from bots.tournament import plots, published
from bots.tournament.folder import Cell, Folder, write
from bots.tournament.matches import RATED, Matches, matches
from bots.tournament.plan import Plan
from bots.tournament.plots import Bar, Curve
from bots.tournament.results import Interval, Line, Outcome, board, bootstrap, outcomes

LONGEST = 120  # characters of a move in a table
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
.wide, figure { margin: 1rem 0; overflow-x: auto; } table { border-collapse: collapse; }
svg { max-width: 45rem; min-width: 32rem; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .25rem .75rem .25rem 0; text-align: start; vertical-align: top; }
:root { color-scheme: light dark; }
"""
NOTES = (
    "Bits beyond the baseline: a player's best in a round, less the best that random words had there with as many"
    " submissions, both as means over the repeats. Percent saved: of what the passage costs the judge without the"
    " player's words. Both say the same of a player whoever else takes part.",
    "Intervals are of 95%, by a bootstrap over rounds: the rounds drawn anew from these 10,000 times. They say how much"
    " other rounds of such games would move a mean; of three rounds they say little, of one nothing.",
)


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """name: of its file. alt: what it shows."""

    name: str
    alt: str
    svg: str


Block = Heading | Paragraph | Rows | Picture


def save(plan: Plan, folder: Folder, cells: Sequence[Cell]) -> tuple[Path, Path]:
    """Write report.html and report.md into the folder."""
    blocks = list(_blocks(plan, outcomes(plan, folder, cells), matches(folder, cells)))
    html, markdown, pictures = folder.path / "report.html", folder.path / "report.md", folder.path / "plots"
    pictures.mkdir(exist_ok=True)
    for block in blocks:
        if isinstance(block, Picture):
            write(pictures / block.name, block.svg)
    write(markdown, f"# {_plain(plan.title)}\n\n" + "\n\n".join(_markdown(block) for block in blocks) + "\n")
    write(html, _page(plan.title, blocks))
    return html, markdown


def _blocks(plan: Plan, found: Sequence[Outcome], played: Matches) -> Iterator[Block]:
    lines = board(plan, found)
    yield Paragraph(
        f"Players: {len(plan.everybody)}. Games: {len(plan.games)}. Rounds: {len(plan.rounds)}. Repeats:"
        f" {plan.repeats}. Submissions of a player in a round: {plan.budget.submissions} at most. The baseline is"
        f" {plan.baseline}."
    )
    if not all(game.versus for game in plan.games):
        yield Heading("Ranking")
        yield from _ranking(lines)
    for number, game in enumerate(plan.games):
        if game.versus:
            continue
        first = 1 + sum(len(each.rounds) for each in plan.games[:number])
        own = [each for each in found if first <= each.cell.round < first + len(game.rounds)]
        yield Heading(f"Game {number + 1}: {game.game}")
        yield from _of_game(number + 1, [line.player for line in lines], own)
    if played.cells:
        yield Heading("Against each other")
        yield from _against(played)
    if plan.table:
        yield Heading("The published benchmark's table")
        yield from _published(plan, found)
    yield Heading("How to read this")
    yield from map(Paragraph, NOTES)
    yield Heading("What went wrong")
    yield from _troubles(lines, found, played)
    yield Heading("Cost and time")
    yield from _costs(lines, played)


def _ranking(lines: Sequence[Line]) -> Iterator[Block]:
    head = ("", "Player", "Bits beyond the baseline", "Percent saved", "Rounds")
    ranked = list(enumerate(lines, 1))
    yield Rows(
        head, [(str(n), each.player, _shown(each.beyond), _shown(each.saved), _count(each)) for n, each in ranked]
    )
    known = [(each.player, each.beyond) for each in lines if each.beyond]
    svg = plots.bars([Bar(name, of.mean, of.low, of.high) for name, of in known], across="bits beyond the baseline")
    yield from _picture("ranking.svg", "Bits beyond the baseline, by player", svg)


def _published(plan: Plan, found: Sequence[Outcome]) -> Iterator[Block]:
    rows = published.table(published.scores(plan, found))
    games = sorted({game for row in rows for game in row.games})
    cells = [
        (
            str(n),
            row.player,
            f"{100 * row.score:.2f}",
            *(f"{100 * row.games[game]:.2f}" if game in row.games else "–" for game in games),
        )
        for n, row in enumerate(rows, 1)
    ]
    yield Rows(("", "Player", "Score", *games), cells)
    yield Paragraph(published.NOTE)


def _of_game(number: int, players: Sequence[str], found: Sequence[Outcome]) -> Iterator[Block]:
    rows, heights, risen = [], [], []
    for player in players:
        own = [each for each in found if each.cell.player == player and each.best is not None]
        if own:
            mean = bootstrap([each.best or 0.0 for each in own])
            best = max(own, key=lambda each: each.best or 0.0)
            rows.append((player, _shown(mean), f"{best.best:.3f}", best.move[:LONGEST]))
            heights.append(Bar(player, mean.mean))
            risen.append(Curve(player, _mean_curve([each.curve for each in own])))
    yield Rows(("Player", "Mean best, in bits", "Best of all", "by the move"), rows)
    yield from _picture(f"game-{number}.svg", "Mean best, by player", plots.bars(heights, across="bits"))
    rising = plots.curves(risen, across="submissions", up="best so far")
    yield from _picture(f"game-{number}-curves.svg", "Best so far over submissions, in bits", rising)


def _mean_curve(curves: Sequence[Sequence[float | None]]) -> list[tuple[float, float]]:
    """From where all of them have something; one that ended early stays where it was."""
    points = []
    for at in range(max(map(len, curves))):
        now = [curve[min(at, len(curve) - 1)] for curve in curves]
        values = [each for each in now if each is not None]
        if len(values) == len(now):
            points.append((at + 1.0, fmean(values)))
    return [points[0], *[b for a, b in pairwise(points) if b[1] != a[1] or b is points[-1]]] if points else []


def _against(played: Matches) -> Iterator[Block]:
    rows = [
        (str(n), each.player, f"{each.value:.2f}", f"{each.won} / {each.drawn} / {each.lost}", f"{each.left}")
        for n, each in enumerate(played.standings(), 1)
    ]
    yield Rows(("", "Player", "Rating", "Won, drawn, lost", "Left"), rows)
    yield Paragraph(RATED)


def _troubles(lines: Sequence[Line], found: Sequence[Outcome], played: Matches) -> Iterator[Block]:
    rows = [
        (each.cell.player, str(each.cell.round), str(each.cell.repeat), each.failure) for each in found if each.failure
    ]
    rows += played.failed()
    unscored = [line.player for line in lines if line.unscored]
    if rows:
        yield Paragraph("These were given up; the same command tries them again. What they had by then counts.")
        yield Rows(("Player", "Round", "Repeat", "Why"), rows)
    if unscored:
        yield Paragraph(f"In some round nothing was scored of {', '.join(unscored)}; it counts in no mean.")
    if not rows and not unscored:
        yield Paragraph("Nothing.")


def _costs(alone: Sequence[Line], played: Matches) -> Iterator[Block]:
    lines = [played.added_to(line) for line in alone]
    head = ("Player", "Plays", "Tokens read", "Tokens written", "Cost", "Seconds")
    told = [
        (line.player, f"{line.plays}", f"{line.read:,}", f"{line.written:,}", f"{line.cost:.4f}", f"{line.seconds:.1f}")
        for line in lines
    ]
    yield Rows(head, told)
    paid = [Bar(line.player, line.cost) for line in lines if line.cost]
    yield from _picture("cost.svg", "Cost, by player", plots.bars(paid, across="cost"))
    took = [Bar(line.player, line.seconds) for line in lines]
    yield from _picture("seconds.svg", "Seconds, by player", plots.bars(took, across="seconds"))


def _picture(name: str, alt: str, svg: str) -> Iterator[Picture]:
    if svg:
        yield Picture(name, alt, svg)


def _shown(of: Interval | None) -> str:
    if of is None:
        return "–"
    return f"{of.mean:.3f}" if of.count < 2 else f"{of.mean:.3f} ({of.low:.3f} to {of.high:.3f})"


def _count(line: Line) -> str:
    return str(line.beyond.count if line.beyond else 0)


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {_plain(block.text)}"
    if isinstance(block, Paragraph):
        return _plain(block.text)
    if isinstance(block, Picture):
        return f"![{block.alt}](plots/{block.name})"
    lines = [block.head, ["---"] * len(block.head), *block.rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    """Nothing in it is Markdown or HTML: moves and names are anybody's."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!&~$" else c for c in " ".join(text.split()))


def _page(title: str, blocks: Sequence[Block]) -> str:
    body = "\n".join(_html(block) for block in blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Picture):
        return f"<figure>{block.svg}<figcaption>{escape(block.alt)}</figcaption></figure>"
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
