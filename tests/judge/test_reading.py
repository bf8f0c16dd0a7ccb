"""A reading says what plain transformers says in float64, and the bits of a measurement to the last one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import decoders
from torch import Tensor

from judge import reading
from judge.engine import network
from judge.engine.outlook import outlooks
from judge.errors import JudgeError, TooLong
from judge.intervals import mean_interval, student
from judge.judge import Judge, Pair
from judge.loading.tokenizer import Tokens
from judge.reading import Prediction, Reading
from tests.judge import families, reference, tiny

PREFIX, TEXT = "dragon mountain sea", "The dragon flew over the mountain — naïve 日本 and the old castle."
CLOSE = 2e-3  # bits, and a share of a probability: how far float32 is from float64 in models of these sizes


@pytest.fixture(scope="module")
def gpt2(folders: dict[str, Path]) -> Judge:
    return Judge.load(folders["gpt2"], device="cpu", threads=2)


def _expected(model: Any, ids: list[int], scored: int) -> Tensor:
    """log₂ p of every token before each of the last ids: (scored, V), float64."""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    return torch.log_softmax(logits, dim=1)[-scored - 1 : -1] / math.log(2)


@pytest.mark.parametrize("shape", ["gpt2", "llama", "gemma2"])
def test_every_number_is_that_of_plain_transformers(shape: str, folders: dict[str, Path]) -> None:
    judge = Judge.load(folders[shape], device="cpu", threads=2)
    model, _ = reference.load(folders[shape])
    assert judge.bos is not None
    text = judge.tokens.ids(TEXT)
    expected = _expected(model, [judge.bos, *judge.tokens.ids(PREFIX), *text], len(text))
    found = judge.read(TEXT, PREFIX, top=5)
    assert "".join(token.text for token in found.tokens) == TEXT
    for token, id_, log_p in zip(found.tokens, text, expected, strict=True):
        p = torch.exp2(log_p)
        assert token.bits == pytest.approx(-float(log_p[id_]), abs=CLOSE)
        assert token.entropy == pytest.approx(-float((p * log_p).sum()), abs=CLOSE)
        near = log_p[id_] + torch.tensor([CLOSE, -CLOSE])
        least, most = (1 + int((log_p > bound).sum()) for bound in near)
        assert least <= token.rank <= most
        likeliest = torch.sort(p, descending=True).values[:5].tolist()
        assert [each.probability for each in token.top] == pytest.approx(likeliest, rel=CLOSE)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "gpt_neox"])
def test_the_bits_are_those_of_a_measurement_on_every_engine(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the output layer takes some places at a time."""
    families.write(kind, tmp_path)
    for room in (network.LOGITS_BYTES, 4 * 4 * families.VOCABULARY):
        monkeypatch.setattr(network, "LOGITS_BYTES", room)
        judge = Judge.load(tmp_path, device="cpu", threads=2)
        (measured,) = judge.measure([Pair("sea", TEXT[:25])])
        assert [token.bits for token in judge.read(TEXT[:25], "sea").tokens] == measured


def test_a_backward_judge_and_another_profile_are_read_as_they_are_measured(tmp_path: Path) -> None:
    judge = Judge.load(tiny.declare(tiny.write_gpt2(tmp_path), direction="backward"), device="cpu")
    for profile in ("arena", "xent-0.5"):
        found = judge.read(TEXT, PREFIX, profile=profile)
        assert [token.bits for token in found.tokens] == judge.measure([Pair(PREFIX, TEXT, profile)])[0]
    assert "".join(token.text for token in found.tokens) == TEXT.removesuffix(judge.tokens.spelled(TEXT)[-1])
    # The last token of the text stands next to the prefix, and what was expected there hangs on the prefix alone.
    last = judge.read(TEXT, PREFIX).tokens[-1]
    assert last.entropy == pytest.approx(judge.read(TEXT[-9:], PREFIX).tokens[-1].entropy, abs=CLOSE)


def test_it_comes_in_short_steps_and_is_the_same_every_time(gpt2: Judge) -> None:
    assert gpt2.engine.name == "lean"
    steps = gpt2.read_in_steps(Pair(PREFIX, TEXT))
    count = sum(1 for _ in steps)
    assert count > 2 + len(gpt2.tokens.ids(TEXT)) // 16, "one for each layer and part, and one for some places each"
    assert gpt2.read(TEXT, PREFIX) == gpt2.read(TEXT, PREFIX)


def test_equal_tokens_come_by_their_ids_and_share_a_rank() -> None:
    logits = torch.tensor([[1.0, 3.0, 3.0, 3.0, float("-inf")], [0.0, 0.0, 0.0, 0.0, 0.0]])
    (rank, entropy, top), (equal, five, _) = outlooks(logits, torch.tensor([0, 4]), 2)
    assert (rank, [id_ for id_, _ in top]) == (4, [1, 2])
    assert equal == 1
    assert five == pytest.approx(math.log2(5))
    z = 3 * math.exp(3) + math.exp(1)
    shares = [math.exp(3) / z] * 3 + [math.exp(1) / z]
    assert entropy == pytest.approx(-sum(p * math.log2(p) for p in shares))
    assert [p for _, p in top] == pytest.approx(shares[:2])
    assert outlooks(logits[:1], torch.tensor([0]), 99)[0].top[4:] == ((4, 0.0),)


def test_totals_of_a_reading(gpt2: Judge) -> None:
    found = gpt2.read("日本 sea")
    assert found.bits == pytest.approx(sum(token.bits for token in found.tokens))
    assert found.bytes == len("日本 sea".encode())
    assert found.bits_per_byte == pytest.approx(found.bits / 10)
    assert found.perplexity == pytest.approx(2 ** (found.bits / len(found.tokens)))
    assert found.entropy == pytest.approx(sum(token.entropy for token in found.tokens))
    nothing = Reading(())
    assert (nothing.bits, nothing.bits_per_byte, nothing.perplexity) == (0.0, None, None)


def test_what_may_come_is_spelled_with_its_space_and_what_no_text_spells_by_its_name(folders: dict[str, Path]) -> None:
    pieces = tiny.sentencepiece()
    pieces.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    llama = Tokens.from_json(pieces.to_str())
    assert [llama.spelling(token) for token in llama.ids("the sea")] == [" the", " ", "s", "e", "a"]
    assert (llama.spelling(1), llama.spelling(llama.size)) == ("<s>", "")
    gpt2 = Tokens.from_folder(folders["gpt2"])
    assert gpt2.spelling(0) == tiny.END
    assert [gpt2.spelling(token) for token in gpt2.ids("日")] == ["\ufffd"] * 3


def test_bad_input_says_what_is_wrong(gpt2: Judge) -> None:
    for text, top, told in (
        ("", 10, "an empty text has no token"),
        ("sea", 51, "0 to 50 likeliest tokens"),
        ("sea", -1, "0 to 50 likeliest tokens"),
        (3, 10, r"a judge reads text \(str\), not int: 3"),
        (["sea"], 10, r"text \(str\), not list"),
        (None, 10, r"text \(str\), not NoneType"),
        ("\ud800", 10, "half of a surrogate pair"),
    ):
        with pytest.raises(JudgeError, match=told):
            gpt2.read(text, top=top)  # type: ignore[arg-type]
    with pytest.raises(JudgeError, match=r"text \(str\), not int"):
        gpt2.sample(3)  # type: ignore[arg-type]
    with pytest.raises(JudgeError, match=r"pairs, Pair\(prefix, text\), not tuple"):
        gpt2.measure([("sea", "ship")])  # type: ignore[list-item]
    with pytest.raises(TooLong, match="do not fit the judge's context of 256"):
        gpt2.read("z " * 300)
    assert gpt2.read("sea", top=0).tokens[0].top == ()


def test_what_travels_is_what_was_read(gpt2: Judge) -> None:
    steps, found = gpt2.read_in_steps(Pair(PREFIX, TEXT), 3), list[Prediction]()
    try:
        while True:
            next(steps)
    except StopIteration as end:
        found = end.value
    raw = reading.pack(found)
    assert reading.unpack(raw) == found
    assert reading.unpack(reading.pack([])) == []
    for broken in (b"", b"abc", raw[:-1], raw + b"\0"):
        with pytest.raises(ValueError, match=r"no predictions|no whole number"):
            reading.unpack(broken)


def test_an_interval_is_students() -> None:
    # Tables of the distribution: 97.5 % and 99.5 %.
    for freedom, expected in ((1, 12.7062), (2, 4.3027), (5, 2.5706), (10, 2.2281), (100, 1.9840)):
        assert student(0.975, freedom) == pytest.approx(expected, abs=5e-5)
    assert student(0.995, 7) == pytest.approx(3.4995, abs=5e-5)
    found = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert (found.mean, found.count) == (2.5, 4)
    assert found.high - found.mean == pytest.approx(3.1824 * math.sqrt(5 / 3) / 2, abs=1e-4)
    with pytest.raises(ValueError, match="at least two"):
        mean_interval([1.0])
