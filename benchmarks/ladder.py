"""How far each strategy gets on held-out passages of Condense, all reading as much: ``python -m benchmarks.ladder``.

``--judge pocket``, ``--passages 12``, ``--submissions 2000`` (of the longest kind: what they cost in tokens that the
judge reads is what every strategy may spend, its passes forward and back at home included), ``--dtype float32``,
``--device cpu`` or ``cuda``, ``--strategies random,gcg``, ``--second-judge NAME`` (how much of the best moves' scores
it confirms), ``--jobs N`` processes, each with a judge of its own. Each run is a line of ``--file ladder.jsonl``:
killed and started again it goes on, and where all runs are there they are told again.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks._rungs import EVERY, Confirmed, Kept, Model, Run, Rung, confirmed, rungs, runs
from bots.tournament.results import bootstrap

ORDER = ("random", "field-words")  # each should be beaten by the next, the last by every search


def climbed(model: Model, wanted: Sequence[Rung], identity: str, kept: Kept, jobs: int) -> list[Run]:
    """All runs that are wanted: those kept, and those that are made now."""
    missing = [rung for rung in wanted if rung.key(identity) not in kept.runs]
    for found in runs(model, missing, jobs) if missing else ():
        kept.note(found)
        sys.stderr.write(f"{found.passage:<14}{found.strategy:<13}{found.best:9.3f} bits {found.seconds:8.1f} s\n")
    return [kept.runs[rung.key(identity)] for rung in wanted]


def confirm(model: Model, found: Sequence[Run], kept: Kept) -> list[Confirmed]:
    """The best moves under a second judge, in the same order."""
    judge = model.load()
    for each in found:
        if (judge.identity, each.passage, each.move) not in kept.confirmed:
            kept.note(confirmed(judge, each.passage, each.move))
    return [kept.confirmed[judge.identity, each.passage, each.move] for each in found]


def table(found: Sequence[Run]) -> list[str]:
    """Markdown: median bits, and the difference to random and to field words on the same passages."""
    lines = [
        "| Strategy | Bits | Beyond random | Beyond field words | Submissions | Judge tokens | Seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in _names(found):
        own = [each for each in found if each.strategy == name]
        middle = (f"{median(getattr(each, what) for each in own):,.0f}" for what in ("submissions", "judge_tokens"))
        seconds = f"{sum(each.seconds for each in own):,.0f}"
        bits = f"{median(each.best for each in own):.2f}"
        beyond = (_told(paired(found, name, base)) for base in ORDER)
        lines.append(f"| {' | '.join((f'`{name}`', bits, *beyond, *middle, seconds))} |")
    return lines


def paired(found: Sequence[Run], name: str, base: str) -> list[float]:
    """By how many bits a strategy beats another one, passage by passage."""
    best = {(each.strategy, each.passage): each.best for each in found}
    passages = dict.fromkeys(each.passage for each in found)
    pairs = [(best.get((name, each)), best.get((base, each))) for each in passages]
    return [own - other for own, other in pairs if own is not None and other is not None]


def inversions(found: Sequence[Run]) -> list[str]:
    """Where the order is another one than random < field words < searches, by the mean over the passages."""
    lines = []
    for name in _names(found):
        for base in ORDER[: ORDER.index(name)] if name in ORDER else ORDER:
            differences = paired(found, name, base)
            if differences and bootstrap(differences).mean <= 0:
                worse = sum(each <= 0 for each in differences)
                lines.append(f"{name} is behind {base}: {_told(differences)} bits, on {worse} of {len(differences)}")
    return lines


def statistics(found: Sequence[Run]) -> list[str]:
    """What the strategies say of themselves: the median over the passages."""
    lines = []
    for name in _names(found):
        own = [each.stats for each in found if each.strategy == name]
        keys = dict.fromkeys(key for each in own for key in each)
        if told := ", ".join(f"{key} {median(each.get(key, 0.0) for each in own):.3g}" for key in keys):
            lines.append(f"{name}: {told}")
    return lines


def shares(found: Sequence[Run], second: Sequence[Confirmed]) -> list[str]:
    """Markdown: how much of each strategy's score the second judge confirms."""
    lines = ["| Strategy | Bits | The second judge's | Confirmed | Above 0 |", "|---|---|---|---|---|"]
    for name in _names(found):
        own = [(run, other) for run, other in zip(found, second, strict=True) if run.strategy == name]
        first, other = sum(run.best for run, _ in own), sum(each.bits for _, each in own)
        share = f"{other / first:.0%}" if first > 0 else "–"
        above = f"{sum(each.bits > 0 for _, each in own)} of {len(own)}"
        means = (f"{each / len(own):.2f}" for each in (first, other))
        lines.append(f"| {' | '.join((f'`{name}`', *means, share, above))} |")
    return lines


def _names(found: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(each.strategy for each in found))


def _told(differences: Sequence[float]) -> str:
    if not differences:
        return "–"
    interval = bootstrap(differences)
    return f"{interval.mean:+.2f} ({interval.low:+.2f} to {interval.high:+.2f})"


def main(argv: Sequence[str]) -> None:
    """Run what is missing, then tell it as Markdown."""
    asked = _parser().parse_args(argv)
    threads = 1 if asked.jobs > 1 else None
    model = Model(asked.judge, asked.dtype, asked.device, threads)
    judge, kept = model.load(), Kept(asked.file)
    wanted = rungs(judge, asked.passages, asked.submissions, asked.strategies)
    found = climbed(model, wanted, judge.identity, kept, asked.jobs)
    budget = f"as many tokens as {asked.submissions:,} of the longest moves cost"
    say = [f"{judge.name}, {judge.dtype}, {found[0].build}; {asked.passages} passages, {budget}.", "", *table(found)]
    say += ["", *statistics(found), "", *(inversions(found) or ["No inversions."])]
    if asked.second_judge:
        second = Model(asked.second_judge, asked.dtype, asked.device, threads)
        say += ["", f"The same moves under {asked.second_judge}:", "", *shares(found, confirm(second, found, kept))]
    sys.stdout.write("\n".join([*say, ""]))


def _strategies(text: str) -> list[str]:
    names = text.split(",")
    if strange := [name for name in names if name not in EVERY]:
        raise argparse.ArgumentTypeError(f"there is no strategy {strange[0]!r}; there is: {', '.join(EVERY)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.ladder", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--judge", default="pocket")
    parser.add_argument("--passages", type=int, default=12, choices=range(1, 41), metavar="1…40")
    parser.add_argument("--submissions", type=int, default=2_000)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device")
    parser.add_argument("--strategies", type=_strategies, default=list(EVERY))
    parser.add_argument("--second-judge")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--file", type=Path, default=Path("ladder.jsonl"))
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
