"""Faster layers for a model on a CPU: the same sums, from weights laid out once for the matrix kernels.

A matrix product first copies its weights into the order that its inner loop wants; for a short text that copy
is much of the work (half of it in bfloat16). Here it is done once, at load:

    float32     MKL's packed product (cblas_sgemm_compute). It packs B by B alone, so one packing serves all
                lengths (https://github.com/uxlfoundation/oneDNN/issues/537); what follows is done in place
    bfloat16    oneDNN's product on a reordered weight, with what follows as its last step

Both are what torch.compile calls for a frozen model, and need no compiler. They are PyTorch's own but private
operators, so each shape of layer is first compared with the plain product; what is missing or differs stays as
it was.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

PACKED_FOR = 128  # rows; a hint
TRIED_ROWS = (1, 2, 31, 110)
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 0.02}  # of the largest value

# tanh GELU, Hendrycks and Gimpel 2016: x · sigmoid(x · (A + B · x²)), A = √(8/π), B = 0.044715 · A
GELU_A, GELU_B = 1.5957691216057308, 0.07135481627159748
GELU_ROWS = 32  # worked on at once: they stay in a core's own cache from step to step
GELU_NAMES = {"NewGELUActivation", "GELUTanh"}
SILU_NAMES = {"SiLU", "SiLUActivation"}
# (layer, the activation that its module applies right after it)
FOLLOWED_BY = (("c_fc", "act"), ("gate_proj", "act_fn"), ("fc1", "activation_fn"), ("dense_h_to_4h", "act"))

# oneDNN's names for what follows a product: function, its numbers, its variant
ONEDNN: dict[str, tuple[str, list[float], str]] = {
    "": ("none", [], ""),
    "gelu": ("gelu", [], "tanh"),
    "silu": ("swish", [], ""),
}

Verified = dict[tuple[object, ...], bool]


class Packed(nn.Module):
    """x (…, in) → f(x Wᵀ + b) (…, out), f being the tanh GELU, SiLU or nothing as `activation` says."""

    def __init__(self, weight: Tensor, bias: Tensor | None, activation: str = "") -> None:
        super().__init__()
        self.bias = bias
        self.activation = activation
        # The operator asks the plain weight for its shape and reads no value of it.
        self.shape = weight.new_zeros(1).expand(weight.shape)
        self.mkl = weight.dtype == torch.float32
        if self.mkl:
            self.packed = torch.ops.mkl._mkl_reorder_linear_weight(weight.contiguous(), PACKED_FOR)
            self.product = torch.ops.mkl._mkl_linear.default
        else:
            self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), PACKED_FOR)
            self.product = torch.ops.mkldnn._linear_pointwise.default
            self.combined = torch.ops.mkldnn._linear_pointwise.binary

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor
        if not self.mkl:
            y = self.product(x, self.packed, self.bias, *ONEDNN[self.activation])
            return y
        y = self.product(x, self.packed, self.shape, self.bias, x.numel() // x.shape[-1])
        if self.activation == "silu":
            return functional.silu(y, inplace=True)
        return gelu_(y) if self.activation else y

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """x Wᵀ + b + other. `activation` plays no part."""
        return self._combined(x, other, "add")

    def times(self, x: Tensor, other: Tensor) -> Tensor:
        """(x Wᵀ + b) · other. `activation` plays no part."""
        return self._combined(x, other, "mul")

    def _combined(self, x: Tensor, other: Tensor, how: str) -> Tensor:
        y: Tensor
        if not self.mkl:
            y = self.combined(x, other, self.packed, self.bias, how)
            return y
        y = self.product(x, self.packed, self.shape, self.bias, x.numel() // x.shape[-1])
        return y.add_(other) if how == "add" else y.mul_(other)


def gelu_(x: Tensor) -> Tensor:
    """The tanh GELU in place, x contiguous. PyTorch's own takes twice as long in float32."""
    scratch = x.new_empty(GELU_ROWS, x.shape[-1])
    for part in torch.split(x.view(-1, x.shape[-1]), GELU_ROWS):
        inner = torch.mul(part, part, out=scratch[: len(part)])
        part.mul_(inner.mul_(GELU_B).add_(GELU_A).mul_(part).sigmoid_())
    return x


def packed(layer: nn.Module, verified: Verified) -> Packed | None:
    """The same layer, packed; None for what is no linear layer or where the operators are not to be had.

    `verified` remembers which shapes have been compared with the plain product.
    """
    if type(layer) is nn.Linear:
        return pack(layer.weight.data, layer.bias, verified)
    if type(layer) is Conv1D:
        return pack(layer.weight.data.t(), layer.bias, verified)
    return None


def pack(weight: Tensor, bias: Tensor | None, verified: Verified) -> Packed | None:
    """The layer x Wᵀ + b, packed; else None. `weight` is (out, in)."""
    key = (weight.shape, weight.dtype, bias is None)
    if verified.get(key) is False:
        return None
    try:
        layer = Packed(weight, bias)
        if key not in verified:
            verified[key] = _agrees(layer, weight, bias)
    except (RuntimeError, AttributeError):  # not built into this PyTorch, or not for this processor
        verified[key] = False
    return layer if verified[key] else None


def pack_all(model: nn.Module, verified: Verified) -> bool:
    """Pack every linear layer of a model, in place. False where nothing could be."""
    found = False
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            layer = packed(child, verified)
            if layer is not None:
                setattr(parent, name, layer)
                found = True
    for parent in list(model.modules()):
        _join(parent)
    return found


def activation_name(act: object) -> str | None:
    """The name by which a packed layer knows an activation module."""
    if type(act).__name__ in GELU_NAMES or (isinstance(act, nn.GELU) and act.approximate == "tanh"):
        return "gelu"
    return "silu" if type(act).__name__ in SILU_NAMES else None


def _agrees(layer: Packed, weight: Tensor, bias: Tensor | None) -> bool:
    """Does the packed layer give the plain product at every number of rows tried?"""
    generator = torch.Generator().manual_seed(0)
    for rows in TRIED_ROWS:
        x = torch.randn(rows, weight.shape[1], generator=generator).to(weight.dtype)
        plain = functional.linear(x, weight, bias)
        if (layer(x) - plain).abs().max() > TOLERANCE[weight.dtype] * plain.abs().max():
            return False
    return True


def _join(parent: nn.Module) -> None:
    """Let a layer do the activation that follows it."""
    for layer_name, act_name in FOLLOWED_BY:
        layer, activation = getattr(parent, layer_name, None), activation_name(getattr(parent, act_name, None))
        if isinstance(layer, Packed) and activation:
            layer.activation = activation
            setattr(parent, act_name, nn.Identity())
