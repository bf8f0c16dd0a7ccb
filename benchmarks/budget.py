"""Looks for programs that take more time than the work they are charged for: ``python -m benchmarks.budget``.

``--seconds N`` how long (60), ``--seed N`` where to begin (1), ``--json`` the worst of all alone. Each case is a random
one of tests/support/costs.py; the worst so far are varied in what they are played on: the next are found near them.
What counts is the longest time of one replay, and the time of one unit: a play may take ``limits.WORK`` of them.
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

KEPT = 20  # of the worst, to vary


def search(seconds: float, seed: int) -> list[Cost]:
    """The worst cases that were found, the slowest replay first."""
    random, worst = Random(seed), list[Cost]()
    end = time.monotonic() + seconds
    for case in _candidates(random, worst):
        cost = measured(case)
        if cost is not None and cost.work > limits.WORK // 60:
            worst.append(cost)
            worst.sort(key=lambda each: -each.seconds)
            del worst[KEPT:]
        if time.monotonic() > end:
            break
    return worst


def _candidates(random: Random, worst: list[Cost]) -> Iterator[Case]:
    fresh = cases(random)
    while True:
        yield next(fresh)
        if worst:
            yield _varied(random, random.choice(worst).case)


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
        worst = max(cost.nanoseconds for cost in found)
        figures = {"replay_milliseconds": round(1e3 * found[0].seconds, 1), "unit_nanoseconds": round(worst, 1)}
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    sys.stdout.write("milliseconds  ns a unit  units      of\n")
    for cost in found:
        names = ", ".join(cost.case.names)
        line = f"{1e3 * cost.seconds:12.1f} {cost.nanoseconds:10.1f}  {cost.work:9,}  {names} on {cost.case.texts}"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    main(given.seconds, given.seed, given.json)
