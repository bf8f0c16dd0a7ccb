"""How fast a judge measures: ours and others, in one run on the same texts and weights.

    python -m benchmarks.judge [--model pocket|smollm2-135m|gpt2|llama-1b …] [--dtype …] [--quick] [--json]

Needs torch and transformers only. `gpt2` is a 124M GPT-2 and `llama-1b` a 1.2B Llama, both with random weights:
speed does not need training. A job is a prefix of 2 to 14 words and a passage of 100 tokens; all are different.

    ours       `Judge.measure` with 1, 8, 64, 512 jobs waiting: texts in, bits out
    loop       one pair at a time, all logits, the passage without its prefix measured anew for each, all cores
    batch      as lm-evaluation-harness asks: sorted, filled up, all logits; the best of several batch sizes
    harness    that library itself, where it is installed; the best of several batch sizes
    matrix     the model's own matrix products at these shapes, with nothing in between: the limit

Every run does all of it, in every dtype, one after the other. A ratio is the median of the runs' ratios, and stands
with the least and the greatest. Memory is that of processes of their own. At the end some pairs are measured again,
shuffled and alone: none may get other bits.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging

import judge
from benchmarks._rivals import Matrix, Plain, harness
from judge.engine.cpu_lanes import cores
from judge.judge import Judge, Pair
from judge.loading.packages.catalog import SMOLLM2
from judge.loading.source import find

_logging: Any = logging  # untyped functions

POCKET = Path(judge.__file__).parent / "pocket"
PASSAGE_TOKENS = 100
WAITING = (1, 8, 64, 512)
BATCH_SIZES = (1, 8, 32)
LENGTHS = (25, 50, 100, 200)
REPEATED = 32
LOOP_JOBS = {"pocket": 24, SMOLLM2.name: 4, "gpt2": 4, "llama-1b": 3}
MODELS: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: transformers.GPT2Config(bos_token_id=0, eos_token_id=0),
    "llama-1b": lambda: transformers.LlamaConfig(
        vocab_size=128_256,
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=16,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=2048,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=True,
    ),
}

Ratio = tuple[float, float, float]  # median, least, greatest


@dataclass(slots=True)
class Times:
    """Seconds per job, one number per run, under the name of what was timed."""

    runs: dict[str, list[float]] = field(default_factory=dict)
    patience: float = 0.0  # seconds to wait for other processes to rest, each time
    crowd: float = 0.0  # the most cores that other processes had during any of it

    def add(self, name: str, jobs: int, work: Callable[..., object], *arguments: object) -> None:
        _wait_for_quiet(self.patience)
        before, start = _others_seconds(), time.perf_counter()
        work(*arguments)
        wall = time.perf_counter() - start
        self.runs.setdefault(name, []).append(wall / jobs)
        if wall > 0.5:
            self.crowd = max(self.crowd, (_others_seconds() - before) / wall)

    def median(self, name: str) -> float:
        return statistics.median(self.runs[name])

    def best(self, kind: str) -> str | None:
        """The fastest of those whose name begins with `kind`."""
        return min((name for name in self.runs if name.startswith(kind)), key=self.median, default=None)

    def ratio(self, slow: str | None, fast: str) -> Ratio | None:
        """How many times as fast `fast` is as `slow`, run by run."""
        if slow is None:
            return None
        each = [s / f for s, f in zip(self.runs[slow], self.runs[fast], strict=True)]
        return statistics.median(each), min(each), max(each)


def _others_seconds() -> float:
    """CPU seconds that processes other than this one have had since boot; 0 where the system does not say."""
    try:
        fields = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]]
    except OSError:
        return 0.0
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK") - time.process_time()


def _wait_for_quiet(patience: float) -> None:
    """Until other processes have less than a tenth of a core, but not longer than `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = _others_seconds()
        time.sleep(0.3)
        if _others_seconds() - before < 0.03:
            return


@contextlib.contextmanager
def folder_of(name: str) -> Iterator[Path]:
    """A folder with the judge: pocket's or an installed one's own, or random weights beside pocket's tokenizer."""
    if name not in MODELS:
        yield find(name).folder
        return
    with tempfile.TemporaryDirectory(prefix="xentarena-bench-") as path:
        torch.manual_seed(0)
        kind: Any = transformers.AutoModelForCausalLM
        kind.from_config(MODELS[name](), dtype=torch.float32).save_pretrained(path)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(POCKET / file, path)
        yield Path(path)


def texts(measured: Judge, count: int, tokens: int = PASSAGE_TOKENS) -> list[Pair]:
    """Pairs of a prefix of 2 to 14 made-up words and one of ten passages of exactly `tokens` tokens."""
    draw = random.Random(7)
    words = ["".join(draw.choices("aeioulnrstdm", k=draw.randint(2, 8))) for _ in range(500)]
    passages = []
    for _ in range(10):
        text = " ".join(draw.choices(words, k=2 * tokens))
        passages.append(text[: measured.tokens.ends(text)[tokens - 1]])
    return [Pair(" ".join(draw.choices(words, k=draw.randint(2, 14))), draw.choice(passages)) for _ in range(count)]


class Contest:
    """All that is timed for a model in one dtype."""

    def __init__(self, folder: Path, name: str, dtype: str, device: str | None, waiting: Sequence[int]) -> None:
        self.dtype, self.waiting = dtype, waiting
        self.judge = Judge.load(folder, dtype=dtype, device=device)
        target = torch.device("cuda" if self.judge.build.startswith("cuda") else "cpu")
        self.pairs = texts(self.judge, max(waiting))
        self.few = self.pairs[: LOOP_JOBS[name]]
        self.tokens = statistics.mean(map(self.judge.token_count, self.pairs))
        self.plain = Plain(folder, self.judge, dtype, target)
        self.harness = harness(self.plain, folder)
        self.lanes = cores() if target.type == "cpu" else 1
        self.matrix = Matrix(self.plain.model, round(self.tokens) - 1, PASSAGE_TOKENS, self.lanes)
        self.pool = ThreadPoolExecutor(self.lanes)
        self._check()

    def _check(self) -> None:
        """Ours and the plain forward must say the same, or the comparison is none. Also warms up."""
        ours = self.judge.measure(self.pairs[:16])[0]
        theirs = [nats / torch.log(torch.tensor(2.0)).item() for nats in self.plain.forward(self.pairs[0])]
        apart = statistics.mean(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        assert apart < (0.001 if self.dtype == "float32" else 0.1), f"{apart} bits per token apart"
        for way in self.matrix.ways:
            self.matrix.run(way, self.pool)

    def run(self, times: Times) -> None:
        """Each once, those that are timed with one job after another such job: others have had the caches meanwhile."""
        self.judge.measure(self.few[:1])
        for count in self.waiting:
            times.add(f"ours {count}", count, self.judge.measure, self.pairs[:count])
        torch.set_num_threads(cores())  # lanes have set it to one
        self.plain.forward(self.few[0])
        times.add("lone forward", 1, self.plain.forward, self.pairs[0])
        times.add("loop", len(self.few), self.plain.loop, self.few)
        for size in BATCH_SIZES:
            some = self.pairs[: max(size, len(self.few))]
            times.add(f"batch {size}", len(some), self.plain.batches, some, size)
            if self.harness:
                times.add(f"harness {size}", len(some), self.harness, some, size)
        for way in self.matrix.ways:
            times.add(f"matrix {way}", self.matrix.jobs, self.matrix.run, way, self.pool)

    def changed(self) -> int:
        """How many of REPEATED pairs get other bits shuffled in sevens, or alone, than all together."""
        pairs = self.pairs[:REPEATED]
        together = self.judge.measure(pairs)
        shuffled = random.Random(7).sample(range(len(pairs)), len(pairs))
        changed = set()
        for size in (7, 1):
            for start in range(0, len(pairs), size):
                group = shuffled[start : start + size]
                found = self.judge.measure([pairs[index] for index in group])
                changed |= {index for index, bits in zip(group, found, strict=True) if bits != together[index]}
        return len(changed)

    def by_length(self) -> dict[int, float]:
        """Milliseconds per job by the tokens of the passage, as many waiting as keep all lanes busy."""
        found = {}
        for length in LENGTHS:
            if length + 60 <= self.judge.context:
                times, pairs = Times(), texts(self.judge, 16, length)
                self.judge.measure(pairs)
                for _ in range(2):
                    times.add("ours", len(pairs), self.judge.measure, pairs)
                found[length] = round(1000 * times.median("ours"), 3)
        return found

    def report(self, times: Times, *, loop32: list[float] | None, ours32: list[float] | None) -> dict[str, Any]:
        """The figures; `loop32` and `ours32` are the times of the same runs in float32, where there were any."""
        most = f"ours {max(self.waiting)}"
        matrix = times.best("matrix")
        assert matrix is not None
        both = Times({**times.runs, **({"loop32": loop32} if loop32 else {}), **({"ours32": ours32} if ours32 else {})})
        return {
            "dtype": self.dtype,
            "build": self.judge.build,
            "lanes": self.lanes,
            "tokens_per_job": round(self.tokens, 1),
            "other_processes_cores": round(times.crowd, 2),
            "ms_per_job": {name: [round(1000 * run, 3) for run in runs] for name, runs in times.runs.items()},
            "matrix_gflops": round(self.matrix.flops / times.median(matrix) / 1e9),
            "ratios": {
                "share of the matrix rate": times.ratio(matrix, most),
                "times loop": times.ratio("loop", most),
                **({"times loop in float32": both.ratio("loop32", most)} if loop32 else {}),
                **({"times ours in float32": both.ratio("ours32", most)} if ours32 else {}),
                "times batch, the best": times.ratio(times.best("batch"), most),
                "times harness, the best": times.ratio(times.best("harness"), most),
                "a lone job over one plain forward": times.ratio("ours 1", "lone forward"),
            },
            "ms_by_passage_tokens": self.by_length(),
            "changed": [self.changed(), len(self.pairs[:REPEATED])],
        }


def bench(name: str, folder: Path, dtypes: Sequence[str], asked: argparse.Namespace) -> list[dict[str, Any]]:
    """The reports of one model, one for each dtype."""
    waiting = [count for count in WAITING if count <= asked.most]
    contests = [Contest(folder, name, dtype, asked.device, waiting) for dtype in dtypes]
    times = {dtype: Times(patience=asked.wait) for dtype in dtypes}
    for _ in range(asked.runs):
        for contest in contests:
            contest.run(times[contest.dtype])
    reports = []
    for contest in contests:
        other = times["float32"].runs if contest.dtype != "float32" and "float32" in times else {}
        report = contest.report(
            times[contest.dtype], loop32=other.get("loop"), ours32=other.get(f"ours {max(waiting)}")
        )
        if not asked.no_memory:
            report["peak_mib"] = {n: peak_memory(folder, contest.dtype, n, asked.device) for n in waiting[-2:]}
        reports.append({"model": name, **report})
    return reports


def peak_memory(folder: Path, dtype: str, count: int, device: str | None) -> int:
    """MiB that a process of its own needs at most while it measures `count` jobs, the model included."""
    command = [sys.executable, "-m", "benchmarks.judge", "--peak", str(count), "--folder", str(folder)]
    command += ["--dtype", dtype, *(["--device", device] if device else [])]
    return round(float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))


def _print_peak(folder: Path, dtype: str, count: int, device: str | None) -> None:
    measured = Judge.load(folder, dtype=dtype, device=device)
    pairs = texts(measured, count)
    with contextlib.suppress(OSError):  # only Linux forgets what loading took
        Path("/proc/self/clear_refs").write_text("5")
    measured.measure(pairs)
    sys.stdout.write(f"{_peak_mib(measured)}\n")


def _peak_mib(measured: Judge) -> float:
    if measured.build.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    high = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return (high[0] if high else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def table(report: dict[str, Any]) -> str:
    """One model's figures in one dtype, for people."""
    lines = [
        f"{report['model']} {report['dtype']}: {report['build']}",
        f"  lanes {report['lanes']}, {report['tokens_per_job']} tokens a job; other processes had up to "
        f"{report['other_processes_cores']} cores",
        f"  {'':<14}{'ms a job':>10}{'scores/s':>10}{'tokens/s':>10}   least to greatest ms",
    ]
    for name, runs in report["ms_per_job"].items():
        ms = statistics.median(runs)
        rate, tokens = 1000 / ms, 1000 * report["tokens_per_job"] / ms
        lines.append(f"  {name:<14}{ms:10.2f}{rate:10.1f}{tokens:10.0f}   {min(runs):.2f} to {max(runs):.2f}")
    for name, ratio in report["ratios"].items():
        said = f"{ratio[0]:.2f}   ({ratio[1]:.2f} to {ratio[2]:.2f})" if ratio else "not installed"
        lines.append(f"  {name:<36}{said}")
    lines += [
        f"  {'matrix rate, GFLOP/s':<36}{report['matrix_gflops']}",
        f"  {'ms by tokens of the passage':<36}{report['ms_by_passage_tokens']}",
        f"  {'pairs whose bits company changed':<36}{report['changed'][0]} of {report['changed'][1]}",
        f"  {'peak MiB by jobs waiting':<36}{report.get('peak_mib', 'not measured')}",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or with --json one JSON list."""
    asked = _parser().parse_args(arguments)
    _logging.disable_progress_bar()
    models, dtypes = asked.model or ["pocket", "gpt2"], asked.dtype or ["float32", "bfloat16"]
    if asked.peak:
        _print_peak(asked.folder, dtypes[0], asked.peak, asked.device)
        return
    if asked.quick:
        asked.runs, asked.most, asked.no_memory = 3, 64, True
    reports = []
    for name in models:
        with folder_of(name) as folder:
            reports += bench(name, folder, dtypes, asked)
        if not asked.json:
            sys.stdout.write("".join(map(table, reports[-len(dtypes) :])))
    if asked.json:
        sys.stdout.write(json.dumps(reports) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.judge")
    parser.add_argument("--model", action="append", choices=["pocket", SMOLLM2.name, *MODELS])
    parser.add_argument("--dtype", action="append", choices=["float32", "bfloat16"])
    parser.add_argument("--device")
    parser.add_argument("--quick", action="store_true", help="three runs, at most 64 jobs, no memory")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=int, default=max(WAITING), help="the most jobs waiting")
    parser.add_argument("--wait", type=float, default=0, help="seconds to wait for a quiet machine, each time")
    parser.add_argument("--no-memory", action="store_true", help="leave the peak memory out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
