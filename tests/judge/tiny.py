"""Tiny judges with random weights, written in a moment: real files, real shapes, no meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

END = "<|endoftext|>"
WORDS = [
    "The dragon flew over the mountain and the old castle by the sea.",
    "A judge reads a text and says how surprising each token of it was.",
    "Über den Wolken — naïve café, 日本語 and emoji 😀🎲 are texts too.",
]


def write_gpt2(folder: Path, *, seed: int = 0, context: int = 256, bos: bool = True, tokenizer: bool = True) -> Path:
    """A GPT-2 of two layers and width 32. Without `bos` it has neither BOS nor EOS."""
    config = transformers.GPT2Config(
        vocab_size=byte_level().get_vocab_size(),
        n_positions=context,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0 if bos else None,
        eos_token_id=0 if bos else None,
    )
    write_model(folder, config, seed)
    if tokenizer:
        write_tokenizer(folder, byte_level(), END if bos else None)
    return folder


def write_llama(folder: Path, *, seed: int = 0, context: int = 256) -> Path:
    """A Llama with a sentencepiece-style tokenizer: a space before every text, bytes as a last resort."""
    tokenizer = sentencepiece()
    write_model(folder, _config(transformers.LlamaConfig, tokenizer, context, bos_token_id=1), seed)
    write_tokenizer(folder, tokenizer, "<s>")
    return folder


def write_tied_llama(folder: Path, *, seed: int = 0, context: int = 256) -> Path:
    """A Llama as SmolLM2 is one: fewer key heads than query heads, the embedding as output layer, byte-level tokens."""
    config = _config(transformers.LlamaConfig, byte_level(), context, bos_token_id=0, tie_word_embeddings=True)
    write_model(folder, config, seed)
    write_tokenizer(folder, byte_level(), END)
    return folder


def write_qwen3(folder: Path, *, seed: int = 0, context: int = 256) -> Path:
    """A Qwen3: norms on queries and keys, tied embeddings; BOS known to the config alone."""
    config = _config(transformers.Qwen3Config, byte_level(), context, bos_token_id=0, tie_word_embeddings=True)
    write_model(folder, config, seed)
    write_tokenizer(folder, byte_level(), None)
    return folder


def write_gemma2(folder: Path, *, seed: int = 0, context: int = 256) -> Path:
    """A Gemma 2 with low caps on attention scores and logits, so that leaving one out shows."""
    config = _config(
        transformers.Gemma2Config,
        byte_level(),
        context,
        attn_logit_softcapping=0.5,
        final_logit_softcapping=1.0,
        sliding_window=16,
        bos_token_id=0,
    )
    write_model(folder, config, seed)
    write_tokenizer(folder, byte_level(), END)
    return folder


SHAPES: dict[str, Callable[[Path], Path]] = {
    "gpt2": write_gpt2,
    "llama": write_llama,
    "qwen3": write_qwen3,
    "gemma2": write_gemma2,
}


def declare(folder: Path, **settings: object) -> Path:
    """Set keys of a folder's config.json."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))
    return folder


def _config(kind: Any, tokenizer: Tokenizer, context: int, **more: object) -> Any:
    return kind(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=context,
        **more,
    )


def write_model(folder: Path, config: Any, seed: int = 0) -> None:
    """Weights five times the usual size: a random model is else so unsure that every token costs the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind: Any = transformers.AutoModelForCausalLM
        model = kind.from_config(config, dtype=torch.float32)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.data.mul_(5)
    model.save_pretrained(folder)


def write_tokenizer(folder: Path, tokenizer: Tokenizer, bos: str | None) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": bos, "eos_token": bos}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@cache
def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(WORDS, trainer)
    return tokenizer


@cache
def sentencepiece() -> Tokenizer:
    """What converting a Llama sentencepiece model gives: ▁ for spaces and before the text, byte fallback."""
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    names += ["▁", *sorted(set("".join(WORDS[:2])) - {" "})]
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he"), ("a", "n"), ("▁", "d"), ("e", "r")]
    vocabulary = {name: index for index, name in enumerate([*names, *(a + b for a, b in merges)])}
    model = models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer
