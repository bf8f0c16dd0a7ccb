"""The optimiser and the schedule.

Matrices inside the layers get Muon (Keller Jordan, 2024, https://kellerjordan.github.io/posts/muon): momentum whose
update is made orthogonal, so that every direction of a matrix learns at the same pace. On small models it needs about
two thirds of AdamW's tokens. The embedding and the norms get AdamW.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def orthogonal(matrix: Tensor, dtype: torch.dtype, steps: int = 5) -> Tensor:
    """The nearest (semi-)orthogonal matrix, roughly: a quintic Newton-Schulz iteration, singular values in
    about 0.7 to 1.2 after five steps. Returns float32 of the same shape (m, n)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.to(dtype)
    tall = x.shape[0] > x.shape[1]
    x = x.T.contiguous() if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    out: Tensor = (x.T if tall else x).float()
    return out


class Muon(torch.optim.Optimizer):
    """Momentum, Nesterov's look ahead, then `orthogonal`; tall matrices step further by the root of their ratio."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float, dtype: torch.dtype) -> None:
        super().__init__(list(parameters), {"lr": lr, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                self._step_one(parameter, group["lr"], group["momentum"])

    def _step_one(self, parameter: nn.Parameter, lr: float, momentum: float) -> None:
        if parameter.grad is None:
            return
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        velocity: Tensor = state["momentum"]
        velocity.lerp_(parameter.grad, 1 - momentum)
        update = orthogonal(parameter.grad.lerp(velocity, momentum), self.dtype)
        ratio = max(1.0, parameter.shape[0] / parameter.shape[1]) ** 0.5
        parameter.add_(update, alpha=-lr * ratio)


def make_optimizers(
    model: nn.Module, matrix_lr: float, other_lr: float, dtype: torch.dtype
) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest. `initial_lr` keeps each group's full rate."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.dim() == 2 and ".layers." in name]
    others = [p for name, p in named if not (p.dim() == 2 and ".layers." in name)]
    optimizers: list[torch.optim.Optimizer] = [
        Muon(matrices, lr=matrix_lr, momentum=0.95, dtype=dtype),
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
