"""Texts from a judge: each way of drawing does what it says, and the same seed gives the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from judge.cuts import candidates, choose
from judge.judge import Judge, Pair, TooLong
from judge.methods import GREEDY, Sampling
from judge.samples import text_of
from judge.sampling import beam_search, generate, growing
from tests.judge import reference, tiny

LOGITS = torch.log(torch.tensor([0.1, 0.4, 0.2, 0.3]))
draws = st.floats(0, 1, exclude_max=True)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge.load(tiny.write_gpt2(tmp_path_factory.mktemp("gpt2")), device="cpu")


def _log_p(judge: Judge, ids: list[int]) -> Tensor:
    """What may follow, the special token ruled out."""
    (logits,) = judge.next_logits([ids])
    return torch.log_softmax(logits.double().index_fill(0, torch.tensor([0]), float("-inf")), 0)


@given(draw=draws)
def test_cuts_leave_the_likeliest(draw: float) -> None:
    assert choose(LOGITS, GREEDY, draw) == 1
    assert choose(LOGITS, Sampling(top_k=1), draw) == 1
    assert choose(LOGITS, Sampling(top_k=2), draw) in {1, 3}
    assert choose(LOGITS, Sampling(top_p=0.7), draw) in {1, 3}
    assert choose(LOGITS, Sampling(top_p=0.71), draw) in {1, 3, 2}
    assert choose(LOGITS, Sampling(min_p=0.5), draw) in {1, 3, 2}
    assert choose(LOGITS, Sampling(min_p=0.51), draw) in {1, 3}
    assert choose(LOGITS, Sampling(top_k=3, top_p=0.4), draw) == 1
    assert choose(LOGITS, Sampling(top_k=99), draw) in range(4)


def test_without_cuts_every_token_gets_its_share() -> None:
    found = [choose(LOGITS, Sampling(), (i + 0.5) / 1000) for i in range(1000)]
    assert [found.count(token) for token in range(4)] == [100, 400, 200, 300]
    cold = [choose(LOGITS, Sampling(temperature=0.01), (i + 0.5) / 100) for i in range(100)]
    assert set(cold) == {1}


@pytest.mark.parametrize(
    "settings", [{"temperature": -1.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}, {"min_p": 2.0}]
)
def test_settings_out_of_range(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Sampling(**settings)  # type: ignore[arg-type]


@given(
    logits=st.lists(st.floats(-10, 10, width=16), min_size=2, max_size=30, unique=True),
    temperature=st.sampled_from([0.5, 1.0, 2.0]),
    top_k=st.none() | st.integers(1, 40),
    top_p=st.none() | st.sampled_from([0.05, 0.333, 0.87, 0.999]),
    min_p=st.none() | st.sampled_from([0.011, 0.27, 0.93]),
)
def test_cuts_are_those_of_transformers(
    logits: list[float], temperature: float, top_k: int | None, top_p: float | None, min_p: float | None
) -> None:
    scores = torch.tensor([logits], dtype=torch.float64) / temperature
    ids: Any = torch.zeros(1, 0, dtype=torch.long)
    if top_k is not None:
        scores = TopKLogitsWarper(top_k)(ids, scores)
    if top_p is not None:
        scores = TopPLogitsWarper(top_p)(ids, scores)
    if min_p is not None:
        scores = MinPLogitsWarper(min_p)(ids, scores)
    left, _ = candidates(torch.tensor(logits), Sampling(temperature, top_k, top_p, min_p))
    assert set(left.tolist()) == set(scores[0].isfinite().nonzero()[:, 0].tolist())


def by_transformers(folder: Path, ids: list[int], count: int, *, beams: int = 1) -> list[int]:
    """`count` ids that transformers' own generation puts after `ids`, without drawing."""
    model, _ = reference.load(tiny.write_gpt2(folder), torch.float32)
    row = torch.tensor([ids])
    written = model.generate(
        row,
        attention_mask=torch.ones_like(row),
        max_new_tokens=count,
        num_beams=beams,
        do_sample=False,
        suppress_tokens=[0],
        pad_token_id=0,
        eos_token_id=None,
    )
    found: list[int] = written[0, len(ids) :].tolist()
    return found


def test_greedy_is_that_of_transformers(judge: Judge, tmp_path: Path) -> None:
    ids = [0, *judge.tokens.ids("The dragon")]
    expected = by_transformers(tmp_path, ids, 12)
    for token in expected:
        assert int(_log_p(judge, ids).argmax()) == token
        ids.append(token)
    assert generate(judge, "The dragon", 12) == text_of(judge.tokens, judge.direction, expected)


@pytest.mark.parametrize("beams", [2, 5])
def test_beams_are_those_of_transformers(judge: Judge, tmp_path: Path, beams: int) -> None:
    expected = by_transformers(tmp_path, [0, *judge.tokens.ids("The old castle")], 8, beams=beams)
    assert beam_search(judge, "The old castle", 8, beams=beams) == text_of(judge.tokens, judge.direction, expected)


def test_a_text_grows_token_by_token_into_what_generate_gives(judge: Judge) -> None:
    wild = Sampling(temperature=1.5)
    steps = list(growing(judge, "sea", 9, sampling=wild, seed=4))
    assert len(steps) == 9
    assert steps[-1] == generate(judge, "sea", 9, sampling=wild, seed=4)
    assert steps[3] == generate(judge, "sea", 4, sampling=wild, seed=4)
    assert generate(judge, "sea", 0) == ""


def test_a_seed_gives_the_same_text_and_another_another(judge: Judge) -> None:
    wild = Sampling(temperature=1.5, top_p=0.95)
    texts = [generate(judge, "sea", 20, sampling=wild, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_no_special_token_and_no_half_character_is_written(judge: Judge) -> None:
    for seed in range(5):
        text = generate(judge, "", 30, sampling=Sampling(temperature=3), seed=seed)
        assert tiny.END not in text
        assert "\ufffd" not in text


def test_beams_find_at_least_what_greedy_finds(judge: Judge) -> None:
    def bits(text: str) -> float:
        return sum(judge.measure([Pair("The", text)])[0])

    narrow, wide = beam_search(judge, "The", 3, beams=1), beam_search(judge, "The", 3, beams=16)
    assert narrow == generate(judge, "The", 3)
    if judge.tokens.count(narrow) == judge.tokens.count(wide) == 3:
        assert bits(wide) <= bits(narrow) + 1e-6
    with pytest.raises(ValueError, match="at least 1 beam"):
        beam_search(judge, "The", 3, beams=0)


def test_a_beam_as_wide_as_the_vocabulary_finds_the_best_of_all(judge: Judge) -> None:
    start = [0, *judge.tokens.ids("sea")]
    first = _log_p(judge, start)
    nats, token, then = max(
        (float(first[token] + second.max()), token, int(second.argmax()))
        for token in range(1, judge.tokens.size)
        for second in [_log_p(judge, [*start, token])]
    )
    assert nats < 0
    assert beam_search(judge, "sea", 2, beams=judge.tokens.size) == text_of(
        judge.tokens, judge.direction, [token, then]
    )


def test_a_backward_judge_writes_to_the_left(tmp_path: Path) -> None:
    folder = tiny.declare(tiny.write_gpt2(tmp_path), direction="backward")
    judge = Judge.load(folder, device="cpu")
    best = int(_log_p(judge, [0, *reversed(judge.tokens.ids("the sea"))]).argmax())
    assert generate(judge, "the sea", 1) == text_of(judge.tokens, judge.direction, [best])


def test_a_text_beyond_the_context_is_refused(judge: Judge) -> None:
    with pytest.raises(TooLong):
        generate(judge, "a", judge.context)
