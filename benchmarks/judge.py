"""How fast a judge measures: ours, a plain loop and a padded batch, in one run on the same texts.

    python -m benchmarks.judge [--model pocket|gpt2|llama-1b …] [--dtype float32|bfloat16 …] [--json]

Needs torch and transformers only. `gpt2` is a 124M GPT-2 and `llama-1b` a 1.2B Llama, both with random weights:
speed does not need training. Jobs are (prefix of 2 to 14 words, passage of 100 tokens), all different.

    ours       `Judge.measure` with 1, 8, 64, 512 jobs waiting, texts in, bits out
    loop       one pair at a time, all logits, the passage without its prefix measured anew for each, all cores
    batch      as lm-evaluation-harness asks: sorted, padded, all logits; the best of several batch sizes
    harness    that library itself, where it is installed

The matrix rate is that of the model's own matrix products at these lengths, by the faster of PyTorch's plain and
packed operators, with nothing in between. Ratios are of medians of interleaved runs; the spread is the middle half.
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
from transformers.pytorch_utils import Conv1D

import judge
from judge.kernels import Packed
from judge.lanes import cores
from judge.measure import Judge, Pair

POCKET = Path(judge.__file__).parent / "pocket"
PASSAGE_TOKENS = 100
WAITING = (1, 8, 64, 512)
BATCH_SIZES = (1, 8, 32)
LENGTHS = (25, 50, 100, 200)
LOOP_JOBS = {"pocket": 24, "gpt2": 6, "llama-1b": 3}
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


@dataclass(slots=True)
class Times:
    """Seconds per job, one number per run, under the name of what was timed."""

    runs: dict[str, list[float]] = field(default_factory=dict)
    patience: float = 0.0  # seconds to wait for other processes to rest, each time
    crowd: float = 0.0  # the most cores that other processes had during any of it

    def add(self, name: str, jobs: int, work: Callable[..., object], *arguments: object) -> None:
        _wait_for_quiet(self.patience)
        before, start = _busy_seconds(), time.perf_counter()
        work(*arguments)
        wall = time.perf_counter() - start
        self.runs.setdefault(name, []).append(wall / jobs)
        if wall > 0.5:
            self.crowd = max(self.crowd, (_busy_seconds() - before) / wall)

    def median(self, name: str) -> float:
        return statistics.median(self.runs[name])

    def spread(self, name: str) -> float:
        """The middle half of the runs, as a share of their median."""
        runs = self.runs[name]
        if len(runs) < 3:
            return max(runs) / min(runs) - 1
        low, _, high = statistics.quantiles(runs, n=4)
        return (high - low) / self.median(name)


def _busy_seconds() -> float:
    """CPU seconds that processes other than this one have had since boot; 0 where the system does not say."""
    try:
        fields = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]]
    except OSError:
        return 0.0
    mine = time.process_time()
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK") - mine


def _wait_for_quiet(patience: float) -> None:
    """Until other processes have less than a tenth of a core, but not longer than `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = _busy_seconds()
        time.sleep(0.3)
        if _busy_seconds() - before < 0.03:
            return


@contextlib.contextmanager
def folder_of(name: str) -> Iterator[Path]:
    """A folder with the judge: pocket's own, or random weights beside pocket's tokenizer."""
    if name == "pocket":
        yield POCKET
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


class Plain:
    """Transformers alone, as most people would use it."""

    def __init__(self, folder: Path, measured: Judge, dtype: torch.dtype, device: torch.device) -> None:
        kind: Any = transformers.AutoModelForCausalLM
        self.model = kind.from_pretrained(folder, dtype=dtype).eval().to(device)
        self.device, self.tokens, self.bos = device, measured.tokens, measured.bos

    def loop(self, pairs: Sequence[Pair]) -> None:
        for pair in pairs:
            self.forward(pair)
            self.forward(Pair("", pair.text))

    def forward(self, pair: Pair) -> list[float]:
        before = [self.bos, *self.tokens.ids(pair.prefix)]
        text = self.tokens.ids(pair.text)
        with torch.inference_mode():
            logits = self.model(torch.tensor([before + text], device=self.device)).logits[0, len(before) - 1 : -1]
            log_p = torch.log_softmax(logits.float(), dim=-1)
            nats: list[float] = log_p.gather(1, torch.tensor(text, device=self.device)[:, None])[:, 0].tolist()
        return nats

    def batches(self, pairs: Sequence[Pair], size: int) -> None:
        rows = [([self.bos, *self.tokens.ids(pair.prefix)], self.tokens.ids(pair.text)) for pair in pairs]
        rows.sort(key=lambda row: -len(row[0]) - len(row[1]))
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            width = max(len(before) + len(text) for before, text in batch) - 1
            inputs = torch.zeros(len(batch), width, dtype=torch.long)
            for i, (before, text) in enumerate(batch):
                inputs[i, : len(before) + len(text) - 1] = torch.tensor((before + text)[:-1])
            with torch.inference_mode():
                log_p = torch.log_softmax(self.model(inputs.to(self.device)).logits, dim=-1)
                for i, (before, text) in enumerate(batch):
                    part = log_p[i, len(before) - 1 : len(before) + len(text) - 1]
                    part.argmax(dim=-1).tolist()
                    part.gather(1, torch.tensor(text, device=self.device)[:, None]).sum().item()


def harness(plain: Plain, folder: Path) -> Callable[[Sequence[Pair], int], None] | None:
    """lm-evaluation-harness on the same model; None where it is not installed."""
    try:
        from lm_eval.api.instance import Instance  # type: ignore[import-not-found, unused-ignore]
        from lm_eval.models.huggingface import HFLM  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def run(pairs: Sequence[Pair], size: int) -> None:
        asked = HFLM(pretrained=plain.model, tokenizer=tokenizer, batch_size=size)
        asked.loglikelihood(
            [Instance("loglikelihood", {}, (pair.prefix, pair.text), i) for i, pair in enumerate(pairs)],
            disable_tqdm=True,
        )

    return run


class Matrix:
    """The model's matrix products at the lengths of the jobs, and nothing between them."""

    def __init__(self, model: Any, rows: int) -> None:
        self.rows = rows
        self.layers = list(_linear(model))
        dtype, device = model.dtype, model.device
        self.x = {width: torch.randn(rows, width, dtype=dtype, device=device) for _, width, _ in self.layers}
        self.flops = sum(2 * scored * k * n for (n, k, scored) in self._shapes())
        self.weights = [layer for layer, _, _ in self.layers]
        self.packed = self._pack() if device.type == "cpu" else []

    def _shapes(self) -> Iterator[tuple[int, int, int]]:
        for weight, width, is_head in self.layers:
            yield weight.shape[0], width, PASSAGE_TOKENS if is_head else self.rows

    def _pack(self) -> list[Packed]:
        try:
            return [Packed(weight, None) for weight in self.weights]
        except (RuntimeError, AttributeError):
            return []

    def run(self, layers: Sequence[Any], times: int) -> None:
        torch.set_num_threads(1)
        with torch.inference_mode():
            for layer, (_, width, is_head) in zip(layers, self.layers, strict=True):
                x = self.x[width][:PASSAGE_TOKENS] if is_head else self.x[width]
                for _ in range(times):
                    layer(x) if isinstance(layer, Packed) else torch.nn.functional.linear(x, layer)

    def time(self, times: Times, pool: ThreadPoolExecutor, lanes: int, count: int) -> None:
        for name, layers in (("plain", self.weights), ("packed", self.packed)):
            if layers:
                self.run(layers, 1)
                times.add(f"matrix {name}", lanes * count, self._all, pool, lanes, layers, count)

    def _all(self, pool: ThreadPoolExecutor, lanes: int, layers: Sequence[Any], count: int) -> None:
        list(pool.map(lambda _: self.run(layers, count), range(lanes)))
        if self.x[self.layers[0][1]].is_cuda:
            torch.cuda.synchronize()


def _linear(model: Any) -> Iterator[tuple[torch.Tensor, int, bool]]:
    """(weight (out, in), in, is it the output layer?) of every linear layer."""
    for name, module in model.named_modules():
        if isinstance(module, Conv1D):
            yield module.weight.data.t().contiguous(), module.weight.shape[0], False
        elif isinstance(module, torch.nn.Linear):
            yield module.weight.data, module.in_features, name == "lm_head"


def bench(
    name: str, dtype: str, *, runs: int, waiting: Sequence[int], device: str | None, patience: float
) -> dict[str, Any]:
    """All figures for one model in one dtype."""
    with folder_of(name) as folder:
        measured = Judge.load(folder, dtype=dtype, device=device)
        target = torch.device("cuda" if measured.build.startswith("cuda") else "cpu")
        plains = {d: Plain(folder, measured, getattr(torch, d), target) for d in dict.fromkeys(("float32", dtype))}
        pairs = texts(measured, max(waiting))
        few = pairs[: LOOP_JOBS[name]]
        times, lanes = Times(patience=patience), cores() if target.type == "cpu" else 1
        mean = round(statistics.mean(measured.cost(pair) for pair in pairs)) - 1
        matrix = Matrix(plains[dtype].model, mean * (1 if target.type == "cpu" else 16))
        asked = harness(plains[dtype], folder)
        measured.measure(pairs[:16])
        with ThreadPoolExecutor(lanes) as pool:
            for _ in range(runs):
                for count in waiting:
                    times.add(f"ours {count}", count, measured.measure, pairs[:count])
                torch.set_num_threads(cores())
                for d, plain in plains.items():
                    plain.forward(few[0])
                    times.add(f"loop {d}", len(few), plain.loop, few)
                times.add("lone forward", 1, plains[dtype].forward, pairs[0])
                for size in BATCH_SIZES:
                    some = pairs[: max(size, len(few))]
                    times.add(f"batch {size}", len(some), plains[dtype].batches, some, size)
                    if asked:
                        times.add(f"harness {size}", len(some), asked, some, size)
                matrix.time(times, pool, lanes, 2)
        lengths = _by_length(measured, patience)
        return _report(name, dtype, measured, times, matrix, pairs, waiting, lengths, lanes)


def _by_length(measured: Judge, patience: float) -> dict[int, float]:
    """Milliseconds per job, 64 waiting, by the tokens of the passage."""
    found = {}
    for length in LENGTHS:
        if length + 60 <= measured.context:
            times, pairs = Times(patience=patience), texts(measured, 64, length)
            for _ in range(3):
                times.add("ours", 64, measured.measure, pairs)
            found[length] = 1000 * times.median("ours")
    return found


def _report(
    name: str,
    dtype: str,
    measured: Judge,
    times: Times,
    matrix: Matrix,
    pairs: Sequence[Pair],
    waiting: Sequence[int],
    lengths: dict[int, float],
    lanes: int,
) -> dict[str, Any]:
    tokens = statistics.mean(measured.cost(pair) for pair in pairs)
    most = f"ours {max(waiting)}"
    matrix_names = [each for each in times.runs if each.startswith("matrix")]
    per_job = min(times.median(each) for each in matrix_names)
    scale = matrix.rows / (tokens - 1)
    batch = min((each for each in times.runs if each.startswith("batch")), key=times.median)
    asked = [each for each in times.runs if each.startswith("harness")]
    return {
        "model": name,
        "dtype": dtype,
        "build": measured.build,
        "lanes": lanes,
        "other_processes_cores": round(times.crowd, 2),
        "ms_per_job": {each: round(1000 * times.median(each), 3) for each in times.runs},
        "spread": {each: round(times.spread(each), 3) for each in times.runs},
        "jobs_per_s": {each: round(1 / times.median(each), 2) for each in times.runs},
        "tokens_per_s": {each: round(tokens / times.median(each)) for each in times.runs if each.startswith("ours")},
        "matrix_gflops": {each: round(matrix.flops / times.median(each) / 1e9) for each in matrix_names},
        "share_of_matrix_rate": round(per_job / scale / times.median(most), 3),
        "times_loop_float32": round(times.median("loop float32") / times.median(most), 2),
        "times_loop_same_dtype": round(times.median(f"loop {dtype}") / times.median(most), 2),
        "times_batch": round(times.median(batch) / times.median(most), 2),
        "best_batch": batch,
        "times_harness": round(min(map(times.median, asked)) / times.median(most), 2) if asked else None,
        "lone_over_forward": round(times.median("ours 1") / times.median("lone forward"), 2),
        "ms_by_passage_tokens": {length: round(ms, 3) for length, ms in lengths.items()},
    }


def peak_memory(name: str, dtype: str, count: int, device: str | None) -> float:
    """MiB that a process of its own needs at most to measure `count` jobs."""
    command = [sys.executable, "-m", "benchmarks.judge", "--peak", str(count), "--model", name, "--dtype", dtype]
    command += ["--device", device] if device else []
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _print_peak(name: str, dtype: str, count: int, device: str | None) -> None:
    with folder_of(name) as folder:
        measured = Judge.load(folder, dtype=dtype, device=device)
    measured.measure(texts(measured, count))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if measured.build.startswith("cuda"):
        peak = torch.cuda.max_memory_allocated() / 2**20
    sys.stdout.write(f"{peak}\n")


def table(report: dict[str, Any]) -> str:
    """One model's figures for people."""
    ms, spread = report["ms_per_job"], report["spread"]
    lines = [
        f"{report['model']} {report['dtype']}: {report['build']}; lanes {report['lanes']}, "
        f"others had up to {report['other_processes_cores']} cores",
        *(
            f"  {name:<16} {ms[name]:10.2f} ms a job  {1000 / ms[name]:9.1f} a second  ±{spread[name]:.0%}"
            for name in ms
        ),
        f"  tokens a second, most waiting   {list(report['tokens_per_s'].values())[-1]}",
        f"  share of the matrix rate        {report['share_of_matrix_rate']:.0%} of {report['matrix_gflops']} GFLOP/s",
        f"  times loop float32, same dtype  {report['times_loop_float32']}, {report['times_loop_same_dtype']}",
        f"  times {report['best_batch']:<25} {report['times_batch']}",
        f"  times harness                   {report['times_harness'] or 'lm-evaluation-harness is not installed'}",
        f"  lone job over one plain forward {report['lone_over_forward']}",
        f"  ms by tokens of the passage     {report['ms_by_passage_tokens']}",
        f"  peak MiB by jobs waiting        {report.get('peak_mib', 'not measured')}",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or with --json one JSON list."""
    parser = argparse.ArgumentParser(prog="benchmarks.judge")
    parser.add_argument("--model", action="append", choices=["pocket", *MODELS])
    parser.add_argument("--dtype", action="append", choices=["float32", "bfloat16"])
    parser.add_argument("--device")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=int, default=max(WAITING), help="the most jobs waiting")
    parser.add_argument("--wait", type=float, default=0, help="seconds to wait for a quiet machine, each time")
    parser.add_argument("--no-memory", action="store_true", help="leave the peak memory out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    models, dtypes = asked.model or ["pocket", "gpt2"], asked.dtype or ["float32", "bfloat16"]
    if asked.peak:
        _print_peak(models[0], dtypes[0], asked.peak, asked.device)
        return
    reports = []
    waiting = [count for count in WAITING if count <= asked.most]
    for name in models:
        for dtype in dtypes:
            report = bench(name, dtype, runs=asked.runs, waiting=waiting, device=asked.device, patience=asked.wait)
            if not asked.no_memory:
                report["peak_mib"] = {n: round(peak_memory(name, dtype, n, asked.device)) for n in waiting[-2:]}
            reports.append(report)
            if not asked.json:
                sys.stdout.write(table(report))
    if asked.json:
        sys.stdout.write(json.dumps(reports) + "\n")


if __name__ == "__main__":
    main()
