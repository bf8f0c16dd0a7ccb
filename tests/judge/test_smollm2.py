"""The usual judge, as `make test-all` installs it: who it is, and that its bits are exact."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from games.library import load
from judge.judge import Judge, Pair
from tests.support.processor import packs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PAIRS = [Pair(f"Title: {' '.join(passage.field)}\n", passage.text) for passage in load()[::8]]
IDENTITY = "7ebc3e3a9e16cb6e8885763a6d109591fb635fdf812129302fe006fc4b179a37"


@pytest.fixture(scope="module")
def smollm2(installed_judges: Path) -> Judge:
    return Judge.load(installed_judges / "smollm2-135m", device="cpu")


def test_it_is_the_same_judge_on_every_machine(smollm2: Judge) -> None:
    assert smollm2.identity == IDENTITY
    assert smollm2.bos == 0
    assert smollm2.context == 8192


def test_bits_are_those_of_plain_transformers(smollm2: Judge, installed_judges: Path) -> None:
    folder = installed_judges / "smollm2-135m"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.bos_token_id == 0
    assert "<|im_start|>" in tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], tokenize=False)
    for pair, measured in zip(PAIRS, smollm2.measure(PAIRS), strict=True):
        prefix, text = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in (pair.prefix, pair.text))
        ids = torch.tensor([[0, *prefix, *text]])
        with torch.no_grad():
            nats = -model(input_ids=ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])
        plain = (nats[-len(text) :, 0] / math.log(2)).tolist()
        assert measured == pytest.approx(plain, abs=1e-3)


def test_bits_do_not_depend_on_company(smollm2: Judge) -> None:
    assert smollm2.measure(PAIRS) == [smollm2.measure([pair])[0] for pair in PAIRS]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_runs_on_a_fast_engine(installed_judges: Path, dtype: str) -> None:
    judge = Judge.load(installed_judges / "smollm2-135m", device="cpu", dtype=dtype)
    assert (judge.engine.name != "plain") == packs(dtype), judge.engine.reason
