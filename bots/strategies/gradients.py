"""Searches that look inside the judge: what they play is found by its gradients, at home.

``gcg`` asks the gradient which words are worth trying. ``gumbel`` and ``ascent`` follow it among mixtures and vectors
to where words are near; ``langevin`` and ``hmc`` wander among mixtures, where good ones are more often.
"""

from statistics import fmean

from bots.search import Search
from bots.whitebox import STALE, Bench, white_box
from judge import coordinate
from judge.annealing import Annealing, Ascent
from judge.hamiltonian import Chain, Mixtures

TOP, COUNT = 64, 16  # words that the gradient names for each place; exchanges that are tried of them all
PATIENCE = 6  # steps in a row that were no better, after which some words are drawn anew
SHAKEN = 3  # such words
COOLING, LOOKS = 60, 3  # gradient steps of `gumbel`; after so many its likeliest words are played
AMONG = 32  # words for each place among which `langevin` and `hmc` mix
TEMPERATURE, WIDTH = 1.5, 2.0  # bits, as of `mcmc`; of the normal distribution of logits
LEAPS = 5  # steps of the leapfrog of a move of `hmc`
MOVES = 60  # moves of a chain, after which it begins anew from the best, among words that the gradient names there


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


@white_box
def ascent(bench: Bench) -> Search:
    """Gradient ascent on vectors, each step projected to words; from the best anew when it turns in circles."""
    best = bench.start
    most = yield from bench.play(best)
    path = Ascent(bench.inside, best)
    stale = 0
    while True:
        found = path.step(bench.banned)
        bench.notes["steps"] += 1
        stale = 0 if bench.is_new(found) else stale + 1
        if stale == STALE:
            found, stale = bench.near_to(best), 0
            path.begin(found)
            bench.notes["begun anew"] += 1
        if not stale:
            bits = yield from bench.play(found)
            most, best = max((most, best), (bits, found))


@white_box
def gumbel(bench: Bench) -> Search:
    """Gumbel-softmax: gradient steps on mixtures that cool down to words."""
    best, gaps = bench.start, list[float]()
    most = yield from bench.play(best)
    while True:
        cooled = Annealing(bench.inside, best, bench.vocabulary.random.getrandbits(32), COOLING)
        while not cooled.is_over:
            for _ in range(LOOKS):
                cooled.step(bench.banned)
                bench.notes["steps"] += 1
            found = cooled.state(bench.banned)
            if bench.is_new(found):
                bits = yield from bench.play(found)
                most, best = max((most, best), (bits, found))
        gaps.append(cooled.gap(bench.banned))
        bench.stats["relaxation gap"] = fmean(gaps)
        bench.notes["coolings"] += 1
        bits = yield from bench.play(changed := bench.near_to(best))
        most, best = max((most, best), (bits, changed))


@white_box
def langevin(bench: Bench) -> Search:
    """Metropolis-adjusted Langevin sampling of mixtures: each move follows the gradient once, and draws."""
    yield from _wandered(bench, 1)


@white_box
def hmc(bench: Bench) -> Search:
    """Hamiltonian Monte Carlo of mixtures: each move follows the gradient several times."""
    yield from _wandered(bench, LEAPS)


def _wandered(bench: Bench, steps: int) -> Search:
    """Play the likeliest words of each place that a chain comes to."""
    best, size = bench.start, 0.5
    most = yield from bench.play(best)
    while True:
        named = coordinate.promising(bench.inside, best, bench.banned, AMONG - 1)
        count = min(map(len, named))
        words = [[word, *some[:count]] for word, some in zip(best, named, strict=True)]
        mixtures = Mixtures(bench.inside, words, temperature=TEMPERATURE, width=WIDTH)
        seed = bench.vocabulary.random.getrandbits(32)
        chain = Chain(mixtures.density, mixtures.start(), steps=steps, size=size, seed=seed)
        stale = 0
        for _ in range(MOVES):
            found = mixtures.state(chain.move())
            stale = 0 if bench.is_new(found) else stale + 1
            if not stale:
                bits = yield from bench.play(found)
                most, best = max((most, best), (bits, found))
            _tell(bench, chain)
            if stale == STALE:
                break
        size = chain.size
        bits = yield from bench.play(changed := bench.near_to(best))
        most, best = max((most, best), (bits, changed))
        bench.notes["chains"] += 1


def _tell(bench: Bench, chain: Chain) -> None:
    errors = [abs(each) for each in chain.errors]
    bench.stats |= {"acceptance": chain.acceptance, "step size": chain.size, "energy error": fmean(errors)}
    bench.notes["moves of chains"] += 1
