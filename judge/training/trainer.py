"""Steps, checkpoints, the progress line."""

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from judge.training.corpus import Data
from judge.training.data import replace, windows
from judge.training.distributed import add_up, barrier, rank_and_world
from judge.training.evaluate import Score, evaluate, total
from judge.training.model import Shape, make_model, shape_facts
from judge.training.optimizer import make_optimizers, rate, set_rate

log = logging.getLogger("judge.training")

CHECKPOINT = 2
"""Which way of writing checkpoint.pt this is."""


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
    primed_share: float
    seed: int
    dtype: str
    compile: bool
    device: str
    save_every: float
    eval_every: float
    stop_after: int


class Trainer:
    """Weights, gradients and optimiser in float32; matrix products in the compute dtype, by autocast.

    `seen` counts the training tokens so far, and everything a step does follows from it and the recipe.
    """

    def __init__(self, shape: Shape, recipe: Recipe, data: Data, work: Path) -> None:
        for name, length in (("short", min(recipe.short, shape.context)), ("context", shape.context)):
            if recipe.micro % length:
                raise ValueError(f"--micro {recipe.micro} is not a multiple of --{name} {length}")
        self.shape, self.recipe, self.data, self.work = shape, recipe, data, work
        self.rank, self.world = rank_and_world()
        self.seen = 0
        self.seconds = 0.0
        self.model = make_model(shape, recipe.seed)
        self.model.to(recipe.device)  # type: ignore[arg-type] # the library decorates it without its types
        self.optimizers = make_optimizers(self.model, recipe.matrix_lr, recipe.other_lr)
        self.loss_of = torch.compile(self._loss, dynamic=False) if recipe.compile else self._loss

    def _logits(self, tokens: Tensor) -> Tensor:
        """(rows, columns) to (rows, columns, vocab)."""
        dtype = getattr(torch, self.recipe.dtype)
        with torch.autocast(torch.device(self.recipe.device).type, dtype, enabled=dtype != torch.float32):
            logits: Tensor = self.model(input_ids=tokens, use_cache=False).logits
        return logits

    def _loss(self, batch: Tensor) -> Tensor:
        return F.cross_entropy(self._logits(batch[:, :-1]).flatten(0, 1).float(), batch[:, 1:].flatten())

    def late(self) -> bool:
        """Whether the last part of the run has begun, at the full context. What comes before is cheaper, and most of
        what there is to learn is local."""
        return self.seen >= (1 - self.recipe.long_share) * self.recipe.tokens

    def batch(self, position: int) -> Tensor:
        """The windows of one forward pass: (rows, columns + 1)."""
        recipe, data = self.recipe, self.data
        columns = self.shape.context if self.late() else min(recipe.short, self.shape.context)
        rows = max(1, recipe.micro // columns)
        special = round(rows * recipe.primed_share) if len(data.primed) > 2 * columns else 0
        parts = [windows(data.stream, position, rows - special, columns, recipe.seed, recipe.bos_share)]
        if special:
            nth = int(position * recipe.primed_share)
            parts.append(windows(data.primed, nth, special, columns, recipe.seed, 0.0))
        return torch.cat(parts).to(recipe.device)

    def step(self) -> float:
        """One step of `batch` tokens; the mean loss over it, in nats a token."""
        recipe = self.recipe
        pieces = max(1, recipe.batch // (recipe.micro * self.world))
        loss = torch.zeros((), device=recipe.device)
        for piece in range(pieces):
            number = piece * self.world + self.rank
            loss += self._accumulate(self.seen + number * recipe.micro, pieces)
        self._share(loss)
        set_rate(self.optimizers, rate(self.seen, recipe.tokens, recipe.warm_up, recipe.decay))
        for optimizer in self.optimizers:
            optimizer.step()
        self.model.zero_grad()
        self.seen += pieces * self.world * recipe.micro
        return float(loss)

    def _accumulate(self, position: int, pieces: int) -> Tensor:
        loss: Tensor = self.loss_of(self.batch(position)) / (pieces * self.world)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _share(self, loss: Tensor) -> None:
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients] + [loss.view(1)])
        add_up(flat)
        for gradient, part in zip(gradients, torch.split(flat[:-1], [g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))
        loss.copy_(flat[-1])

    def scores(self, every: int) -> dict[str, Score]:
        return evaluate(self._logits, self.data.held_out, self.data.byte_counts, every=every, device=self.recipe.device)

    def save(self, name: str = "checkpoint.pt") -> None:
        state = {
            "format": CHECKPOINT,
            "shape": shape_facts(self.shape),
            "seen": self.seen,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
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
        if state.get("format") != CHECKPOINT:
            raise ValueError(f"{path} was written by another version of this script: begin in an empty --work folder")
        if state["shape"] != shape_facts(self.shape):
            raise ValueError(f"{path} is of another shape: {state['shape']}")
        self.model.load_state_dict(state["model"])
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
        self.held_out = "not measured yet"
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
            self.held_out = f"{total(trainer.scores(every=16)).bits_per_byte:.3f}"
            self.scored = time.monotonic()
        if now - self.saved > recipe.save_every:
            trainer.save()
            self.saved = time.monotonic()
        if now - self.said > 15:
            self._say(loss, now)

    def _say(self, loss: float, now: float) -> None:
        trainer = self.trainer
        speed = (trainer.seen - self.said_at) / (now - self.said)
        left = max(0, trainer.recipe.tokens - trainer.seen) / speed / 60
        log.info(
            "%.2f M tokens, %.0f tokens/s, loss %.3f, held-out bits/byte %s, %.0f minutes left",
            trainer.seen / 1e6, speed, loss, self.held_out, left,
        )  # fmt: skip
        self.said, self.said_at = now, trainer.seen
