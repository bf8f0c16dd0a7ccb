"""Searches that see nothing but scores, from guessing to sampling. Each begins anew when it has come to its end.

``random`` and ``field-words`` guess. ``greedy`` and ``beam`` build a move word by word. ``climb``, ``anneal`` and
``mcmc`` change one word at a time; they differ in which changes they take.
"""

import math
from collections import Counter
from collections.abc import Sequence

from bots.search import NOTHING, Search, strategy
from bots.strategies.vocabulary import MANY, Vocabulary

TRIED = 24  # words that are tried for a place, by `greedy`; by `beam` all its beams together
WIDTH = 4  # beams
PATIENCE = 60  # changes in a row that `climb` does not take before it begins anew
HOT, COLD = 4.0, 0.25  # bits: temperatures between which `anneal` cools,
COOLING = 300  # in so many steps
TEMPERATURE = 1.5  # bits, of `mcmc`


@strategy
def random_words(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """Any words: what searching and guessing a subject have to beat."""
    while True:
        yield vocabulary.some(vocabulary.everything)


@strategy
def field_words(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """Words of the passage's subject, without learning."""
    while True:
        yield vocabulary.some(vocabulary.near)


@strategy
def greedy(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """The best next word of some, again and again, until none helps."""
    while True:
        built: list[str] = []
        best = NOTHING
        while len(built) < MANY:
            tried = []
            for word in vocabulary.others(built, TRIED):
                tried.append(((yield [*built, word]), word))
            bits, word = max(tried, default=(NOTHING, ""))
            if bits <= best:
                break
            built, best = [*built, word], bits
        notes["moves built"] += 1
        if not built:  # nothing at all was scored: look elsewhere
            yield vocabulary.some(vocabulary.everything)


@strategy
def beam(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """As greedy, but it goes on with the best few: the best beginning is not always the beginning of the best."""
    while True:
        beams: list[tuple[float, list[str]]] = [(NOTHING, [])]
        best = NOTHING
        for _ in range(MANY):
            grown = []
            for _, built in beams:
                for word in vocabulary.others(built, TRIED // len(beams)):
                    grown.append(((yield [*built, word]), [*built, word]))
            beams = sorted(grown, reverse=True)[:WIDTH]
            if not beams or beams[0][0] <= best:
                break
            best = beams[0][0]
        notes["moves built"] += 1
        if best == NOTHING:
            yield vocabulary.some(vocabulary.everything)


@strategy
def climb(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """Takes every change that is no worse. Where none is found any more, it begins elsewhere."""
    while True:
        at = vocabulary.some(vocabulary.near)
        bits = yield at
        failed = 0
        while failed < PATIENCE:
            changed = _changed(vocabulary, at)
            earned = yield changed
            failed = 0 if earned > bits else failed + 1
            if earned >= bits:
                at, bits = changed, earned
        notes["tops reached"] += 1


@strategy
def anneal(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """Takes worse changes, too, but ever more seldom: first it looks around, then it climbs."""
    while True:
        at = vocabulary.some(vocabulary.near)
        bits = yield at
        for step in range(COOLING):
            temperature = HOT * (COLD / HOT) ** (step / (COOLING - 1))
            changed = _changed(vocabulary, at)
            earned = yield changed
            notes["changes tried"] += 1
            if _taken(vocabulary, earned - bits, temperature):
                at, bits = changed, earned
                notes["changes taken"] += 1
        notes["coolings"] += 1


@strategy
def mcmc(vocabulary: Vocabulary, notes: Counter[str]) -> Search:
    """Metropolis: in the long run, moves of six near words come as often as 2^(bits / temperature) says."""
    at = vocabulary.others((), MANY)
    bits = yield at
    while True:
        changed = _exchanged(vocabulary, at)
        earned = yield changed
        notes["changes tried"] += 1
        if _taken(vocabulary, earned - bits, TEMPERATURE):
            at, bits = changed, earned
            notes["changes taken"] += 1


def _taken(vocabulary: Vocabulary, gain: float, temperature: float) -> bool:
    """Metropolis' rule. gain, temperature: bits."""
    if gain >= 0 or math.isnan(gain):  # nan: neither was scored, so that one is as good as the other
        return True
    return vocabulary.random.random() < 2 ** (gain / temperature)


def _changed(vocabulary: Vocabulary, move: Sequence[str]) -> list[str]:
    """The move with one word replaced, added or left out, or two swapped."""
    changed, place = list(move), vocabulary.random.randrange(len(move))
    new = vocabulary.others(move, 1)
    match vocabulary.random.choice(("replace", "replace", "replace", "add", "drop", "swap")):
        case "add" if len(changed) < MANY:
            changed[place:place] = new
        case "drop" if len(changed) > 1:
            del changed[place]
        case "swap":
            _swap(vocabulary, changed)
        case _:
            changed[place : place + 1] = new or changed[place : place + 1]
    return changed


def _exchanged(vocabulary: Vocabulary, move: Sequence[str]) -> list[str]:
    """One word replaced or two swapped: a change that is as likely as the one back, as Metropolis' rule wants it."""
    changed = list(move)
    if vocabulary.random.random() < 0.25:
        _swap(vocabulary, changed)
        return changed
    place = vocabulary.random.randrange(len(changed))
    changed[place : place + 1] = vocabulary.others(move, 1) or changed[place : place + 1]
    return changed


def _swap(vocabulary: Vocabulary, words: list[str]) -> None:
    one, other = (vocabulary.random.randrange(len(words)) for _ in range(2))
    words[one], words[other] = words[other], words[one]
