"""The benchmarks of a judge still run, and say what they are asked for."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from benchmarks.judge import main
from benchmarks.pocket import estimate, halves, held_out_passages, longest_words, six_words, words_prefix
from judge.judge import Judge


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_run_gives_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--model", "pocket", "--dtype", "float32", "--dtype", "bfloat16", "--runs", "1", "--most", "8", "--json"])
    narrow, wide = sorted(json.loads(capsys.readouterr().out), key=lambda report: str(report["dtype"]))
    for report in (narrow, wide):
        assert {"ours 1", "ours 8", "loop", "batch 8", "lone forward", "matrix plain"} <= report["ms_per_job"].keys()
        assert all(len(runs) == 1 and runs[0] > 0 for runs in report["ms_per_job"].values())
        for ratio in ("share of the matrix rate", "times loop", "times batch, the best"):
            middle, least, greatest = report["ratios"][ratio]
            assert 0 < least == middle == greatest
        assert report["peak_mib"].keys() == {"1", "8"}
        assert all(20 < mib < 10_000 for mib in report["peak_mib"].values())
        assert len(report["ms_by_passage_tokens"]) == 4
        assert report["changed"] == [0, 8]
    assert narrow["ratios"]["times ours in float32"][0] > 0
    assert "times ours in float32" not in wide["ratios"]


def test_the_longest_words_are_distinct_and_in_order_of_length() -> None:
    text = "The Elephants and the elephants ran; kangaroos, too, ran past."
    assert longest_words(text, 3) == ["Elephants", "kangaroos", "past"]
    assert words_prefix(["a", "b"]) == "a b. "


def test_halves_part_at_the_space_nearest_the_middle() -> None:
    first, second = halves("one two three four")
    assert (first, second) == ("one two", " three four")


def test_an_estimate_has_a_mean_and_an_interval() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert (found.mean, found.n) == (2.0, 3)
    assert found.half_width == pytest.approx(1.96 / 3**0.5)


def test_the_six_longest_words_of_held_out_passages_are_counted(tmp_path: Path) -> None:
    sentence = "Here is a sentence of a certain length about nothing much, which goes on for a while and then stops. "
    rows = [{"source": source, "text": sentence * 30} for source in ("a novel", "physics")]
    file = tmp_path / "heldout.jsonl.xz"
    file.write_bytes(lzma.compress("\n".join(json.dumps(row) for row in rows).encode()))
    texts = held_out_passages(file, 4)
    assert len(texts) == 4
    found = six_words(Judge.load("pocket", device="cpu"), texts)
    assert found["passages"] == 4
    assert 0 <= found["save_bits"] <= 1
