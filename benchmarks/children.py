"""Children of a judge: what they learn from its texts, and from the tokens that surprised it most or least.

    python -m benchmarks.children --language code

A parent is trained on a small language and writes as many texts, by drawing from its own distribution. Its children all
begin with the same weights, which are not its own, and see as many texts:

* ``texts``: of the language, those that the parent was trained on
* ``parent's texts``: those that it wrote
* ``highest``, ``lowest``: the parent's texts again, but a loss only at the half of the tokens that surprised the parent
  most, or least

What they cost, in bits per byte, is measured on texts of the language that nobody was trained on, and told for each of
``--seeds`` seeds (5) and as a mean with Student's 95 % interval. ``--documents`` of each (2,000), ``--json``.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlamaForCausalLM

from judge.intervals import mean_interval
from judge.languages import LANGUAGES, MOST_BYTES, documents
from judge.training.model import Shape, make_model
from judge.training.optimizer import make_optimizers, rate, set_rate

SHAPE = Shape(vocab=257, width=64, layers=2, heads=4, feed_forward=176, context=256)
BORDER = 0  # before a text and after it; a byte is its number and one
NOTHING = -100  # where no loss is
ROWS = 8  # texts of a step
EPOCHS = 2
HELD_OUT = 100


def rows_of(texts: Sequence[bytes]) -> Tensor:
    """(texts, MOST_BYTES + 2): what stands between its borders, then NOTHING."""
    rows = torch.full((len(texts), MOST_BYTES + 2), NOTHING)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text) + 2] = torch.tensor([BORDER, *(byte + 1 for byte in text), BORDER])
    return rows


def loss_of(model: LlamaForCausalLM, rows: Tensor) -> Tensor:
    """Bits of each token but the first, (texts, MOST_BYTES + 1); 0 where there is none."""
    logits = model(input_ids=rows[:, :-1].clamp(min=0), use_cache=False).logits
    loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=NOTHING, reduction="none")
    return loss.view(len(rows), -1) / math.log(2)


def train(rows: Tensor, seed: int, counted: Tensor | None = None) -> LlamaForCausalLM:
    """A judge from nothing. counted: at which tokens but the first a loss is; None: at all."""
    model = make_model(SHAPE, seed)
    optimizers = make_optimizers(model, 0.02, 0.004)
    counted = rows[:, 1:] != NOTHING if counted is None else counted
    steps = EPOCHS * len(rows) // ROWS
    order = torch.cat([torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed)) for _ in range(EPOCHS)])
    for step in range(steps):
        some = order[step * ROWS : (step + 1) * ROWS]
        wanted = counted[some]
        ((loss_of(model, rows[some]) * wanted).sum() / wanted.sum()).backward()  # type: ignore[no-untyped-call]
        set_rate(optimizers, rate(step, steps, steps // 20, 0.4))
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()
    return model


@torch.no_grad()
def surprise(model: LlamaForCausalLM, rows: Tensor) -> Tensor:
    return torch.cat([loss_of(model, some) for some in torch.split(rows, 64)])


@torch.no_grad()
def written(model: LlamaForCausalLM, count: int, seed: int) -> list[bytes]:
    """Texts by drawing from the model's own distribution, until it says that they end."""
    generator, texts = torch.Generator().manual_seed(seed), list[bytes]()
    while len(texts) < count:
        ids = torch.full((256, 1), BORDER)
        past = None
        while ids.shape[1] <= MOST_BYTES + 1:
            told = model(input_ids=ids[:, -1:], past_key_values=past, use_cache=True)
            past = told.past_key_values
            drawn = torch.multinomial(told.logits[:, -1].softmax(-1), 1, generator=generator)
            ids = torch.cat((ids, drawn), dim=1)
        for row in ids[:, 1:].tolist():
            length = row.index(BORDER) if BORDER in row else MOST_BYTES
            texts.append(bytes(token - 1 for token in row[:length]))
    return texts[:count]


def bits_per_byte(model: LlamaForCausalLM, rows: Tensor) -> float:
    """Of the texts between their borders."""
    size = int((rows > BORDER).sum())
    return float(surprise(model, rows).double().sum()) / size


def family(language: str, seed: int, count: int) -> dict[str, float]:
    """What the parent and each child cost on held-out texts."""

    def texts(part: str, wanted: int) -> Tensor:
        endless = documents(language, seed, part, wanted * (MOST_BYTES + 1))
        return rows_of([text.encode() for text, _ in zip(endless, range(wanted), strict=False)])

    own, held_out = texts("train", count), texts("held out", HELD_OUT)
    parent = train(own, seed)
    found = {"the parent": bits_per_byte(parent, held_out)}
    its = rows_of(written(parent, count, seed))
    bits, there = surprise(parent, its), its[:, 1:] != NOTHING
    middle = bits[there].median()
    diets: dict[str, tuple[Tensor, Tensor | None]] = {
        "texts": (own, None),
        "parent's texts": (its, None),
        "highest": (its, there & (bits > middle)),
        "lowest": (its, there & (bits <= middle)),
    }
    for name, (rows, counted) in diets.items():
        found[name] = bits_per_byte(train(rows, seed + 1000, counted), held_out)
        sys.stderr.write(f"{language}, seed {seed}, {name}: {found[name]:.4f} bits a byte\n")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=list(LANGUAGES), default="code")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.seeds < 2 or given.documents < 10 * ROWS:
        parser.error(f"--seeds: 2 at least; --documents: {10 * ROWS} at least")
    torch.set_num_threads(given.threads)
    families = [family(given.language, seed, given.documents) for seed in range(1, given.seeds + 1)]
    if given.json:
        sys.stdout.write(json.dumps(families) + "\n")
        return
    sys.stdout.write("| trained on | bits a byte, held out | 95 % |\n|---|---|---|\n")
    for name in families[0]:
        known = mean_interval([each[name] for each in families])
        sys.stdout.write(f"| {name} | {known.mean:.4f} | {known.low:.4f} to {known.high:.4f} |\n")


if __name__ == "__main__":
    main()
