"""Searches that look inside the judge: what they play is found by its gradients, at home.

``gcg`` asks the gradient which words are worth trying.
"""

from bots.search import Search
from bots.whitebox import Bench, white_box
from judge import coordinate

TOP, COUNT = 64, 16  # words that the gradient names for each place; exchanges that are tried of them all
PATIENCE = 6  # steps in a row that were no better, after which some words are drawn anew
SHAKEN = 3  # such words


@white_box
def gcg(bench: Bench) -> Search:
    """Greedy coordinate gradient: of some exchanges that the gradient names the best is played, and kept if better."""
    best = at = bench.start
    most = bits = yield from bench.play(at)
    failed = 0
    while True:
        ranked = coordinate.step(bench.inside, at, bench.banned, bench.vocabulary.random, top=TOP, count=COUNT)
        earned, found = yield from bench.play_best(ranked)
        bench.notes["steps"] += 1
        failed = 0 if earned > bits else failed + 1
        if earned > bits:
            at, bits = found, earned
        if failed == PATIENCE:
            best, most = max((most, best), (bits, at))[::-1]
            at = best
            for _ in range(SHAKEN):
                at = bench.near_to(at)
            bits, failed = (yield from bench.play(at)), 0
            bench.notes["begun anew"] += 1
