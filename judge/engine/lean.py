"""The commonest models in few steps: what transformers computes, on a CPU, with packed layers.

For a judge as small as pocket the many small steps between matrix products cost as much as the products, and
each holds Python's lock against the other lanes; here a layer is about fifteen steps. Llama, Mistral, Qwen2,
Qwen3 and GPT-2 are written out; all else runs through transformers. The answer is compared with the model's own
at load (judge/engine/network.py), and dropped where they differ.

Several sequences go through together, step by step, each in calls of its own: so a weight is fetched from
memory once for all of them, and no sequence's arithmetic depends on another.

Shapes: x (n, width), one sequence; q, k, v (n, heads, head width); attention is causal over the n positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from judge.engine.packed import Packed, Verified, activation_name, pack, packed

# Of the output layer at once: the logits of a passage then stay in a core's cache until they are reduced.
HEAD_TOKENS = 8192
LLAMA_LIKE = {"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"}


class Unsuitable(Exception):
    """A model that is not one of those written out here, or whose layers cannot be packed."""


class Layer(Protocol):
    def __call__(self, xs: list[Tensor]) -> list[Tensor]:
        """One layer of the model, on several sequences."""


class Part(NamedTuple):
    """Of the output layer: what gives the logits of some tokens, and the first of these."""

    layer: Packed
    first: int


class Lean:
    """A causal language model. Safe to use from many threads at once."""

    def __init__(
        self, embed: nn.Embedding, layers: Sequence[Layer], norm: Any, head: list[Part], positions: Tensor | None = None
    ) -> None:
        self.embed, self.layers, self.norm, self.head, self.positions = embed, layers, norm, head, positions

    def hidden(self, rows: Sequence[Tensor], scored: Sequence[int]) -> list[Tensor]:
        """Last hidden states of the last `scored` positions of each row of ids: (n,) → (scored, width)."""
        xs = [self.first(ids) for ids in rows]
        for layer in self.layers:
            xs = layer(xs)
        return [self.norm(x[-k:]) for x, k in zip(xs, scored, strict=True)]

    def first(self, ids: Tensor) -> Tensor:
        """What goes into the first layer: (n,) → (n, width)."""
        x: Tensor = self.embed(ids)
        return x if self.positions is None else x + self.positions[: len(x)]


def lean(model: Any, body: Any, verified: Verified) -> Lean:
    """The same model in few steps; `body` is all of it but the output layer. Raises Unsuitable."""
    kind, config = type(model).__name__, model.config
    if kind in LLAMA_LIKE and _llama_suits(config):
        rope = _rope(body)
        llama = [_LlamaLayer(layer, rope, verified) for layer in body.layers]
        return Lean(body.embed_tokens, llama, _Norm(body.norm), _head(model.lm_head, verified))
    if kind == "GPT2LMHeadModel" and _gpt2_suits(config):
        gpt2 = [_Gpt2Layer(layer, verified) for layer in body.h]
        return Lean(body.wte, gpt2, body.ln_f, _head(model.lm_head, verified), positions=body.wpe.weight)
    raise Unsuitable(kind)


class _LlamaLayer:
    """x + attention(norm x), then that plus the gated unit of its norm."""

    def __init__(self, layer: Any, rope: tuple[Tensor, Tensor], verified: Verified) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.first, self.second = _Norm(layer.input_layernorm), _Norm(layer.post_attention_layernorm)
        self.qkv = _side_by_side([attention.q_proj, attention.k_proj, attention.v_proj], verified)
        self.out, self.down = _packed(attention.o_proj, verified), _packed(mlp.down_proj, verified)
        self.gate, self.up = _packed(mlp.gate_proj, verified), _packed(mlp.up_proj, verified)
        self.gate.activation = _activation(mlp.act_fn)
        self.norms = [_Norm(getattr(attention, name)) for name in ("q_norm", "k_norm") if hasattr(attention, name)]
        self.width: int = attention.head_dim
        kv_heads = attention.k_proj.out_features // self.width
        self.heads = [attention.q_proj.out_features // self.width, kv_heads, kv_heads]
        self.scale: float = attention.scaling
        self.cos, self.sin = rope

    def __call__(self, xs: list[Tensor]) -> list[Tensor]:
        ys = [self.qkv.forward(self.first(x)) for x in xs]
        ys = [self._attend(y) for y in ys]
        xs = [self.out.plus(y, x) for y, x in zip(ys, xs, strict=True)]
        ys = [self.second(x) for x in xs]
        gates = [self.gate.forward(y) for y in ys]
        ys = [self.up.times(y, gate) for y, gate in zip(ys, gates, strict=True)]
        return [self.down.plus(y, x) for y, x in zip(ys, xs, strict=True)]

    def _attend(self, y: Tensor) -> Tensor:
        q, k, v = torch.split_with_sizes(y.view(len(y), -1, self.width), self.heads, 1)
        if self.norms:
            qk = torch.cat([self.norms[0](q), self.norms[1](k)], 1)
        else:
            qk = y[:, : -v.shape[1] * self.width].view(len(y), -1, self.width)
        q, k = torch.split_with_sizes(self._rotate(qk), self.heads[:2], 1)
        return attend(q, k, v, self.scale)

    def _rotate(self, qk: Tensor) -> Tensor:
        """Rotary positions on all heads of q and k at once: (n, q heads + k heads, head width)."""
        n, heads, _ = qk.shape
        sin, rotated = self.sin[:n], qk * self.cos[:n]
        left, right = qk.view(n, heads, 2, -1).unbind(2)
        left_rotated, right_rotated = rotated.view(n, heads, 2, -1).unbind(2)
        left_rotated.addcmul_(right, sin, value=-1)
        right_rotated.addcmul_(left, sin)
        return rotated


class _Gpt2Layer:
    """x + attention(norm x), then that plus the unit of its norm."""

    def __init__(self, layer: Any, verified: Verified) -> None:
        self.first, self.second = layer.ln_1, layer.ln_2
        self.qkv, self.out = _packed(layer.attn.c_attn, verified), _packed(layer.attn.c_proj, verified)
        self.up, self.down = _packed(layer.mlp.c_fc, verified), _packed(layer.mlp.c_proj, verified)
        self.up.activation = _activation(layer.mlp.act)
        self.heads: int = layer.attn.num_heads

    def __call__(self, xs: list[Tensor]) -> list[Tensor]:
        ys = [self.qkv.forward(self.first(x)) for x in xs]
        ys = [self._attend(y) for y in ys]
        xs = [self.out.plus(y, x) for y, x in zip(ys, xs, strict=True)]
        ys = [self.up.forward(self.second(x)) for x in xs]
        return [self.down.plus(y, x) for y, x in zip(ys, xs, strict=True)]

    def _attend(self, y: Tensor) -> Tensor:
        q, k, v = y.view(len(y), 3, self.heads, -1).unbind(1)
        return attend(q, k, v, q.shape[-1] ** -0.5)


class _Norm:
    """x / √(mean x² + ε) · w over the last dimension."""

    def __init__(self, norm: Any) -> None:
        self.weight, self.epsilon = norm.weight, norm.variance_epsilon
        self.shape = tuple(norm.weight.shape)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.rms_norm(x, self.shape, self.weight, self.epsilon)


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """Causal attention: q (n, heads, width), k and v (n, heads or fewer, width) → (n, heads · width)."""
    y = functional.scaled_dot_product_attention(
        q.transpose(0, 1)[None],
        k.transpose(0, 1)[None],
        v.transpose(0, 1)[None],
        is_causal=True,
        scale=scale,
        enable_gqa=k.shape[1] != q.shape[1],
    )
    return y[0].transpose(0, 1).reshape(len(q), -1)


def _llama_suits(config: Any) -> bool:
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    windowed = getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True)
    return kinds == {"full_attention"} and not windowed


def _gpt2_suits(config: Any) -> bool:
    return (
        config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx
        and not config.reorder_and_upcast_attn
        and not config.add_cross_attention
    )


def _rope(body: Any) -> tuple[Tensor, Tensor]:
    """cos (context, 1, head width) and sin (context, 1, half of it) of each position's angles."""
    positions = torch.arange(body.config.max_position_embeddings)[None]
    cos, sin = body.rotary_emb(body.embed_tokens.weight[:1, None], positions)
    return cos[0][:, None].contiguous(), sin[0][:, None, : sin.shape[-1] // 2].contiguous()


def _packed(layer: nn.Module, verified: Verified) -> Packed:
    found = packed(layer, verified)
    if found is None:
        raise Unsuitable(type(layer).__name__)
    return found


def _side_by_side(layers: list[Any], verified: Verified) -> Packed:
    """Several layers of one input as one."""
    weight = torch.cat([layer.weight.data for layer in layers])
    bias = None if layers[0].bias is None else torch.cat([layer.bias.data for layer in layers])
    return _pack(weight, bias, verified)


def _head(layer: nn.Linear, verified: Verified) -> list[Part]:
    """The output layer in parts of about the same size, at most HEAD_TOKENS."""
    size = math.ceil(layer.out_features / math.ceil(layer.out_features / HEAD_TOKENS))
    parts = []
    for first in range(0, layer.out_features, size):
        some = slice(first, first + size)
        bias = None if layer.bias is None else layer.bias.data[some]
        parts.append(Part(_pack(layer.weight.data[some], bias, verified), first))
    return parts


def _pack(weight: Tensor, bias: Tensor | None, verified: Verified) -> Packed:
    found = pack(weight, bias, verified)
    if found is None:
        raise Unsuitable(f"a layer of {tuple(weight.shape)}")
    return found


def _activation(act: object) -> str:
    name = activation_name(act)
    if name is None:
        raise Unsuitable(type(act).__name__)
    return name
