"""The model for gradients says what is measured, and its gradients are those of differences."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from judge.errors import JudgeError, TooLong
from judge.judge import Judge, Pair
from tests.judge import tiny

PREFIX, TEXT = "dragon sea", "The dragon flew."


@pytest.mark.parametrize("shape", ["gpt2", "llama", "gemma2"])
def test_vectors_of_real_tokens_cost_what_the_tokens_cost(shape: str, folders: dict[str, Path]) -> None:
    judge = Judge.load(folders[shape], device="cpu", threads=1)
    soft = judge.differentiable()
    (measured,) = judge.measure([Pair(PREFIX, TEXT)])
    assert soft.bits(soft.embeddings(PREFIX), TEXT).tolist() == pytest.approx(measured, abs=1e-3)
    assert float(soft.cross_entropy(soft.embeddings(PREFIX), TEXT)) == pytest.approx(sum(measured), abs=1e-2)
    ids = judge.tokens.ids(PREFIX)
    assert torch.equal(soft.table[ids], soft.embeddings(PREFIX))
    none = soft.table[:0]
    assert soft.bits(none, TEXT).tolist() == pytest.approx(judge.measure([Pair("", TEXT)])[0], abs=1e-3)


def test_a_backward_judge_reads_from_the_right(tmp_path: Path) -> None:
    judge = Judge.load(tiny.declare(tiny.write_gpt2(tmp_path), direction="backward"), device="cpu")
    soft = judge.differentiable()
    (measured,) = judge.measure([Pair(PREFIX, TEXT)])
    assert soft.bits(soft.embeddings(PREFIX), TEXT).tolist() == pytest.approx(measured, abs=1e-3)


def test_gradients_are_those_of_differences_and_the_judge_stays_as_it_is(folders: dict[str, Path]) -> None:
    judge = Judge.load(folders["gpt2"], device="cpu", threads=1)
    before = judge.measure([Pair(PREFIX, TEXT)])
    soft = judge.differentiable()
    soft.model.double()
    prefix = soft.embeddings("sea").detach()[:1].requires_grad_(True)
    assert torch.autograd.gradcheck(lambda vectors: soft.cross_entropy(vectors, "The"), (prefix,))
    soft.model.requires_grad_(True)
    weights = list(soft.model.parameters())
    found = torch.autograd.grad(soft.cross_entropy(prefix, TEXT), [prefix, *weights])
    assert all(torch.isfinite(each).all() and each.abs().max() > 0 for each in found)
    with torch.no_grad():
        for each in weights:
            each.zero_()
    assert judge.measure([Pair(PREFIX, TEXT)]) == before


def test_bad_input_says_what_is_wrong(folders: dict[str, Path], tmp_path: Path) -> None:
    soft = Judge.load(folders["gpt2"], device="cpu", threads=1).differentiable()
    width = soft.table.shape[1]
    with pytest.raises(JudgeError, match=r"vectors \(m, 32\), not \(2, 5\)"):
        soft.bits(torch.zeros(2, 5), TEXT)
    with pytest.raises(JudgeError, match=r"vectors, such as embeddings\('the sea'\) gives"):
        soft.bits("the sea", "sea")  # type: ignore[arg-type]
    with pytest.raises(JudgeError, match="an empty text"):
        soft.bits(torch.zeros(2, width), "")
    with pytest.raises(TooLong, match="do not fit the judge's context of 256"):
        soft.bits(torch.zeros(256, width), TEXT)
    nameless = Judge.load(tiny.write_gpt2(tmp_path, bos=False), device="cpu", need_bos=False)
    with pytest.raises(JudgeError, match="no token to begin with"):
        nameless.differentiable()
