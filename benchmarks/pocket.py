"""How well does a judge play? Bits saved on the forty passages, and the arrow of time.

    python -m benchmarks.pocket [--judge pocket] [--heldout heldout.jsonl.xz] [--json]

A judge is worth playing against if words about a passage save bits and words about another one do not. Every prefix
here is words joined by spaces and ended by ". "; bits saved are those of the passage alone less those after the
prefix. With --heldout also: the six longest words of 100 held-out passages, and the twins on the same text.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from games.library import Passage, load
from judge.judge import Judge, Pair
from judge.loading.source import packaged_folder

RIVALS = 8
"""With how many other passages' words each passage is tried."""
HELD_OUT = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One passage. All `saved_*` are in bits; `wins` is how many of `RIVALS` foreign prefixes save less than the
    passage's own field."""

    passage: str
    title: str
    level: str
    tokens: int
    bits_per_token: float
    saved_field: float
    saved_other: float
    saved_random: float
    saved_half: float
    wins: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` texts and the half-width of its 95 % confidence interval (normal approximation)."""

    mean: float
    half_width: float
    n: int


def estimate(values: Sequence[float]) -> Estimate:
    """Needs at least two values."""
    half = 1.96 * statistics.stdev(values) / len(values) ** 0.5
    return Estimate(statistics.fmean(values), half, len(values))


def words_prefix(words: Sequence[str]) -> str:
    return " ".join(words) + ". "


def longest_words(text: str, count: int = 6) -> list[str]:
    """The longest distinct words, longest first; equals in the order they come."""
    seen: dict[str, str] = {}
    for word in re.findall(r"[^\W\d_]+", text):
        seen.setdefault(word.casefold(), word)
    return sorted(seen.values(), key=len, reverse=True)[:count]


def halves(text: str) -> tuple[str, str]:
    """Cut before the space nearest the middle: the second half keeps its space, so tokens stay whole."""
    spaces = [match.start() for match in re.finditer(" ", text)]
    middle = min(spaces, key=lambda place: abs(place - len(text) / 2))
    return text[:middle], text[middle:]


def totals(judge: Judge, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Bits of each (prefix, text)."""
    return [sum(bits) for bits in judge.measure([Pair(prefix, text) for prefix, text in pairs])]


def play(judge: Judge, passages: Sequence[Passage], seed: int = 0) -> list[Row]:
    """One row per passage."""
    rng = random.Random(seed)
    pool = sorted({word for passage in passages for word in (*passage.field, *re.findall(r"[a-z]{4,}", passage.text))})
    return [_row(judge, passage, passages, rng.sample(pool, 6), rng) for passage in passages]


def _row(
    judge: Judge, passage: Passage, passages: Sequence[Passage], random_words: list[str], rng: random.Random
) -> Row:
    others = rng.sample([other for other in passages if other.id != passage.id], RIVALS)
    prefixes = ["", words_prefix(passage.field), words_prefix(random_words)]
    prefixes += [words_prefix(other.field) for other in others]
    first, second = halves(passage.text)
    bits = totals(judge, [(prefix, passage.text) for prefix in prefixes] + [("", second), (first, second)])
    alone, own, chance, *rivals = bits[:-2]
    tokens = judge.tokens.count(passage.text)
    return Row(
        passage=passage.id,
        title=passage.title,
        level=passage.level.value,
        tokens=tokens,
        bits_per_token=alone / tokens,
        saved_field=alone - own,
        saved_other=alone - statistics.fmean(rivals),
        saved_random=alone - chance,
        saved_half=bits[-2] - bits[-1],
        wins=sum(own < rival for rival in rivals),
    )


def held_out_passages(file: Path, count: int = HELD_OUT) -> list[str]:
    """`count` runs of whole sentences, 300 to 500 characters, half of them from the novel, spread evenly."""
    novel: list[str] = []
    modern: list[str] = []
    for line in lzma.decompress(file.read_bytes()).decode("utf-8").splitlines():
        row = json.loads(line)
        (novel if "novel" in row["source"] else modern).extend(_sentence_runs(row["text"]))
    return [*_spread(novel, count // 2), *_spread(modern, count - count // 2)]


def _sentence_runs(text: str) -> Iterator[str]:
    run = ""
    for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", " ".join(text.split())):
        run = f"{run} {sentence}".strip()
        if len(run) >= 300:
            if len(run) <= 500:
                yield run
            run = ""


def _spread(items: Sequence[str], count: int) -> list[str]:
    return [items[(2 * index + 1) * len(items) // (2 * count)] for index in range(count)]


def six_words(judge: Judge, texts: Sequence[str]) -> dict[str, float]:
    """Shares of texts whose six longest words save bits, and save more than the next text's six."""
    prefixes = [words_prefix(longest_words(text)) for text in texts]
    foreign = prefixes[1:] + prefixes[:1]
    alone = totals(judge, [("", text) for text in texts])
    own = totals(judge, list(zip(prefixes, texts, strict=True)))
    other = totals(judge, list(zip(foreign, texts, strict=True)))
    return {
        "passages": len(texts),
        "save_bits": sum(mine < none for mine, none in zip(own, alone, strict=True)) / len(texts),
        "beat_another": sum(mine < theirs for mine, theirs in zip(own, other, strict=True)) / len(texts),
        "mean_saved": statistics.fmean(none - mine for mine, none in zip(own, alone, strict=True)),
    }


def arrow(forward: Judge, backward: Judge, texts: Sequence[str]) -> Estimate:
    """Bits per byte that reading backward costs more than reading forward, over the same texts."""
    pairs = [("", text) for text in texts]
    costs = zip(totals(forward, pairs), totals(backward, pairs), texts, strict=True)
    return estimate([(back - ahead) / len(text.encode()) for ahead, back, text in costs])


def has_twin() -> bool:
    """Whether pocket-backward is in this installation."""
    return (packaged_folder("pocket-backward") / "model.safetensors").is_file()


def report(judge_name: str, held_out: Path | None, backward_name: str | None) -> dict[str, object]:
    """Everything measured, JSON-able."""
    judge = Judge.load(judge_name)
    passages = load()
    rows = play(judge, passages)
    found: dict[str, object] = {"judge": judge_name, "identity": judge.identity, "summary": summary(rows)}
    found["passages"] = [asdict(row) for row in rows]
    texts = [passage.text for passage in passages]
    if held_out:
        texts = held_out_passages(held_out)
        found["six_longest_words"] = six_words(judge, texts)
    if backward_name:
        found["arrow_of_time"] = asdict(arrow(judge, Judge.load(backward_name), texts))
    return found


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """Means over the passages, and how often related words beat unrelated ones."""
    names = ("bits_per_token", "saved_field", "saved_other", "saved_random", "saved_half")
    means = {name: statistics.fmean(getattr(row, name) for row in rows) for name in names}
    return {
        **means,
        "field_saves": statistics.fmean(row.saved_field > 0 for row in rows),
        "field_beats_other": sum(row.wins for row in rows) / (RIVALS * len(rows)),
        "field_beats_random": statistics.fmean(row.saved_field > row.saved_random for row in rows),
    }


def table(found: dict[str, object]) -> str:
    """The report as text: one line a passage, then the sums."""
    rows = found["passages"]
    assert isinstance(rows, list)
    lines = ["passage      level   tokens  bits/token  field   other  random   half  wins"]
    lines += [
        f"{row['passage']:12} {row['level']:7} {row['tokens']:6} {row['bits_per_token']:11.2f} "
        f"{row['saved_field']:6.1f} {row['saved_other']:7.1f} {row['saved_random']:7.1f} {row['saved_half']:6.1f} "
        f"{row['wins']:3}/{RIVALS}"
        for row in rows
    ]
    for section in ("summary", "six_longest_words", "arrow_of_time"):
        figures = found.get(section)
        if isinstance(figures, dict):
            lines += ["", section.replace("_", " ")]
            lines += [f"  {name.replace('_', ' '):20} {value:.4g}" for name, value in figures.items()]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.pocket", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--judge", default="pocket", help="pocket, a folder or a hub id")
    parser.add_argument("--backward", help="its twin, for the arrow of time (default: pocket-backward if installed)")
    parser.add_argument("--heldout", type=Path, help="a .jsonl.xz of held-out texts (fields source, text)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    backward = args.backward or ("pocket-backward" if args.judge == "pocket" and has_twin() else None)
    found = report(args.judge, args.heldout, backward)
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if args.json else table(found))


if __name__ == "__main__":
    main()
