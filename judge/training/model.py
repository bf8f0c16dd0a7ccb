"""The model that is trained: Llama, written out, with the parameter names that transformers gives it.

Because the names agree, a checkpoint *is* a `LlamaForCausalLM`: `save_folder` writes it as it stands, and nothing
of ours is needed to load the folder.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import LlamaConfig, PreTrainedTokenizerFast

BOS = "<|endoftext|>"
"""The beginning-of-text token, id 0. It also stands between documents, hence the name it has in GPT-2."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a judge. `width` must be a multiple of `heads`, and a head's width must be even."""

    vocab: int = 8192
    width: int = 384
    layers: int = 6
    heads: int = 4
    feed_forward: int = 1024
    context: int = 512
    rope_theta: float = 10000.0

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not an even multiple of {self.heads} heads")


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        rows, columns, width = x.shape
        q, k, v = (
            project(x).view(rows, columns, self.heads, -1).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(rows, columns, width))
        return out


class FeedForward(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.width, eps=1e-6)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, eps=1e-6)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Trunk(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=1e-6)


class Llama(nn.Module):
    """Tokens (rows, columns) to logits (rows, columns, vocab); the embedding is also the output matrix."""

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        self.model = Trunk(shape)
        cos, sin = rotations(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._start(torch.Generator().manual_seed(seed))

    def _start(self, generator: torch.Generator) -> None:
        """Small random weights; what writes into the residual stream starts at zero, so each layer starts as
        the identity and the first steps are tame without a long warm-up."""
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.model.embed_tokens(tokens)
        cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        for layer in self.model.layers:
            x = layer(x, cos, sin)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)


def rotations(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions, each (context, head width), float32."""
    half = shape.width // shape.heads // 2
    frequencies = shape.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
    angles = torch.outer(torch.arange(shape.context, dtype=torch.float32), frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` (rows, heads, columns, head width) turned by position, in float32 whatever its dtype: bfloat16 is too
    coarse for angles."""
    first, second = x.chunk(2, dim=-1)
    turned = x * cos + torch.cat((-second, first), dim=-1) * sin
    return turned.to(x.dtype)


def save_folder(model: Llama, shape: Shape, tokenizer: Tokenizer, direction: str, folder: Path) -> None:
    """Write `folder` so that `AutoModelForCausalLM` and `AutoTokenizer` load it: weights in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.float16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_config(shape, direction), indent=2, sort_keys=True) + "\n")
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=BOS,
        pad_token=BOS,
        model_max_length=shape.context,
    )
    fast.save_pretrained(str(folder))


def _config(shape: Shape, direction: str) -> dict[str, object]:
    config = LlamaConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    facts: dict[str, object] = config.to_dict()
    facts.update(architectures=["LlamaForCausalLM"], dtype="float16", direction=direction)
    return facts


def shape_of(folder: Path, context: int) -> Shape:
    """The shape of a judge's folder, to go on training it with another context. Raises ValueError where it is not
    a plain Llama: tied embeddings, as many key heads as query heads, no scaling of positions."""
    config = json.loads((folder / "config.json").read_text())
    shape = Shape(
        vocab=config["vocab_size"],
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        feed_forward=config["intermediate_size"],
        context=context,
        rope_theta=config["rope_parameters"]["rope_theta"],
    )
    plain = (
        config["model_type"] == "llama"
        and config["tie_word_embeddings"]
        and config["num_key_value_heads"] == shape.heads
        and config["rope_parameters"]["rope_type"] == "default"
    )
    if not plain:
        raise ValueError(f"{folder} is not a Llama of the kind this script trains")
    return shape


def load_weights(model: Llama, folder: Path) -> None:
    """Start from the weights of `folder`, a judge of the same shape."""
    model.load_state_dict(load_file(folder / "model.safetensors"))


def shape_facts(shape: Shape) -> dict[str, object]:
    return asdict(shape)
