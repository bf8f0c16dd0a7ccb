"""`xentarena sample`: methods side by side, as a table, as JSON Lines and as CSV; how diverse many samples are."""

import csv
import io
import json
import re
import sys

import pytest

from judge.diversity import distinct, self_overlap
from judge.judge import Judge
from judge.methods import USUAL
from tests.support.command import Run
from xentarena import offline

pytestmark = pytest.mark.usefixtures("loaded_once")


TEXT = "The tide came in over"


@pytest.fixture(scope="module")
def pocket() -> Judge:
    return offline.load_judge("pocket", "arena", "float32")


def test_each_method_goes_on_from_the_same_text_and_seed(run: Run, pocket: Judge) -> None:
    told = run("sample", "--text", TEXT, "--tokens", "5", "--seed", "3", "--top", "2", "--format", "jsonl").json
    assert [each["method"] for each in told["samples"]] == list(USUAL)
    for each in told["samples"]:
        expected = pocket.sample(TEXT, each["method"], tokens=5, seed=3, top=2).as_json()
        assert each == {"method": each["method"], **json.loads(json.dumps(expected))}
    assert (told["prefix"], told["seed"], told["identity"]) == (TEXT, 3, pocket.identity)
    table = run("sample", "--text", TEXT, "--tokens", "5", "--seed", "3").out.splitlines()
    assert [line.split()[0] for line in table[2:]] == list(USUAL)
    assert all(line.endswith(repr(each["text"])) for line, each in zip(table[2:], told["samples"], strict=True))


def test_many_samples_tell_how_diverse_they_are(run: Run, pocket: Judge) -> None:
    asked = ("--text", TEXT, "--tokens", "4", "--count", "3", "--method", "greedy", "--method", "temperature=2")
    ended = run("sample", *asked, "--format", "csv", "--top", "1")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [(row["sample"], row["seed"]) for row in rows[::8]] == [("1", "0"), ("2", "1"), ("3", "2")]
    written = []
    for seed in range(3):
        sample = pocket.sample(TEXT, "temperature=2", tokens=4, seed=seed, top=1)
        mine = [row for row in rows if (row["seed"], row["method"]) == (str(seed), "temperature=2.0")]
        assert [json.loads(row["token_text"]) for row in mine] == [step.text for step in sample.steps]
        assert [float(row["after"]) for row in mine] == [step.after for step in sample.steps]
        assert json.loads(mine[0]["top"]) == [[each.text, each.before, each.after] for each in sample.steps[0].top]
        written.append([step.text for step in sample.steps])
    of_two = (
        f"of the runs of 2 tokens {distinct(written, 2):.3f} are distinct, {self_overlap(written, 2):.3f} in another"
    )
    assert of_two in ended.err
    assert re.search(r"greedy: 3 samples; .* of the runs of 3 tokens 0.333 are distinct, 1.000 in another", ended.err)
    assert "greedy: 3 samples" in run("sample", *asked).out


def test_bad_input_is_told_in_a_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for status, arguments, given, told in (
        (1, ("--text", ""), "", "The text is empty."),
        (1, ("--text", "z " * 600), "", "do not fit the judge's context of 512"),
        (1, ("--text", "a", "--tokens", "600"), "", "do not fit the judge's context of 512"),
        (1, (), "a" * 10_000_000, "The text is 10,000,000 bytes long, 1,000,000 are the most."),
        (1, ("--judge", "nobody", "--text", "a"), "", "nobody"),
        (2, ("--text", "a", "--method", "top-k=0"), "", "--method: top-k must be 1 or more, not 0"),
        (2, ("--text", "a", "--method", "temperature=0"), "", "--method: temperature must be above 0: at 0"),
        (2, ("--text", "a", "--method", "temperature=1e9"), "", "at most 100, not 1e+09"),
        (2, ("--text", "a", "--method", "best"), "", "no method 'best': say greedy, sampling, beam=…"),
        (2, ("--text", "a", "--tokens", "0"), "", "--tokens"),
        (2, ("--text", "a", "--top", "51"), "", "--top"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        ended = run("sample", *arguments)
        assert (ended.status, told in " ".join(ended.err.split())) == (status, True), ended
