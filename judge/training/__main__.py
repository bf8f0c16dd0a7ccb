"""Train a judge: a small causal language model, from text files to a folder that transformers loads.

    python -m judge.training --text my-texts --work run --out my-judge

Interrupt it whenever you like; the same command goes on from the last checkpoint in --work. On a machine with
several cores, one process per core with one thread each is faster than one process with many threads:

    torchrun --nproc-per-node 2 -m judge.training --threads 1 ...
"""

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from judge.loading.model import quiet
from judge.training.corpus import Data
from judge.training.distributed import begin, end, rank_and_world
from judge.training.evaluate import Score, evaluate, total
from judge.training.model import Shape, load_weights, save_folder, shape_of
from judge.training.trainer import Recipe, Trainer

log = logging.getLogger("judge.training")

SHAPE_HELP = {
    "vocab": "tokens in the vocabulary, 257 at least",
    "width": "size of the residual stream",
    "layers": "how many layers",
    "heads": "attention heads per layer",
    "feed_forward": "inner width of each layer's feed-forward part",
    "context": "the longest text, in tokens, that the judge can be asked about",
    "rope_theta": "base of the rotary positions' wavelengths",
}


def score_folder(folder: Path, data: Data, device: str = "cpu") -> dict[str, Score]:
    """The finished folder, loaded by transformers in float32, on all held-out text."""
    with quiet():
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model: nn.Module = loaded.to(device).eval()
    return evaluate(lambda ids: model(input_ids=ids).logits, data.held_out, data.byte_counts, device=device)


def report(scores: dict[str, Score]) -> dict[str, float]:
    """Bits per byte by source and, under "all", together."""
    return {source: round(score.bits_per_byte, 4) for source, score in {**scores, "all": total(scores)}.items()}


def parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m judge.training", description=__doc__, formatter_class=formatter)
    add = parser.add_argument
    add("--text", type=Path, nargs="+", required=True, help="files or folders: plain text, or .jsonl[.xz|.gz]")
    add("--heldout", type=Path, nargs="+", help="text to evaluate on (default: a fiftieth of --text)")
    add("--weight", type=_weight, nargs="*", default=[], metavar="SOURCE=N",
        help="read documents whose source fits the pattern N times an epoch; the first that fits counts")  # fmt: skip
    add("--work", type=Path, required=True, help="folder for the tokens and checkpoints of this run")
    add("--out", type=Path, required=True, help="folder the judge is written to")
    add("--base", type=Path, help="a judge's folder to go on from: its weights, tokenizer and shape")
    add("--direction", choices=("forward", "backward"), default="forward")
    add("--tokenizer", type=Path, help="a tokenizer.json to use instead of training one")
    for field in fields(Shape):
        about = f"{SHAPE_HELP[field.name]} (default: {field.default})"
        add(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default, help=about)
    _add_recipe(parser)
    add("--threads", type=int, default=0, help="CPU threads per process (default: torch's choice)")
    return parser


def _weight(text: str) -> tuple[str, int]:
    pattern, _, times = text.rpartition("=")
    return pattern, int(times)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--tokens", type=int, default=30_000_000, help="how many tokens to train on in all")
    add("--batch", type=int, default=12_288, help="tokens per step")
    add("--micro", type=int, default=3_072, help="tokens per forward pass; a multiple of --context")
    add("--short", type=int, default=256, help="window length before the last --long-share of the run")
    add("--long-share", type=float, default=0.35,
        help="share of the run, at its end, trained at the full context")  # fmt: skip
    add("--warm-up", type=int, default=500_000, help="tokens until the learning rate is full")
    add("--decay", type=float, default=0.4, help="share of the run over which the learning rate falls to zero")
    add("--matrix-lr", type=float, default=0.02, help="learning rate of the layers' matrices (Muon)")
    add("--other-lr", type=float, default=0.004, help="learning rate of embedding and norms (AdamW)")
    add("--bos-share", type=float, default=0.8, help="share of windows opened by the beginning-of-text token")
    add("--primed", type=int, help="primed passages to make (see judge/training/primed.py; default: what a run reads)")
    add("--primed-share", type=float, default=0.25, help="share of windows with primed passages")
    add("--seed", type=int, default=0)
    add("--dtype", choices=("bfloat16", "float32"), default="bfloat16", help="what the matrices multiply in")
    add("--compile", action=argparse.BooleanOptionalAction, default=True)
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--save-every", type=float, default=120.0, help="seconds between checkpoints")
    add("--eval-every", type=float, default=240.0, help="seconds between looks at held-out text")
    add("--stop-after", type=int, default=0, help="stop at this many tokens, as if interrupted (0: never)")


def _setup(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    args.device = begin(args.device)


@contextmanager
def told(name: str = "") -> Iterator[None]:
    """How far a training is, on standard error, until it ends. name: what stands before each line."""
    handler, before = logging.StreamHandler(sys.stderr), log.level
    handler.setFormatter(logging.Formatter(f"%(asctime)s {name}%(message)s", "%H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO if rank_and_world()[0] == 0 else logging.WARNING)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def train(args: argparse.Namespace) -> dict[str, float] | None:
    """One run, as the arguments say. Returns the finished judge's bits per byte by source; None on processes
    other than the first, and where --stop-after stopped it."""
    lead = rank_and_world()[0] == 0
    data = Data(args, lead)
    args.vocab = data.tokenizer.get_vocab_size()
    shape = Shape(**{field.name: getattr(args, field.name) for field in fields(Shape)})
    if args.base:
        shape = shape_of(args.base, args.context)
    recipe = Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
    trainer = Trainer(shape, recipe, data, args.work)
    if args.base:
        load_weights(trainer.model, args.base)
    trainer.resume()
    log.info(
        "%.2f M parameters, %.1f M tokens an epoch",
        sum(p.numel() for p in trainer.model.parameters()) / 1e6, len(data.stream) / 1e6,
    )  # fmt: skip
    trainer.run()
    if not lead or trainer.seen < recipe.tokens:
        return None
    save_folder(trainer.model, shape, data.tokenizer, args.direction, args.out)
    figures = report(score_folder(args.out, data, recipe.device))
    (args.work / "figures.json").write_text(
        json.dumps({"bits_per_byte": figures, "tokens": trainer.seen, "seconds": trainer.seconds}, indent=2) + "\n"
    )
    log.info("%s", json.dumps(figures))
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    args = parser().parse_args(arguments)
    _setup(args)
    with told():
        train(args)
    end()


if __name__ == "__main__":
    main()
