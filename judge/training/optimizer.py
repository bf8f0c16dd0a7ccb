"""The optimiser and the schedule.

Matrices inside the layers get Muon (Keller Jordan, 2024, https://kellerjordan.github.io/posts/muon): momentum whose
update is made orthogonal, so that every direction of a matrix learns at the same pace. On small models it needs about
two thirds of AdamW's tokens. The embedding and the norms get AdamW.
"""

from collections.abc import Iterable

import torch
from torch import nn


def make_optimizers(model: nn.Module, matrix_lr: float, other_lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest. `initial_lr` keeps each group's full rate."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.dim() == 2 and ".layers." in name]
    others = [p for name, p in named if not (p.dim() == 2 and ".layers." in name)]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=matrix_lr, momentum=0.95, weight_decay=0.0, adjust_lr_fn="original"),
        torch.optim.AdamW(others, lr=other_lr, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def rate(seen: int, total: int, warm_up: int, decay: float) -> float:
    """The share of the full learning rate after `seen` of `total` tokens: up over `warm_up` tokens, level, then
    straight down to zero over the last `decay` of the run. While it is level, `total` may still be changed."""
    up = (seen + 1) / warm_up if warm_up else 1.0
    down = (total - seen) / (decay * total) if decay else 1.0
    return max(0.0, min(1.0, up, down))


def set_rate(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
