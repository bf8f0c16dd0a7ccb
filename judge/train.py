"""Train a judge: a small causal language model, from text files to a folder that transformers loads.

    python -m judge.train --text my-texts --work run --out my-judge

Interrupt it whenever you like; the same command goes on from the last checkpoint in --work. On a machine with
several cores, one process per core with one thread each is faster than one process with many threads:

    torchrun --nproc-per-node 2 -m judge.train --threads 1 ...
"""

import argparse
import copy
import json
import logging
import math
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from judge.train_data import (
    Document,
    build_stream,
    encode,
    read_documents,
    split_held_out,
    train_tokenizer,
    weigh,
    windows,
)
from judge.train_eval import Score, bytes_per_token, evaluate, total
from judge.train_model import Llama, Shape, save_folder, shape_facts
from judge.train_optim import make_optimizers, rate, set_rate

log = logging.getLogger("judge.train")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; all counts are in tokens. `long_share` and `decay` are shares of the whole run at its end."""

    tokens: int
    batch: int
    micro: int
    short: int
    long_share: float
    warm_up: int
    decay: float
    matrix_lr: float
    other_lr: float
    bos_share: float
    seed: int
    dtype: str
    compile: bool
    device: str
    save_every: float
    eval_every: float
    stop_after: int


class Data:
    """The tokenised texts of one run, kept in its work folder so that a resumed run starts at once."""

    def __init__(self, args: argparse.Namespace, lead: bool) -> None:
        self.backward = args.direction == "backward"
        if lead:
            self._prepare(args)
        barrier()
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(args.work / "tokenizer.json"))
        kept = torch.load(args.work / "tokens.pt")
        self.stream = build_stream(kept["train"], kept["times"], args.seed)
        self.held_out: dict[str, list[Tensor]] = kept["held_out"]
        self.byte_counts = bytes_per_token(self.tokenizer)

    def _prepare(self, args: argparse.Namespace) -> None:
        args.work.mkdir(parents=True, exist_ok=True)
        if (args.work / "tokens.pt").exists():
            return
        training, held_out = _documents(args)
        weights = dict(args.weight)
        if args.tokenizer:
            tokenizer = Tokenizer.from_file(str(args.tokenizer))
        else:
            tokenizer = train_tokenizer(training, weights, args.vocab)
        log.info("%d documents, %d held out, %d tokens to spell them", len(training), len(held_out), args.vocab)
        by_source: dict[str, list[Document]] = defaultdict(list)
        for document in held_out:
            by_source[document.source].append(document)
        kept = {
            "train": encode(tokenizer, training, self.backward),
            "times": [weigh(document.source, weights) for document in training],
            "held_out": {source: encode(tokenizer, group, self.backward) for source, group in by_source.items()},
        }
        tokenizer.save(str(args.work / "tokenizer.json"))
        replace(args.work / "tokens.pt", kept)


def _documents(args: argparse.Namespace) -> tuple[list[Document], list[Document]]:
    if args.heldout:
        return read_documents(args.text), read_documents(args.heldout)
    return split_held_out(read_documents(args.text))


class Trainer:
    """Master weights in float32; a copy in the compute dtype does the work of each step.

    `seen` counts the training tokens so far, and everything a step does follows from it and the recipe.
    """

    def __init__(self, shape: Shape, recipe: Recipe, data: Data, work: Path) -> None:
        self.shape, self.recipe, self.data, self.work = shape, recipe, data, work
        self.rank, self.world = place()
        self.seen = 0
        self.seconds = 0.0
        self.master = Llama(shape, recipe.seed).to(recipe.device)
        dtype = getattr(torch, recipe.dtype)
        self.optimizers = make_optimizers(self.master, recipe.matrix_lr, recipe.other_lr, dtype)
        self.worker = copy.deepcopy(self.master).to(dtype)
        self.worker.cos, self.worker.sin = self.master.cos, self.master.sin
        self.loss_of = torch.compile(self._loss, dynamic=False) if recipe.compile else self._loss

    def _loss(self, batch: Tensor) -> Tensor:
        logits = self.worker(batch[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1).float(), batch[:, 1:].flatten())

    def columns(self) -> int:
        """The length of windows now: short ones are cheaper, and most of what there is to learn is local."""
        late = self.seen >= (1 - self.recipe.long_share) * self.recipe.tokens
        return self.shape.context if late else min(self.recipe.short, self.shape.context)

    def step(self) -> float:
        """One step of `batch` tokens; the mean loss over it, in nats a token."""
        recipe = self.recipe
        pieces = max(1, recipe.batch // (recipe.micro * self.world))
        self.refresh()
        loss = torch.zeros((), device=recipe.device)
        for piece in range(pieces):
            number = piece * self.world + self.rank
            loss += self._accumulate(self.seen + number * recipe.micro, pieces)
        self._share(loss)
        set_rate(self.optimizers, rate(self.seen, recipe.tokens, recipe.warm_up, recipe.decay))
        for optimizer in self.optimizers:
            optimizer.step()
        self.master.zero_grad()
        self.seen += pieces * self.world * recipe.micro
        return float(loss)

    @torch.no_grad()
    def refresh(self) -> None:
        for master, worker in zip(self.master.parameters(), self.worker.parameters(), strict=True):
            worker.copy_(master)

    def _accumulate(self, position: int, pieces: int) -> Tensor:
        columns = self.columns()
        rows = max(1, self.recipe.micro // columns)
        batch = windows(
            self.data.stream, position, rows, columns, self.recipe.seed, self.recipe.bos_share
        ).to(self.recipe.device)
        loss: Tensor = self.loss_of(batch) / (pieces * self.world)
        loss.backward()  # type: ignore[no-untyped-call]
        for master, worker in zip(self.master.parameters(), self.worker.parameters(), strict=True):
            gradient = worker.grad.float() if worker.grad is not None else torch.zeros_like(master)
            master.grad = gradient if master.grad is None else master.grad.add_(gradient)
            worker.grad = None
        return loss.detach()

    def _share(self, loss: Tensor) -> None:
        if self.world == 1:
            return
        gradients = [p.grad for p in self.master.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients] + [loss.view(1)])
        dist.all_reduce(flat)
        for gradient, part in zip(gradients, flat[:-1].split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))
        loss.copy_(flat[-1])

    def scores(self, every: int) -> dict[str, Score]:
        self.refresh()
        return evaluate(
            self.worker, self.data.held_out, self.data.byte_counts, every=every, device=self.recipe.device
        )

    def save(self, name: str = "checkpoint.pt") -> None:
        state = {
            "shape": shape_facts(self.shape),
            "seen": self.seen,
            "seconds": self.seconds,
            "model": self.master.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        if self.rank == 0:
            replace(self.work / name, state)

    def resume(self) -> None:
        """Take up the checkpoint in the work folder, if there is one."""
        path = self.work / "checkpoint.pt"
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, map_location=self.recipe.device)
        if state["shape"] != shape_facts(self.shape):
            raise ValueError(f"{path} is of another shape: {state['shape']}")
        self.master.load_state_dict(state["model"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.seen, self.seconds = state["seen"], state["seconds"]
        log.info("resumed at %d tokens", self.seen)

    def run(self) -> None:
        """Train to the end of the recipe, saving as it goes."""
        clock = Clock(self)
        level_end = (1 - self.recipe.decay) * self.recipe.tokens
        end = min(self.recipe.tokens, self.recipe.stop_after or self.recipe.tokens)
        while self.seen < end:
            before = self.seen
            loss = self.step()
            clock.tick(loss)
            if before < level_end <= self.seen:
                self.save("before-decay.pt")
        self.save()
        barrier()


class Clock:
    """Keeps time for a trainer: the losses file, the progress line, checkpoints every few minutes."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.last = self.said = self.saved = self.scored = time.monotonic()
        self.said_at = trainer.seen
        self.held_out = math.nan
        self.losses = trainer.work / "losses.jsonl"

    def tick(self, loss: float) -> None:
        trainer, recipe, now = self.trainer, self.trainer.recipe, time.monotonic()
        trainer.seconds += now - self.last
        self.last = now
        if trainer.rank:
            return
        with self.losses.open("a") as file:
            file.write(json.dumps({"seen": trainer.seen, "loss": loss}) + "\n")
        if now - self.scored > recipe.eval_every:
            self.held_out = total(trainer.scores(every=16)).bits_per_byte
            self.scored = time.monotonic()
        if now - self.saved > recipe.save_every:
            trainer.save()
            self.saved = time.monotonic()
        if now - self.said > 15:
            self._say(loss, now)

    def _say(self, loss: float, now: float) -> None:
        trainer = self.trainer
        speed = (trainer.seen - self.said_at) / (now - self.said)
        left = (trainer.recipe.tokens - trainer.seen) / speed / 60
        log.info(
            "%.2f M tokens, %.0f tokens/s, loss %.3f, held-out bits/byte %.3f, %.0f minutes left",
            trainer.seen / 1e6, speed, loss, self.held_out, left,
        )  # fmt: skip
        self.said, self.said_at = now, trainer.seen


def place() -> tuple[int, int]:
    """This process's number and how many there are, as torchrun set them."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def barrier() -> None:
    if dist.is_initialized():
        dist.barrier()


def replace(path: Path, thing: object) -> None:
    """Save so that an interruption leaves the old file or the new one, never half of either."""
    temporary = path.with_suffix(".tmp")
    torch.save(thing, temporary)
    temporary.replace(path)


def score_folder(folder: Path, data: Data, device: str = "cpu") -> dict[str, Score]:
    """The finished folder, loaded by transformers in float32, on all held-out text."""
    model: nn.Module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(device).eval()
    return evaluate(lambda ids: model(input_ids=ids).logits, data.held_out, data.byte_counts, device=device)


def report(scores: dict[str, Score]) -> dict[str, float]:
    """Bits per byte by source and, under "all", together."""
    return {source: round(score.bits_per_byte, 4) for source, score in {**scores, "all": total(scores)}.items()}


def parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m judge.train", description=__doc__, formatter_class=formatter)
    add = parser.add_argument
    add("--text", type=Path, nargs="+", required=True, help="files or folders: plain text, or .jsonl[.xz|.gz]")
    add("--heldout", type=Path, nargs="+", help="text to evaluate on (default: a fiftieth of --text)")
    add("--weight", type=_weight, nargs="*", default=[], metavar="SOURCE=N",
        help="read documents whose source fits the pattern N times an epoch; the first that fits counts")  # fmt: skip
    add("--work", type=Path, required=True, help="folder for the tokens and checkpoints of this run")
    add("--out", type=Path, required=True, help="folder the judge is written to")
    add("--direction", choices=("forward", "backward"), default="forward")
    add("--tokenizer", type=Path, help="a tokenizer.json to use instead of training one")
    for field in fields(Shape):
        add(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
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
    add("--long-share", type=float, default=0.25, help="share of the run trained at the full context")
    add("--warm-up", type=int, default=500_000, help="tokens until the learning rate is full")
    add("--decay", type=float, default=0.4, help="share of the run over which the learning rate falls to zero")
    add("--matrix-lr", type=float, default=0.02, help="learning rate of the layers' matrices (Muon)")
    add("--other-lr", type=float, default=0.004, help="learning rate of embedding and norms (AdamW)")
    add("--bos-share", type=float, default=0.8, help="share of windows opened by the beginning-of-text token")
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
    if "WORLD_SIZE" in os.environ and int(os.environ["WORLD_SIZE"]) > 1:
        if args.device == "cuda":
            args.device = f"cuda:{os.environ['LOCAL_RANK']}"
        dist.init_process_group("nccl" if args.device.startswith("cuda") else "gloo")
    level = logging.INFO if place()[0] == 0 else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")


def train(args: argparse.Namespace) -> dict[str, float] | None:
    """One run, as the arguments say. Returns the finished judge's bits per byte by source; None on processes
    other than the first, and where --stop-after stopped it."""
    lead = place()[0] == 0
    data = Data(args, lead)
    args.vocab = data.tokenizer.get_vocab_size()
    shape = Shape(**{field.name: getattr(args, field.name) for field in fields(Shape)})
    recipe = Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
    trainer = Trainer(shape, recipe, data, args.work)
    trainer.resume()
    log.info(
        "%.2f M parameters, %.1f M tokens an epoch",
        sum(p.numel() for p in trainer.master.parameters()) / 1e6, len(data.stream) / 1e6,
    )  # fmt: skip
    trainer.run()
    if not lead or trainer.seen < recipe.tokens:
        return None
    save_folder(trainer.master, shape, data.tokenizer, args.direction, args.out)
    figures = report(score_folder(args.out, data, recipe.device))
    (args.work / "figures.json").write_text(
        json.dumps({"bits_per_byte": figures, "tokens": trainer.seen, "seconds": trainer.seconds}, indent=2) + "\n"
    )
    log.info("%s", json.dumps(figures))
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    args = parser().parse_args(arguments)
    _setup(args)
    train(args)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
