"""Bits agree with a plain float64 computation, for every shape of model and every kind of text."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import judge
from judge.judge import Judge, Pair
from tests.judge import reference, tiny

POCKET = Path(judge.__file__).parent / "pocket"
PAIRS = [
    ("", "The dragon flew over the mountain."),
    ("dragon mountain sea", "The dragon flew over the mountain and the old castle by the sea."),
    ("Über", "naïve café — 日本語 😀🎲 e\u0301 fin"),
    ("<|endoftext|></s>", "a text that spells <|endoftext|> and <s> out"),
    (" ", "x"),
]


def test_pocket_agrees_with_plain_transformers(pocket: Judge) -> None:
    model, tokenizer = reference.load(POCKET, torch.float32)
    for prefix, text in PAIRS:
        (found,) = pocket.measure([Pair(prefix, text)])
        expected = reference.bits(model, tokenizer, 0, prefix, text)
        assert len(found) == len(expected)
        assert abs(sum(found) - sum(expected)) <= 0.002


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["gpt2", "llama", "qwen3", "gemma2"])
def test_every_shape_agrees_with_float64(shape: str, folders: dict[str, Path]) -> None:
    measured = Judge.load(folders[shape], device="cpu")
    model, tokenizer = reference.load(folders[shape])
    assert measured.bos is not None
    for prefix, text in PAIRS:
        (found,) = measured.measure([Pair(prefix, text)])
        expected = reference.bits(model, tokenizer, measured.bos, prefix, text)
        assert found == pytest.approx(expected, abs=0.001)


def test_bfloat16_is_near(folders: dict[str, Path]) -> None:
    exact = Judge.load(folders["gpt2"], device="cpu")
    rough = Judge.load(folders["gpt2"], device="cpu", dtype="bfloat16")
    pair = Pair(*PAIRS[1])
    assert rough.measure([pair])[0] == pytest.approx(exact.measure([pair])[0], abs=0.5)
    assert rough.identity != exact.identity


def test_the_other_profile_has_no_bos_and_leaves_the_first_token_out(pocket: Judge) -> None:
    model, tokenizer = reference.load(POCKET, torch.float32)
    prefix, text = PAIRS[1]
    (found,) = pocket.measure([Pair(prefix, text, "xent-0.5")])
    first, *rest = pocket.tokens.ids(prefix)
    joined = tokenizer.decode(rest)
    expected = reference.bits(model, tokenizer, first, joined, text)
    assert found == pytest.approx(expected[1:], abs=0.001)
    assert pocket.measure([Pair(prefix, "x", "xent-0.5"), Pair("", "", "xent-0.5")]) == [[], []]


def test_a_backward_judge_reads_from_right_to_left(tmp_path: Path) -> None:
    folder = tiny.write_gpt2(tmp_path)
    model, _ = reference.load(folder)
    backward = Judge.load(tiny.declare(folder, direction="backward"), device="cpu")
    prefix, text = PAIRS[1]
    after, ids = backward.tokens.ids(prefix), backward.tokens.ids(text)
    row = [0, *reversed(after), *reversed(ids)]
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([row])).logits[0], dim=-1) / -torch.tensor(2.0).log()
    expected = [log_p[len(row) - 2 - i, token].item() for i, token in enumerate(ids)]
    assert backward.direction == "backward"
    assert backward.measure([Pair(prefix, text)])[0] == pytest.approx(expected, abs=0.001)
    (without,) = backward.measure([Pair(prefix, text, "xent-0.5")])
    assert len(without) == len(ids) - 1


def test_bits_are_float32_values(pocket: Judge) -> None:
    (found,) = pocket.measure([Pair(*PAIRS[1])])
    assert found == torch.tensor(found, dtype=torch.float32).tolist()
    assert all(bits >= 0 for bits in found)
