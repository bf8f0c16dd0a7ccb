"""A text is as many bytes as its bits, and comes out of them again; what was not made so is refused."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from games.library import load
from judge.compressed_file import CompressedFile, Damaged
from judge.compression import Compressed, Compressor, OtherJudge
from judge.errors import JudgeError
from judge.judge import Judge, Pair
from judge.loading.tokenizer import Tokens
from judge.pieces import cut, join
from tests.judge import families, tiny

TEXT = "The dragon flew over the mountain — naïve 日本 and the old castle."
STRANGE = (
    "\ufeffa", "a\r\nb", "\u00a0 \u2028", "e\u0301 é", "שלום عليكم", "👩‍🚀🇫🇷", "\U0010ffff", "a\U0010ffffb", "ﬁ Å",
    "<|endoftext|>", "   ", "\t\t\n", "\x00\x01", "İıSSß", "x²≈½", "1+1=2", "{}", "AAAA", "..", "a b c", "日本",
)  # fmt: skip


def _hundred() -> list[bytes]:
    draw = Random("a hundred texts")
    found = [b"", b"a", b"\n", b"\x00", b"\xff", b"\xe2\x82", "naïve".encode("latin-1")]
    found += [draw.randbytes(draw.randrange(1, 60)) for _ in range(31)]
    found += [text.encode() for text in STRANGE]
    found += [TEXT.encode()[:17] + b"\xff\xfe" + TEXT.encode()[17:45]]
    found += [" ".join(passage.text.split()[:3]).encode() for passage in load()]
    return found


@pytest.fixture(scope="module")
def compressor(pocket: Judge) -> Compressor:
    return Compressor(pocket)


@pytest.fixture(scope="module")
def gpt2(folders: dict[str, Path]) -> Compressor:
    return Compressor(Judge.load(folders["gpt2"], device="cpu", threads=1))


def _least(found: Compressed) -> int:
    return math.ceil(found.whole_bits / 8)


@pytest.mark.slow
def test_a_hundred_texts_come_out_as_they_went_in_and_take_their_bits(compressor: Compressor, pocket: Judge) -> None:
    texts = _hundred()
    assert len(texts) >= 100
    for content in texts:
        found = compressor.compress(content)
        assert compressor.decompress(found.file) == content
        assert found.content_bytes == len(content)
        assert -4 <= found.coded - _least(found) <= 1
        assert len(found.file) - found.coded - found.beside < 80
    plain = [content.decode() for content in texts[-20:]]
    for text, bits in zip(plain, pocket.measure([Pair("", text) for text in plain]), strict=True):
        assert compressor.compress(text.encode()).bits == pytest.approx(sum(bits), abs=0.01), "what is measured"


@pytest.mark.parametrize("shape", ["llama", "qwen3", "gemma2", "backward", "mamba"])
def test_every_kind_of_judge_codes_what_it_measures(shape: str, folders: dict[str, Path], tmp_path: Path) -> None:
    """Those too whose tokenizer adds a space, that read from the right, or that keep nothing between two steps."""
    if shape == "mamba":
        families.write("mamba", tmp_path)
    elif shape == "backward":
        tiny.declare(tiny.write_gpt2(tmp_path), direction="backward")
    judge = Judge.load(folders.get(shape, tmp_path), device="cpu", threads=1)
    compressor = Compressor(judge)
    assert ("from the beginning" in compressor.build) == (shape == "mamba")
    for description, text in (("", TEXT[:30]), ("dragon sea", " the castle 日")):
        found = compressor.compress(text.encode(), description)
        assert compressor.decompress(found.file) == text.encode()
        assert -4 <= found.coded - _least(found) <= 1
        if not found.beside:
            first, second = (sum(each) for each in judge.measure([Pair("", description), Pair(description, text)]))
            assert (found.description_bits, found.bits) == pytest.approx((first, second), abs=0.05)


def test_a_long_text_goes_in_windows(gpt2: Compressor) -> None:
    """Of a context of 256; after each border there is half a window before a token."""
    content = " ".join(Random("long").choices(TEXT.split(), k=400)).encode()
    found = gpt2.compress(content)
    assert found.tokens > 3 * 256
    assert gpt2.decompress(found.file) == content
    assert -4 <= found.coded - _least(found) <= 1


def test_a_description_costs_what_it_costs_and_stays_out_of_what_comes_out(gpt2: Compressor) -> None:
    alone, after = gpt2.compress(TEXT.encode()), gpt2.compress(TEXT.encode(), "dragon sea")
    assert alone.description_bits == 0
    assert after.whole_bits == pytest.approx(gpt2.compress(b"dragon sea").bits + after.bits)
    assert gpt2.decompress(after.file) == TEXT.encode()


def test_how_far_it_is_is_told(gpt2: Compressor) -> None:
    told: list[tuple[int, int]] = []
    found = gpt2.compress(b"the sea", progress=lambda *of: told.append(of))
    gpt2.decompress(found.file, progress=lambda *of: told.append(of))
    assert told == 2 * [(done, found.tokens) for done in range(1, found.tokens + 1)]


def test_what_was_cut_or_altered_is_refused(gpt2: Compressor) -> None:
    file = gpt2.compress(TEXT.encode() + b"\xff\xfe").file
    for size in range(len(file)):
        with pytest.raises(Damaged, match=r"cut or was altered|does not begin as one"):
            CompressedFile.read(file[:size])
    for place in range(len(file)):
        with pytest.raises(Damaged):
            CompressedFile.read(file[:place] + bytes([file[place] ^ 64]) + file[place + 1 :])
    with pytest.raises(Damaged, match="cut or was altered"):
        CompressedFile.read(file + b"\0")
    with pytest.raises(Damaged, match="format 2"):
        CompressedFile.read(file[:4] + b"\x02" + file[5:])


def test_what_somebody_made_up_is_refused_too(gpt2: Compressor) -> None:
    """With a checksum that is right."""
    file = gpt2.compress(TEXT.encode()).file
    body = file[:-4]

    def signed(raw: bytes) -> bytes:
        return raw + zlib.crc32(raw).to_bytes(4)

    with pytest.raises(Damaged, match="what comes out is not what was compressed"):
        gpt2.decompress(signed(body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]))
    sizes = body.index(b"\x00\x01", 46)
    many = b"\x00\x01" + b"\xfe\xff\xff\xff\xff\x7f"
    for made, told in (
        (body[:-1], "ends too early"),
        (body + b"\0", "do not fit together"),
        (body[:5] + b"\x07" + body[6:], "says nothing that can be"),
        (body[:sizes] + many + body[sizes + 3 :], "longer than any text"),
    ):
        with pytest.raises(Damaged, match=told):
            gpt2.decompress(signed(made))


def test_another_judge_and_another_build_are_told(
    gpt2: Compressor, compressor: Compressor, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = gpt2.compress(b"the sea").file
    with pytest.raises(OtherJudge, match=r"the judge that wrote this is gpt2.* in float32.*; this one is pocket"):
        compressor.decompress(file)
    monkeypatch.setattr(gpt2, "build", gpt2.build.replace("torch", "torch 1.0 and"))
    with pytest.raises(OtherJudge, match="written on another build of the judge"):
        gpt2.decompress(file)


def test_too_much_at_once_is_refused(gpt2: Compressor) -> None:
    with pytest.raises(JudgeError, match="the content is 1,000,001 bytes long"):
        gpt2.compress(b"a" * 1_000_001)
    with pytest.raises(JudgeError, match="the description is 1,000,001 bytes long"):
        gpt2.compress(b"", "a" * 1_000_001)


def test_pieces_are_tokens_where_the_tokenizer_spells_and_bytes_elsewhere(folders: dict[str, Path]) -> None:
    tokens = Tokens.from_folder(folders["gpt2"])
    long = TEXT.encode() * 3
    for data, kinds in (
        (b"", ""),
        (b"a", "t"),
        (b"\xff", "b"),
        (long, "t"),
        (b"\xff" + long + b"\xff\xfe", "btb"),
        (b"\xffshort\xff", "b"),
        (bytes(range(128, 256)) * 20_000, "b"),
        ("\U0010ffff".encode() + long, "bt"),
    ):
        pieces = cut(tokens, data)
        assert join(tokens, pieces) == data
        found = "".join("b" if isinstance(piece, bytes) else "t" for piece in pieces)
        assert _without_repeats(found) == kinds
    unspoken = cut(Tokens.from_folder(folders["llama"]), long)
    assert unspoken == [long], "it puts a space before every text, and none is taken away"


def _without_repeats(kinds: Sequence[str]) -> str:
    return "".join(kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before)
