"""Looks for programs that take more time than the work they are charged for: ``python -m benchmarks.budget``.

``--seconds N`` how long (60), ``--seed N`` where to begin (1), ``--json`` the worst of all alone. Each case is a random
one of tests/support/costs.py. The worst of each kind is kept, and varied in what it is played on: the next are found
near them. At the end those kept are measured again, the least of five, so that what else runs here does not count.
What counts is the time of one unit and of one play: it may take ``limits.WORK`` of them, and some end before, of
another budget.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from games import limits
from tests.support.costs import TEXTURES, Case, Cost, cases, measured

KEPT = 60  # kinds of cases, to vary
LEAST_WORK = limits.WORK // 60  # less says little: the clock is too coarse
AGAIN = 5


def search(seconds: float, seed: int) -> list[Cost]:
    """The worst case of each kind that was found, the dearest unit first."""
    random, worst = Random(seed), dict[tuple[str, ...], Cost]()
    end = time.monotonic() + seconds
    for case in _candidates(random, worst):
        cost = measured(case)
        if cost is not None and cost.work > LEAST_WORK:
            known = worst.get(case.names)
            if known is None or cost.nanoseconds > known.nanoseconds:
                worst[case.names] = cost
            if len(worst) > KEPT:
                del worst[min(worst, key=lambda names: worst[names].nanoseconds)]
        if time.monotonic() > end:
            break
    again = [cost for each in worst.values() if (cost := measured(each.case, AGAIN))]
    return sorted(again, key=lambda cost: -cost.nanoseconds)


def _candidates(random: Random, worst: dict[tuple[str, ...], Cost]) -> Iterator[Case]:
    fresh = cases(random)
    while True:
        yield next(fresh)
        if worst:
            yield _varied(random, random.choice(list(worst.values())).case)


def _varied(random: Random, case: Case) -> Case:
    """The same program, played on something else."""
    texts = list(case.texts)
    place = random.randrange(len(texts))
    size = max(0, min(limits.TEXT_CHARACTERS - 200, texts[place][1] + random.choice((-100, -1, 1, 100))))
    texts[place] = random.choice((texts[place][0], random.choice(sorted(TEXTURES)))), size
    return replace(case, texts=tuple(texts))


def main(seconds: float, seed: int, as_json: bool) -> None:
    found = search(seconds, seed)
    if as_json:
        slowest = max(cost.seconds for cost in found)
        figures = {"play_milliseconds": round(1e3 * slowest, 1), "unit_nanoseconds": round(found[0].nanoseconds, 1)}
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    sys.stdout.write("ns a unit  ms a play  units      of\n")
    for cost in found:
        names = ", ".join(cost.case.names)
        line = f"{cost.nanoseconds:9.1f} {1e3 * cost.seconds:10.1f}  {cost.work:9,}  {names} on {cost.case.texts}"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    main(given.seconds, given.seed, given.json)
