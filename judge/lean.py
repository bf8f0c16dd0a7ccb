"""The bodies of the commonest models in few steps: what transformers computes, with packed layers.

For a judge as small as pocket the many small steps between matrix products cost as much as the products, and
each holds Python's lock against the other lanes. Here a layer is about ten steps. Llama, Mistral, Qwen2, Qwen3
and GPT-2 are written out; all else runs through transformers. The answer is compared with the model's own at
load (judge/forward.py), and dropped where they differ.

Shapes: x (n, width), one sequence without a batch dimension; q, k, v (n, heads, head width); attention is
causal over the n positions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions as Output

from judge.kernels import Agreed, Packed, activation, pack, packed

LLAMA_LIKE = {"LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model"}
Layer = Any  # a transformers layer, or one of ours


class Unsuitable(Exception):
    """A model that is not one of those written out here, or whose layers cannot be packed."""


class Lean(nn.Module):
    """Stands in for the body of a transformers model: `input_ids` (1, n) → last hidden state (1, n, width)."""

    def __init__(
        self, embed: nn.Embedding, layers: list[nn.Module], norm: nn.Module, places: nn.Embedding | None = None
    ) -> None:
        super().__init__()
        self.embed, self.layers, self.norm, self.places = embed, nn.ModuleList(layers), norm, places

    def forward(self, input_ids: Tensor, **_: object) -> Output:
        ids = input_ids[0]
        x: Tensor = self.embed(ids)
        if self.places is not None:
            x = x + self.places.weight[: len(ids)]
        for layer in self.layers:
            x = layer(x)
        return Output(last_hidden_state=self.norm(x)[None])


def lean(body: nn.Module, agreed: Agreed) -> Lean:
    """The same body in few steps. Raises Unsuitable."""
    model: Any = body
    kind, config = type(body).__name__, getattr(body, "config", None)
    if kind in LLAMA_LIKE and _llama_suits(config):
        turns = _turns(model)
        llama: list[nn.Module] = [_LlamaLayer(layer, turns, agreed) for layer in model.layers]
        return Lean(model.embed_tokens, llama, _Norm(model.norm))
    if kind == "GPT2Model" and _gpt2_suits(config):
        gpt2: list[nn.Module] = [_Gpt2Layer(layer, agreed) for layer in model.h]
        return Lean(model.wte, gpt2, model.ln_f, places=model.wpe)
    raise Unsuitable(kind)


class _LlamaLayer(nn.Module):
    """x + attention(norm x), then that plus the gated unit of its norm."""

    def __init__(self, layer: Layer, turns: tuple[Tensor, Tensor], agreed: Agreed) -> None:
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.first, self.second = _Norm(layer.input_layernorm), _Norm(layer.post_attention_layernorm)
        self.qkv = _side_by_side([attention.q_proj, attention.k_proj, attention.v_proj], agreed)
        self.out = _packed(attention.o_proj, agreed)
        self.gate, self.up = _packed(mlp.gate_proj, agreed), _packed(mlp.up_proj, agreed)
        self.gate.then = _activation(mlp.act_fn)
        self.down = _packed(mlp.down_proj, agreed)
        self.norms = [
            _Norm(norm) for norm in (getattr(attention, "q_norm", None), getattr(attention, "k_norm", None)) if norm
        ]
        self.width: int = attention.head_dim
        self.kv_heads = attention.k_proj.out_features // self.width
        self.q_heads = attention.q_proj.out_features // self.width
        self.scale: float = attention.scaling
        self.cos, self.sin = turns

    def forward(self, x: Tensor) -> Tensor:
        heads = self.qkv(self.first(x)).view(len(x), -1, self.width)
        turned = self._turn(heads)
        q, k = turned[:, : self.q_heads], turned[:, self.q_heads :]
        v = heads[:, self.q_heads + self.kv_heads :]
        x = self.out.plus(attend(q, k, v, self.scale), x)
        y = self.second(x)
        return self.down.plus(self.up.times(y, self.gate(y)), x)

    def _turn(self, heads: Tensor) -> Tensor:
        """Rotary positions on all heads of q and k at once: (n, q heads + kv heads, head width)."""
        qk = heads[:, : self.q_heads + self.kv_heads]
        if self.norms:
            q, k = self.norms
            qk = torch.cat([q(qk[:, : self.q_heads]), k(qk[:, self.q_heads :])], dim=1)
        cos, sin = self.cos[: len(qk)], self.sin[: len(qk)]
        half = self.width // 2
        turned = qk * cos
        turned[..., :half].addcmul_(qk[..., half:], sin[..., :half], value=-1)
        turned[..., half:].addcmul_(qk[..., :half], sin[..., half:])
        return turned


class _Gpt2Layer(nn.Module):
    """x + attention(norm x), then that plus the unit of its norm."""

    def __init__(self, layer: Layer, agreed: Agreed) -> None:
        super().__init__()
        self.first, self.second = layer.ln_1, layer.ln_2
        self.qkv, self.out = _packed(layer.attn.c_attn, agreed), _packed(layer.attn.c_proj, agreed)
        self.up, self.down = _packed(layer.mlp.c_fc, agreed), _packed(layer.mlp.c_proj, agreed)
        self.up.then = _activation(layer.mlp.act)
        self.heads: int = layer.attn.num_heads

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.first(x)).view(len(x), 3, self.heads, -1).unbind(1)
        x = self.out.plus(attend(q, k, v, q.shape[-1] ** -0.5), x)
        return self.down.plus(self.up(self.second(x)), x)


class _Norm(nn.Module):
    """x / √(mean x² + ε) · w over the last dimension."""

    def __init__(self, norm: Layer) -> None:
        super().__init__()
        self.weight, self.epsilon = norm.weight, norm.variance_epsilon

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


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


def _turns(model: Any) -> tuple[Tensor, Tensor]:
    """cos and sin of every position's angles, (context, 1, head width) each, as the model makes them."""
    positions = torch.arange(model.config.max_position_embeddings)[None]
    cos, sin = model.rotary_emb(model.embed_tokens.weight[:1, None], positions)
    return cos[0][:, None].contiguous(), sin[0][:, None].contiguous()


def _packed(layer: nn.Module, agreed: Agreed) -> Packed:
    found = packed(layer, agreed)
    if found is None:
        raise Unsuitable(type(layer).__name__)
    return found


def _side_by_side(layers: list[Layer], agreed: Agreed) -> Packed:
    """Several layers of one input as one."""
    weight = torch.cat([layer.weight.data for layer in layers])
    bias = None if layers[0].bias is None else torch.cat([layer.bias.data for layer in layers])
    found = pack(weight, bias, agreed)
    if found is None:
        raise Unsuitable("layers side by side")
    return found


def _activation(act: object) -> str:
    then = activation(act)
    if then is None:
        raise Unsuitable(type(act).__name__)
    return then
