"""Two lessons about a judge, with figures: information counts by its subject, and top-p adapts where top-k does not.

    python -m benchmarks.lessons [--judge pocket]

*Relevant less irrelevant information of equal length.* Before each packaged passage stand words of its subject that do
not occur in it, or as many words of another kind of passage, of exactly as many tokens. What the former save more is
told with Student's 95 % interval over the passages. Of other passages there are up to `OTHERS` for each, averaged.

*Top-p adapts where top-k does not.* After the beginning of each passage the judge writes `WRITTEN` tokens by either
method from the same seed. At each token it is noted how many the cut left, what they have of the judge's probability,
and the entropy there: top-k always leaves as many, and so much or little; top-p as many as it takes.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations

from games.library import Passage, load
from judge.intervals import Interval, mean_interval
from judge.judge import Judge, Pair
from judge.samples import SampleStep

WORDS = 5
OTHERS = 8
OPENING, WRITTEN, SEED = 12, 32, 1  # words of a passage, tokens, the draw's seed
METHODS = ("top-k=40", "top-p=0.9")
SURE, UNSURE = 2.0, 8.0  # bits of entropy


def relevance(judge: Judge, passages: Sequence[Passage]) -> dict[str, Interval]:
    """What relevant words save, what irrelevant ones of equal length save, and the difference, in bits a passage."""
    rows = [(passage, *_hints(judge, passage, passages)) for passage in passages]
    rows = [row for row in rows if row[2]]
    pairs = [Pair(hint, row[0].text) for row in rows for hint in ("", row[1], *row[2])]
    bits = iter([sum(each) for each in judge.measure(pairs)])
    relevant, irrelevant = list[float](), list[float]()
    for _passage, _hint, others in rows:
        alone = next(bits)
        relevant.append(alone - next(bits))
        irrelevant.append(statistics.fmean(alone - next(bits) for _ in others))
    differences = [one - other for one, other in zip(relevant, irrelevant, strict=True)]
    named = {"relevant": relevant, "irrelevant": irrelevant, "difference": differences}
    return {name: mean_interval(values) for name, values in named.items()}


def _hints(judge: Judge, passage: Passage, passages: Sequence[Passage]) -> tuple[str, list[str]]:
    """Words of the passage's own subject, and such of others that are as many and have as many tokens."""
    own = ", ".join(passage.field[:WORDS]) + ". "
    length = judge.tokens.count(own)
    elsewhere = [each for each in passages if each.kind is not passage.kind]
    found = (next(_as_long(judge, each, passage, length), None) for each in elsewhere)
    return own, [each for each in found if each is not None][:OTHERS]


def _as_long(judge: Judge, other: Passage, passage: Passage, length: int) -> Iterator[str]:
    text = passage.text.lower()
    for words in combinations([word for word in other.field if word.lower() not in text], WORDS):
        hint = ", ".join(words) + ". "
        if judge.tokens.count(hint) == length:
            yield hint


def cuts(judge: Judge, passages: Sequence[Passage]) -> dict[str, dict[str, float]]:
    """Of each method how many tokens it left and what they had, where the judge was sure and where not."""
    openings = [" ".join(passage.text.split()[:OPENING]) for passage in passages]
    told = {}
    for method in METHODS:
        steps = [s for each in openings for s in judge.sample(each, method, tokens=WRITTEN, seed=SEED, top=0).steps]
        sure = [step for step in steps if step.entropy < SURE]
        unsure = [step for step in steps if step.entropy > UNSURE]
        told[method] = {
            "steps": len(steps),
            **{f"sure_{name}": value for name, value in _of(sure).items()},
            **{f"unsure_{name}": value for name, value in _of(unsure).items()},
            "correlation": statistics.correlation([s.entropy for s in steps], [_loose(s, method) for s in steps]),
        }
    return told


def _loose(step: SampleStep, method: str) -> float:
    """What of a cut is left to vary with the entropy: the share that top-k keeps, the tokens that top-p does."""
    return step.mass if method.startswith("top-k") else float(step.kept)


def _of(steps: Sequence[SampleStep]) -> dict[str, float]:
    if not steps:
        return {"count": 0}
    return {
        "count": len(steps),
        "kept": statistics.median(step.kept for step in steps),
        "mass": statistics.median(step.mass for step in steps),
        "least_mass": min(step.mass for step in steps),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--judge", default="pocket")
    given = parser.parse_args()
    judge, passages = Judge.load(given.judge), load()
    for name, found in relevance(judge, passages).items():
        bounds = f"95 % {found.low:+.2f} to {found.high:+.2f}"
        _tell(f"{name:11} {found.mean:+8.2f} bits a passage, {bounds}, {found.count} passages")
    for method, figures in cuts(judge, passages).items():
        _tell(f"{method:11} " + "  ".join(f"{name} {value:.3g}" for name, value in figures.items()))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
