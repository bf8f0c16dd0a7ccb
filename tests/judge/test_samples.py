"""What a judge writes: every number against plain transformers, a language of three letters, repetition."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from scipy.stats import chisquare
from tokenizers import Tokenizer, models, pre_tokenizers

from judge import samples
from judge.diversity import distinct, repeats, self_overlap
from judge.errors import JudgeError, TooLong
from judge.judge import Judge
from judge.methods import USUAL, Sampling, parse
from judge.samples import Walk
from judge.sampling import beam_search, generate
from tests.judge import reference, tiny

PREFIX = "The dragon flew"
TOKENS = 120  # of texts in the language of three letters
CLOSE = 2e-3  # how far float32 is from float64 in models of these sizes


@pytest.fixture(scope="module")
def gpt2(folders: dict[str, Path]) -> Judge:
    return Judge.load(folders["gpt2"], device="cpu", threads=2)


def walked(judge: Judge, prefix: str, method: str, tokens: int, top: int = 5) -> Walk:
    steps = judge.sample_in_steps(prefix, method, tokens=tokens, seed=7, top=top)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Walk = end.value
            return found


@pytest.mark.parametrize("shape", ["gpt2", "llama", "gemma2"])
def test_every_number_is_that_of_plain_transformers(shape: str, folders: dict[str, Path]) -> None:
    judge = Judge.load(folders[shape], device="cpu", threads=2)
    model, _ = reference.load(folders[shape])
    walk = walked(judge, PREFIX, "top-k=6", 5)
    assert judge.bos is not None
    ids = [judge.bos, *judge.tokens.ids(PREFIX)]
    for draw in walk.draws:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1].double()
        logits[[*judge.tokens.special]] = float("-inf")
        p = torch.softmax(logits, dim=0)
        likeliest = torch.sort(p, descending=True).values
        assert draw.before == pytest.approx(float(p[draw.token]), rel=CLOSE)
        assert draw.entropy == pytest.approx(float(torch.special.entr(p).sum() / math.log(2)), abs=CLOSE)
        left = likeliest[:6] / likeliest[:6].sum()
        assert draw.entropy_after == pytest.approx(float(torch.special.entr(left).sum() / math.log(2)), abs=CLOSE)
        assert draw.kept == 6
        assert draw.mass == pytest.approx(float(likeliest[:6].sum()), rel=CLOSE)
        assert draw.after == pytest.approx(draw.before / draw.mass, rel=1e-5)
        assert [before for _, before, _ in draw.top] == pytest.approx(likeliest[:5].tolist(), rel=CLOSE)
        assert [after for _, _, after in draw.top] == pytest.approx(left[:5].tolist(), rel=CLOSE)
        ids.append(draw.token)


def test_a_sample_is_the_text_that_games_get_and_a_seed_draws_it_again(gpt2: Judge) -> None:
    for said in USUAL:
        found = gpt2.sample(PREFIX, said, tokens=12, seed=3)
        assert found == gpt2.sample(PREFIX, said, tokens=12, seed=3)
        method = parse(said)
        if isinstance(method, Sampling):
            assert found.text == generate(gpt2, PREFIX, 12, sampling=method, seed=3)
            assert not found.beams
        else:
            assert found.text == beam_search(gpt2, PREFIX, 12, beams=4) == found.beams[0].text
            assert found.bits == pytest.approx(found.beams[0].bits, rel=1e-5)
            assert len({each.text for each in found.beams}) == 4
    hot = [gpt2.sample(PREFIX, "temperature=2", tokens=12, seed=seed) for seed in (1, 2)]
    assert hot[0].text != hot[1].text
    assert hot[0].steps[0].top == hot[1].steps[0].top, "only the draw takes the seed"


def test_a_backward_judge_writes_to_the_left(tmp_path: Path) -> None:
    judge = Judge.load(tiny.declare(tiny.write_gpt2(tmp_path), direction="backward"), device="cpu")
    found = judge.sample("the sea", "greedy", tokens=4)
    assert found.text == generate(judge, "the sea", 4)
    assert judge.sample(f"{found.steps[0].text}the sea", "greedy", tokens=1).steps[0].top[0].text == found.steps[1].text


def three_letters(folder: Path) -> Judge:
    """A judge that always expects a at 1/2, b and c at 1/4: its last layer norm forgets what came."""
    tokenizer = Tokenizer(models.WordLevel({tiny.END: 0, "a": 1, "b": 2, "c": 3, "?": 4}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([tiny.END, "?"])
    tiny.write_tokenizer(folder, tokenizer, tiny.END)
    config = transformers.GPT2Config(
        vocab_size=5, n_positions=256, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0
    )
    model = transformers.GPT2LMHeadModel(config)
    with torch.no_grad():
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.copy_(torch.eye(8)[0])
        model.transformer.wte.weight[:, 0] = torch.log(torch.tensor([1e-30, 1 / 2, 1 / 4, 1 / 4, 1e-30]))
    model.save_pretrained(folder)
    return Judge.load(folder, device="cpu", threads=2)


def test_of_a_half_and_two_quarters_greedy_only_ever_writes_the_half(tmp_path: Path) -> None:
    """The likeliest text is no likely text: it costs 1 bit a letter where texts of the language cost 1.5."""
    judge = three_letters(tmp_path)
    greedy, beam = (judge.sample("a b c", said, tokens=40) for said in ("greedy", "beam=3"))
    assert greedy.text == beam.text == " ".join("a" * 40)
    assert greedy.bits == pytest.approx(40)
    assert [step.repeats for step in greedy.steps] == [False] * 4 + [True] * 36
    for said, shares in (
        ("sampling", (1 / 2, 1 / 4, 1 / 4)),
        ("top-k=2", (2 / 3, 1 / 3, 0)),
        ("top-p=0.5", (1, 0, 0)),
        ("temperature=0.5", (2 / 3, 1 / 6, 1 / 6)),
        ("min-p=0.6", (1, 0, 0)),
    ):
        found = judge.sample("", said, tokens=TOKENS, seed=18)
        step = found.steps[0]
        assert step.entropy == pytest.approx(1.5)
        assert {each.text.strip(): each.after for each in step.top[:3]} == pytest.approx(
            dict(zip("abc", shares, strict=True))
        )
        counts = [found.text.split().count(letter) for letter in "abc"]
        assert [count for count, share in zip(counts, shares, strict=True) if not share] == [0] * shares.count(0)
        observed, expected = [count for count in counts if count], [TOKENS * share for share in shares if share]
        assert len(observed) == 1 or chisquare(observed, expected).pvalue > 1e-4
    assert judge.sample("", "sampling", tokens=TOKENS, seed=18).bits / TOKENS == pytest.approx(1.5, abs=0.1)


def test_what_travels_is_what_was_written(gpt2: Judge) -> None:
    walks = [walked(gpt2, PREFIX, said, 3) for said in ("greedy", "top-p=0.5", "beam=2")]
    raw = samples.pack(walks)
    assert samples.unpack(raw) == walks
    assert samples.unpack(b"") == []
    assert all(walk.is_sound(3) for walk in walks)
    for broken in (b"abc", raw[:-1], raw + b"\0", b"\xff" * 40):
        with pytest.raises(ValueError, match="these are no samples"):
            samples.unpack(broken)
    (walk, *_) = walks
    for wrong in (
        Walk(walk.draws[1:]),
        Walk(walk.draws, ((1.0, (1,)),)),
        Walk(walk.draws, ((float("nan"), (1, 2, 3)),)),
        *(
            Walk((*walk.draws[:2], wrong))
            for wrong in (
                replace(walk.draws[2], before=float("nan")),
                replace(walk.draws[2], kept=0),
                replace(walk.draws[2], after=1.5),
                replace(walk.draws[2], entropy=-1.0),
            )
        ),
    ):
        assert not wrong.is_sound(3)
    told = gpt2.sample(PREFIX, "beam=2", tokens=3).as_json()
    read = json.loads(json.dumps(told))
    assert (read["bits"], read["text"], len(read["beams"])) == (told["bits"], told["text"], 2)
    assert read["steps"][0]["top"][0] == told["steps"][0]["top"][0]


def test_bad_input_says_what_is_wrong(gpt2: Judge) -> None:
    with pytest.raises(TooLong, match=r"do not fit the judge's context of 256: shorten the prefix"):
        gpt2.sample("sea", tokens=256)
    for more, told in (({"tokens": -1}, "0 tokens or more"), ({"top": 51}, "0 to 50 likeliest")):
        with pytest.raises(JudgeError, match=told):
            gpt2.sample("sea", **more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no method 'best'"):
        gpt2.sample("sea", "best")
    assert gpt2.sample("sea", tokens=0) == samples.Sample("", (), ())


def test_repetition_is_counted_by_runs() -> None:
    assert repeats("xab", "abcab", 2) == [False, True, False, False, True]
    assert repeats("", "aaaa", 3) == [False, False, False, True]
    assert repeats("ab", "", 2) == []
    assert distinct(["abab"], 2) == 2 / 3
    assert distinct(["abc", "abd"], 2) == 3 / 4
    assert distinct(["a", ""], 2) is None
    assert self_overlap(["abc", "abd"], 2) == 1 / 2
    assert self_overlap(["abab", "ab", "xyz"], 2) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert self_overlap(["abc", "xyz"], 2) == 0
    assert self_overlap(["abc", "x"], 2) is None
