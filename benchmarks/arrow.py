"""Twins on the small languages: what reading from the right costs more than reading from the left.

    python -m benchmarks.arrow --work runs/arrow

For each language and each of ``--seeds`` seeds (5) one pair of twins, of the same first weights and in the same order
of the same texts: forward and backward are paired by seed. A seed also makes the rule of a language that has several.
Both read the same held-out texts. The difference is told in percent of what forward pays, with Student's 95 % interval
over the seeds; where a language is reversible by construction, that has to lie within ±0.5 %.

``--tokens`` of each twin, ``--language NAME …`` some of them only. It takes hours on two cores, may be stopped, and
goes on where it was; ``--work`` keeps the twins, and ``figures.json`` with all that was found.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.arrow import compare, together
from judge.intervals import mean_interval
from judge.judge import Judge
from judge.languages import LANGUAGES
from judge.training import twins

SAME = 0.5  # percent


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair of twins on held-out text: bits per byte."""

    language: str
    seed: int
    forward: float
    backward: float

    @property
    def percent(self) -> float:
        """What backward costs more."""
        return 100 * (self.backward / self.forward - 1)


def pair(work: Path, language: str, seed: int, tokens: int | None) -> Pair:
    """Trained now, unless it was before."""
    order = twins.Order(work / f"{language}-{seed}", ("forward", "backward"), seed, language=language, tokens=tokens)
    twins.train(order)
    forward, backward = (Judge.load(order.folder(each)) for each in order.directions)
    passages = [each for text in compare(forward, backward, twins.held_out(order)) for each in text]
    _, size = together(passages)
    return Pair(
        language, seed, sum(each.forward for each in passages) / size, sum(each.backward for each in passages) / size
    )


def verdict(language: str, pairs: Sequence[Pair]) -> dict[str, Any]:
    """What the pairs of one language say together."""
    known = mean_interval([each.percent for each in pairs])
    if known.low >= -SAME and known.high <= SAME:
        says = f"the same, to within {SAME} %"
    elif known.low > 0:
        says = "forward is easier"
    elif known.high < 0:
        says = "backward is easier"
    else:
        says = "not told apart"
    return {
        "language": language,
        "reversible": LANGUAGES[language].reversible,
        "seeds": len(pairs),
        "forward": sum(each.forward for each in pairs) / len(pairs),
        "backward": sum(each.backward for each in pairs) / len(pairs),
        "percent": known.mean,
        "low": known.low,
        "high": known.high,
        "verdict": says,
    }


def table(verdicts: Sequence[dict[str, Any]]) -> str:
    """In Markdown, as docs/lab.md has it."""
    lines = ["| language | forward | backward | more, backward | 95 % | |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `{each['language']}` | {each['forward']:.4f} | {each['backward']:.4f} | {each['percent']:+.2f} % "
        f"| {each['low']:+.2f} to {each['high']:+.2f} % | {each['verdict']} |"
        for each in verdicts
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/arrow"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--language", nargs="+", choices=list(LANGUAGES), default=list(LANGUAGES))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.seeds < 2:
        parser.error("--seeds: an interval needs two at least")
    verdicts, pairs = [], list[Pair]()
    for language in given.language:
        found = [pair(given.work, language, seed, given.tokens) for seed in range(1, given.seeds + 1)]
        verdicts.append(verdict(language, found))
        pairs += found
        rows = [{"language": each.language, "seed": each.seed, "forward": each.forward, "backward": each.backward}
                for each in pairs]  # fmt: skip
        (given.work / "figures.json").write_text(json.dumps({"languages": verdicts, "pairs": rows}, indent=2) + "\n")
    sys.stdout.write(json.dumps(verdicts) + "\n" if given.json else table(verdicts) + "\n")


if __name__ == "__main__":
    main()
