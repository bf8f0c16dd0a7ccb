"""`xentarena arrow`: texts in, what they cost from the left and from the right out."""

import csv
import io
import json
from pathlib import Path

import pytest

from judge.arrow import compare, difference
from tests.judge import tiny
from tests.support.command import Run
from xentarena import offline

pytestmark = pytest.mark.usefixtures("loaded_once")


TEXTS = ["The dragon flew over the mountain. " * 12, "A judge reads a text\nand says how surprising it was."]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its twin lies beside it."""
    folder = tmp_path_factory.mktemp("judges")
    tiny.declare(tiny.write_gpt2(folder / "own-backward", seed=1, context=64), direction="backward")
    return str(tiny.write_gpt2(folder / "own", context=64))


def test_texts_are_told_as_twins_read_them(run: Run, judge: str, tmp_path: Path) -> None:
    twins = [offline.load_judge(name, "arena", "float32") for name in (judge, f"{judge}-backward")]
    texts = compare(twins[0], twins[1], TEXTS)
    (tmp_path / "second").write_text(TEXTS[1] + "\n")
    asked = ("arrow", str(tmp_path / "second"), "--text", TEXTS[0], "--judge", judge)
    rows = [json.loads(line) for line in run(*asked, "--format", "jsonl").out.splitlines()]
    for row, passages in zip(rows, texts, strict=True):
        assert (row["judge"], row["twin"]) == ("own", "own-backward")
        assert [each["text"] for each in row["passages"]] == [each.text for each in passages]
        assert row["backward_bits"] == pytest.approx(sum(each.backward for each in passages))
        assert row["difference_per_byte"] * row["bytes"] == pytest.approx(row["backward_bits"] - row["forward_bits"])
    known = difference([[passage] for passage in texts[0]])
    assert known is not None
    assert rows[0]["interval"] == {"low": known.low, "high": known.high, "over": "passages", "count": len(texts[0])}
    table = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv").out)))
    assert [json.loads(row["passage_text"]) for row in table] == [each.text for found in texts for each in found]
    assert [float(row["forward_bits"]) for row in table] == [each.forward for found in texts for each in found]
    together = difference(texts)
    assert together is not None
    last = run(*asked).out.splitlines()[-1]
    assert last.startswith(f"backward less forward: {together.mean:+.4f} bits a byte")
    assert f"(95 % interval {together.low:+.4f} to {together.high:+.4f}, over 2 texts), by own and own-backward" in last
    assert "from one passage: how well that is known cannot be told" in run(*asked[:1], "--text", "a", *asked[4:]).out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--text", ""), "Text 1 is empty"),
        (("--text", "a", "--twin", "{judge}"), "own reads forward, and is asked for what a judge reads backward"),
        (("--text", "a", "--judge", "nobody"), "judge nobody"),
        (("--text", "a", "--judge", "{judge}-backward", "--twin", "{judge}-backward"), "reads backward, and is asked"),
        (("/nowhere/text",), "cannot read /nowhere/text"),
    ],
)
def test_bad_input_is_told_in_a_line(run: Run, judge: str, given: tuple[str, ...], told: str) -> None:
    ended = run("arrow", "--judge", judge, *(each.format(judge=judge) for each in given))
    assert (ended.status, ended.out) == (1, "")
    assert told in ended.err
    assert ended.err.count("\n") == 1
