"""A Gemma 3 out of a GGUF file: its norms, its sliding windows, and a vocabulary without merges."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig

from judge.loading.packages import convert
from judge.loading.tokenizer import Tokens

NAME = "gemma3-270m"
PARTS = {ours: theirs for theirs, ours in convert.ARCHITECTURES["gemma3"].parts.items()}
CONTROLS = ["<pad>", "<eos>", "<bos>", "<unk>"]
NEVER_CUT = ["\n", "\n\n", "\n\n\n", "  ", "   ", "<table>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
# What comes first is joined first; "th" before "he" decides how "the" is read, and "▁thea" can be made in two ways.
JOINED = ["th", "he", "▁t", "in", "▁th", "ea", "the", "▁the", "er", "▁thea", "re", "▁b", "ba", "▁ba", "an"]
LETTERS = [*"▁abcdefghijklmnopqrstuvwxyz.,<>é", "B"]
SHAPE = {
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "layer_types": ["sliding_attention", "full_attention"],
    "sliding_window": 8,
    "max_position_embeddings": 64,
    "query_pre_attn_scalar": 8,
}


def vocabulary() -> tuple[list[str], list[float], list[int]]:
    """Tokens, scores and kinds, as the real file has them."""
    ordinary = JOINED + LETTERS
    tokens = [*CONTROLS, *NEVER_CUT, *BYTES, *ordinary]
    scores = [-1000.0] * len(CONTROLS + NEVER_CUT) + [0.0] * 256 + [-float(i) for i in range(len(ordinary))]
    kinds = [3] * len(CONTROLS) + [4] * len(NEVER_CUT) + [6] * 256 + [1] * len(ordinary)
    return tokens, scores, kinds


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gemma3ForCausalLM, Path]:
    """A small Gemma with weights at random, and the folder that its GGUF file became."""
    work = tmp_path_factory.mktemp("gemma")
    tokens, scores, kinds = vocabulary()
    template = json.loads((convert.TEMPLATES / NAME / "config.json").read_text(encoding="utf-8"))
    config = template | SHAPE | {"vocab_size": len(tokens)}
    torch.manual_seed(3)
    model = Gemma3ForCausalLM(Gemma3TextConfig(**config))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    writer = gguf.GGUFWriter(work / "model.gguf", "gemma3")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    for name, parameter in model.named_parameters():
        weights = parameter.detach().numpy()
        # As llama.cpp's converter writes it: what a norm multiplies by, and not what is added to one.
        writer.add_tensor(_gguf_name(name), np.ascontiguousarray(weights + 1 if "norm" in name else weights))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    templates = work / "templates" / NAME
    templates.mkdir(parents=True)
    (templates / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (templates / file).write_bytes((convert.TEMPLATES / NAME / file).read_bytes())
    folder = work / "judge"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "TEMPLATES", templates.parent)
        convert.convert(work / "model.gguf", NAME, folder)
    return model, folder


def _gguf_name(name: str) -> str:
    outside = {ours: theirs for theirs, ours in convert.OUTSIDE_LAYERS.items()}
    if name in outside:
        return outside[name]
    _, _, layer, *part, kind = name.split(".")
    return f"blk.{layer}.{PARTS['.'.join(part)]}.{kind}"


def test_its_weights_are_those_that_went_into_the_file(made: tuple[Gemma3ForCausalLM, Path]) -> None:
    model, folder = made
    found = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert found.config.model_type == model.config.model_type == "gemma3_text"
    assert found.config.layer_types == SHAPE["layer_types"]
    for (name, ours), (_, theirs) in zip(found.named_parameters(), model.named_parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3, msg=name)


def as_sentencepiece(text: str) -> list[str]:
    """The tokens of a text by the rule alone: never cut what is never cut, else join the best pair until none is."""
    tokens, scores, _ = vocabulary()
    score = {token: value for token, value in zip(tokens, scores, strict=True) if token in JOINED + LETTERS}
    frozen = sorted((each.replace(" ", "▁") for each in NEVER_CUT), key=len, reverse=True)
    text = text.replace(" ", "▁")
    pieces: list[tuple[str, bool]] = []
    while text:
        whole = next((each for each in frozen if text.startswith(each)), None)
        pieces.append((whole or text[0], whole is not None))
        text = text[len(pieces[-1][0]) :]
    while True:
        pairs = [
            (score[left + right], -at)
            for at, ((left, kept), (right, kept_too)) in enumerate(pairwise(pieces))
            if not kept and not kept_too and left + right in score
        ]
        if not pairs:
            break
        at = -max(pairs)[1]
        pieces[at : at + 2] = [(pieces[at][0] + pieces[at + 1][0], False)]
    found: list[str] = []
    for piece, kept in pieces:
        known = kept or piece in score
        found += [piece] if known else [f"<0x{byte:02X}>" for byte in piece.encode()]
    return found


def test_its_tokens_are_those_of_sentencepiece(made: tuple[Gemma3ForCausalLM, Path]) -> None:
    tokens = Tokens.from_folder(made[1])
    rng = random.Random(4)
    texts = ["the theatre, in the rain", "  two   spaces\n\nthere ", "a <table> and <eos>", "日é\t"]
    texts += ["".join(rng.choices("theainrb .,\n<éZ漢", k=30)) for _ in range(300)]
    names = [each.replace("▁▁▁", "   ").replace("▁▁", "  ") for each in vocabulary()[0]]
    for text in texts:
        expected = [names.index(each if set(each) != {"▁"} or each == "▁" else " " * len(each))
                    for each in as_sentencepiece(text)]  # fmt: skip
        assert tokens.ids(text) == expected, text
        assert "".join(tokens.spelled(text)) == text
        assert tokens.text(tokens.ids(text)) == text
