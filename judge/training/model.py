"""The model that is trained: the Llama of transformers, how it starts, and the folder it is written to and read from.

Nothing of ours is needed to load the folder.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

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


def make_model(shape: Shape, seed: int = 0) -> LlamaForCausalLM:
    """A Llama of this shape with random weights, float32; the embedding is also the output matrix.

    What writes into the residual stream starts at zero, so each layer starts as the identity and the first steps
    are tame without a long warm-up.
    """
    model = LlamaForCausalLM(_config(shape))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2:
            continue
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            nn.init.zeros_(parameter)
        else:
            nn.init.normal_(parameter, std=0.02, generator=generator)
    return model


def save_folder(model: LlamaForCausalLM, shape: Shape, tokenizer: Tokenizer, direction: str, folder: Path) -> None:
    """Write `folder` so that `AutoModelForCausalLM` and `AutoTokenizer` load it: weights in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.float16).contiguous() for name, tensor in _weights(model).items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    facts = _config(shape).to_dict()
    facts.update(architectures=["LlamaForCausalLM"], dtype="float16", direction=direction)
    (folder / "config.json").write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n")
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=BOS,
        pad_token=BOS,
        model_max_length=shape.context,
    )
    fast.save_pretrained(str(folder))


def _weights(model: LlamaForCausalLM) -> dict[str, Tensor]:
    """The parameters by name, each once: the output matrix is the embedding."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def _config(shape: Shape) -> LlamaConfig:
    return LlamaConfig(
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


@torch.no_grad()
def load_weights(model: LlamaForCausalLM, folder: Path) -> None:
    """Start from the weights of `folder`, a judge of the same shape."""
    found = load_file(folder / "model.safetensors")
    for name, parameter in _weights(model).items():
        parameter.copy_(found[name])


def shape_facts(shape: Shape) -> dict[str, object]:
    return asdict(shape)
