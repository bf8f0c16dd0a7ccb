"""`xentarena compress` and `decompress`: files and standard input, what it costs, and what is refused."""

import io
import json
import sys
from pathlib import Path

import pytest

from judge.judge import Judge, Pair
from tests.judge import tiny
from tests.support.command import Run
from xentarena import offline

pytestmark = pytest.mark.usefixtures("loaded_once")


TEXT = "The tide came in — naïve.\n"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small one, in a folder."""
    return str(tiny.write_gpt2(tmp_path_factory.mktemp("judge") / "small"))


def _bits(judge: str, prefix: str, text: str) -> float:
    loaded: Judge = offline.load_judge(judge, "arena", "float32")
    return sum(loaded.measure([Pair(prefix, text)])[0])


def test_a_file_becomes_its_bits_and_itself_again(run: Run, judge: str, tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_bytes(TEXT.encode() + b"\xff")
    told = run("compress", str(file), "--judge", judge)
    packed = tmp_path / "text.xac"
    assert (told.status, told.out) == (0, "")
    assert "beside       1 bytes that no token spells" in told.err
    assert f"on disk      {packed.stat().st_size:,} bytes" in told.err
    file.unlink()
    assert run("decompress", str(packed), "--judge", judge).status == 0
    assert file.read_bytes() == TEXT.encode() + b"\xff"


def test_standard_input_goes_in_and_standard_output_out(
    run: Run, judge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = str(tmp_path / "packed")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert run("compress", "-", "--judge", judge, "-o", packed).status == 0
    assert run("decompress", packed, "--judge", judge, "-o", "-").out == TEXT


def test_a_description_is_told_with_what_it_saves(run: Run, judge: str, tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text(TEXT)
    ended = run("compress", str(file), "--judge", judge, "--description", "the sea", "--json")
    told = json.loads(ended.err)
    description, text, alone = (_bits(judge, *pair) for pair in (("", "the sea"), ("the sea", TEXT), ("", TEXT)))
    assert (told["description_bits"], told["bits"]) == pytest.approx((description, text), abs=0.05)
    beside = told["without_description"]
    assert (beside["bits"], beside["saved"]) == pytest.approx((alone, alone - description - text), abs=0.1)
    assert told["least_bytes"] - 4 <= told["coded_bytes"] <= told["least_bytes"] + 1
    assert told["file_bytes"] == (tmp_path / "text.xac").stat().st_size
    shown = run("compress", str(file), "--judge", judge, "--description", "the sea", "--force").err
    assert f"alone        {beside['bits']:,.2f} bits: the description saves {beside['saved']:,.2f} in all" in shown


def test_bad_input_is_told_in_a_line_and_nothing_is_written(run: Run, judge: str, tmp_path: Path) -> None:
    text, packed, out = tmp_path / "text", tmp_path / "packed.xac", tmp_path / "out"
    text.write_text(TEXT)
    assert run("compress", str(text), "-o", str(packed), "--judge", judge).status == 0
    (tmp_path / "cut.xac").write_bytes(packed.read_bytes()[:-5])
    raw = bytearray(packed.read_bytes())
    raw[-20] ^= 1
    (tmp_path / "altered.xac").write_bytes(raw)
    (tmp_path / "large").write_bytes(bytes(1_000_001))
    (tmp_path / "there").touch()
    before = sorted(tmp_path.iterdir())
    for status, arguments, told in (
        (1, ("decompress", "cut.xac", "-o", str(out)), "cut or was altered"),
        (1, ("decompress", "altered.xac", "-o", str(out)), "cut or was altered"),
        (1, ("decompress", "text", "-o", str(out)), "no file that `compress` wrote"),
        (1, ("decompress", "packed.xac", "-o", str(out), "--judge", "pocket"), "the judge that wrote this is small in"),
        (1, ("decompress", "packed.xac", "-o", str(out)), "judge small: no judge 'small'"),
        (1, ("decompress", "packed.xac", "-o", str(tmp_path / "there")), "is there already"),
        (1, ("decompress", "packed.xac", "-o", str(tmp_path / "no" / "out"), "--judge", judge), "cannot write"),
        (2, ("decompress", "text"), "say where to write: text does not end in .xac"),
        (1, ("compress", "large", "-o", str(out)), "has more than 1,000,000 bytes"),
        (1, ("compress", "nowhere"), "cannot read"),
        (1, ("compress", "text", "-o", str(out), "--judge", "nobody"), "no judge 'nobody'"),
    ):
        ended = run(arguments[0], str(tmp_path / arguments[1]), *arguments[2:])
        assert (ended.status, told in " ".join(ended.err.replace("│", "").split())) == (status, True), ended
    assert sorted(tmp_path.iterdir()) == before
