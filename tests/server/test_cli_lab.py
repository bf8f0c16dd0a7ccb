"""`xentarena read`: many texts in one start, as a table, as JSON Lines and as CSV."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from judge.judge import Judge, Pair
from judge.replies import NOTHING
from judge.unforeseen import parts
from tests.support.command import Ended, Run
from tests.support.server import RunningApp, new_class
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, at_work, bits
from xentarena import offline

pytestmark = pytest.mark.usefixtures("loaded_once")


TEXTS = ("The tide came in.", "The boats were home.", "=1+1 and so on")


@pytest.fixture(scope="module")
def pocket() -> Judge:
    return offline.load_judge("pocket", "arena", "float32")


def test_texts_from_everywhere_are_told_in_order(run: Run, pocket: Judge, tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text(TEXTS[1] + "\n")
    ended = run("read", str(file), "--text", TEXTS[0], "--prefix", "sea", "--format", "jsonl", "--top", "3")
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert [each["text"] for each in told] == list(TEXTS[:2])
    for each in told:
        after, alone = pocket.measure([Pair("sea", each["text"]), Pair("", each["text"])])
        assert [token["bits"] for token in each["read"]["tokens"]] == after
        assert [token["bits"] for token in each["alone"]["tokens"]] == alone
        assert each["saved"] == pytest.approx(sum(alone) - sum(after))
        assert all(len(token["top"]) == 3 for token in each["read"]["tokens"])
        assert (each["judge"], each["identity"]) == ("pocket", pocket.identity)
    assert "on average over 2 texts the prefix saves" in ended.err
    lone = run("read", "--text", TEXTS[0], "--format", "jsonl").json
    assert (lone["alone"], lone["saved"]) == (None, None)


def test_standard_input_by_lines_becomes_a_table_that_programs_read(
    run: Run, pocket: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n\n".join(TEXTS).encode())))
    rows = list(csv.DictReader(io.StringIO(run("read", "--lines", "--format", "csv", "--prefix", "sea").out)))
    for number, text in enumerate(TEXTS, 1):
        mine = [row for row in rows if row["text"] == str(number)]
        assert "".join(json.loads(row["token_text"]) for row in mine) == text
        (bits,) = pocket.measure([Pair("sea", text)])
        assert [float(row["bits"]) for row in mine] == bits
        assert [float(row["alone_bits"]) - float(row["bits"]) for row in mine] == [float(r["saved"]) for r in mine]
        assert all(row["token_text"].startswith('"') for row in mine), "and no spreadsheet runs it"


def test_a_table_has_a_line_a_token_and_what_it_adds_up_to(run: Run) -> None:
    out = run("read", "--text", TEXTS[0], "--text", TEXTS[1], "--prefix", "sea").out
    assert out.splitlines()[0].split() == ["bits", "rank", "entropy", "saved", "token"]
    assert "' came'" in out
    assert "a byte, perplexity" in out
    assert "bits without the prefix, which saves" in out
    assert "(95 % interval" in out


def test_a_text_is_cut_where_entropy_spikes(run: Run, pocket: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = "The tide came in over the flats.", ("--prefix", "The sea rose.", "--borders", "rise=0.5")
    found = parts(pocket.read(text, "The sea rose."), pocket.read(text), rule="rise", threshold=0.5)
    assert len(found.borders) > 1
    told = run("read", "--text", text, *asked, "--format", "jsonl").json
    assert told["parts"] == json.loads(json.dumps(found.as_json()))
    rows = list(csv.DictReader(io.StringIO(run("read", "--text", text, *asked, "--format", "csv").out)))
    assert [index for index, (a, b) in enumerate(pairwise(rows), 1) if a["piece"] != b["piece"]] == [*found.borders]
    out = run("read", "--text", text, *asked).out
    pieces = out[out.index("cut where entropy rises by more than 0.500 bits:") :].splitlines()[1]
    assert "".join(json.loads(piece.replace("'", '"')) for piece in pieces.split(" | ")) == text
    assert f"bits cost {found.surprising[0].text!r}" in out
    for wrong in ("fall", "rise=much", "above=1e9", "rise=nan"):
        assert "is no rule for borders" in run("read", "--text", text, "--borders", wrong).err


def test_bad_input_is_told_in_a_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for status, arguments, given, told in (
        (1, ("--text", ""), "", "The text is empty."),
        (1, ("--text", "a", "--text", " "), "", "text 2 of 2: The text is empty."),
        (1, ("--text", "z " * 600), "", "do not fit the judge's context of 512"),
        (1, (), "a" * 10_000_000, "The text is 10,000,000 bytes long, 1,000,000 are the most."),
        (1, ("--judge", "nobody", "--text", "a"), "", "nobody"),
        (1, ("/nowhere/text",), "", "cannot read /nowhere/text"),
        (2, ("--text", "a", "--top", "51"), "", "--top"),
        (2, ("--text", "a", "--format", "xml"), "", "--format"),
        (2, ("--lines",), "\n\n", "no line that is not empty"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        ended: Ended = run("read", *arguments)
        assert (ended.status, told in " ".join(ended.err.split())) == (status, True), ended


def test_a_servers_judge_is_asked_instead_of_loading_one(
    run: Run, sqlite_house: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = new_class(sqlite_house, PLAIN)
    ada = lesson.join()
    monkeypatch.setenv("XENTARENA_TOKEN", str(ada.token))
    asked = ("--server", sqlite_house.url, "--judge", "plain", "--text", TEXTS[0], "--text", TEXTS[1], "--prefix", "7")
    told = [json.loads(line) for line in run("read", *asked, "--format", "jsonl", "--top", "0").out.splitlines()]
    for each, text in zip(told, TEXTS, strict=False):
        assert [token["bits"] for token in each["read"]["tokens"]] == bits("7", text)
        assert [token["bits"] for token in each["alone"]["tokens"]] == bits("", text)
        assert (each["text"], each["saved"], each["read"]["tokens"][0]["top"]) == (text, 7.0, [])
        assert each["parts"]["explained"][0]["bits"] == 7.0
    assert told[0].keys() == run("read", "--text", TEXTS[0], "--format", "jsonl").json.keys(), "as at home"
    assert "bits without the prefix, which saves 7.000" in run("read", *asked).out
    refused = run("read", "--server", sqlite_house.url, "--text", "a", "--judge", "nobody")
    assert (refused.status, "No worker has announced the judge 'nobody'" in refused.err) == (1, True)
    monkeypatch.delenv("XENTARENA_TOKEN")
    assert run("read", "--server", sqlite_house.url, "--text", "a").status == 2


def test_samples_come_from_a_servers_judge_as_from_one_at_home(
    run: Run, sqlite_house: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENTARENA_TOKEN", str(new_class(sqlite_house, PLAIN).join().token))
    asked = ("sample", "--text", TEXTS[0], "--tokens", "3", "--method", "greedy", "--format", "jsonl", "--top", "1")
    told = run(*asked, "--server", sqlite_house.url, "--judge", "plain").json
    assert told.keys() == run(*asked).json.keys()
    (found,) = told["samples"]
    assert (found["method"], found["bits"], len(found["steps"])) == ("greedy", 6.0, 3)
    assert [len(step["top"]) for step in found["steps"]] == [1, 1, 1]
    refused = run(*asked, "--server", sqlite_house.url, "--judge", "nobody")
    assert (refused.status, "No worker has announced the judge 'nobody'" in refused.err) == (1, True)


def test_questions_and_pairs_are_asked_of_a_servers_judge(
    run: Run, sqlite_house: RunningApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XENTARENA_TOKEN", str(new_class(sqlite_house, PLAIN).join().token))
    (tmp_path / "questions.csv").write_text("question,answer,answers\nIs it 7?,yes,yes|not at all\nIs it?,no,yes|no\n")
    (tmp_path / "pairs.csv").write_text("true,false\nIt is 1.,It is 2 or 3.\n")
    asked = ("--server", sqlite_house.url, "--judge", "plain", "--format", "jsonl")

    def costs(question: str, answers: Sequence[str]) -> list[float]:
        return [sum(bits(f"Question: {question}\nAnswer:", f" {answer}")) for answer in answers]

    rows = [json.loads(line) for line in run("answers", str(tmp_path / "questions.csv"), *asked).out.splitlines()]
    for row in rows:
        assert row["bits"] == costs(row["question"], row["answers"])
        prior = [np.mean([special.softmax(-np.array(costs(each, row["answers"])) * np.log(2)) for each in NOTHING], 0)]
        over = np.array(row["probabilities"]) / prior[0]
        assert row["calibrated_probabilities"] == pytest.approx(over / over.sum())
    pair = run("pairs", str(tmp_path / "pairs.csv"), *asked).json
    assert (pair["true_bits"], pair["false_bits"]) == (sum(bits("", pair["true"])), sum(bits("", pair["false"])))
    assert (pair["true_tokens"], pair["false_tokens"]) == (3, 5)
    assert pair["true_yes"] == pytest.approx(np.diff(costs(f"Is this true? {pair['true']}", ["Yes", "No"]))[0])
    both = costs(f"Which is true?\nA: {pair['true']}\nB: {pair['false']}", ["A", "B"])
    assert pair["true_first"] == pytest.approx(both[1] - both[0])
    questions = ("answers", str(tmp_path / "questions.csv"), "--server", sqlite_house.url)
    for status, more, told in (
        (2, ("--chat",), "special tokens"),
        (2, ("--token", ""), "--token"),
        (1, ("--template", "Say:"), "needs {question} once"),
        (1, ("--judge", "nobody"), "No worker has announced the judge 'nobody'"),
    ):
        ended = run(*questions, *more)
        assert (ended.status, told in " ".join(ended.err.split())) == (status, True), ended


def test_a_servers_judge_that_reads_backward_is_asked_no_questions(
    run: Run, sqlite_house: RunningApp, judge: FakeJudge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XENTARENA_TOKEN", str(new_class(sqlite_house, PLAIN).join().token))
    (tmp_path / "questions.csv").write_text("question,answer,answers\nIs it?,yes,yes|no\n")
    (tmp_path / "pairs.csv").write_text("true,false\nIt is 1.,It is 2.\n")
    backward = replace(judge, direction="backward")
    with at_work(sqlite_house.redis_url, backward):
        eventually(lambda: sqlite_house.measurable(backward), what="the judge")
        for command, file in (("answers", "questions.csv"), ("pairs", "pairs.csv")):
            ended = run(
                command,
                str(tmp_path / file),
                "--server",
                sqlite_house.url,
                "--judge",
                backward.name,
                "--format",
                "jsonl",
            )
            told = f"{backward.name} reads from right to left, the answer before the question: ask another"
            assert (ended.status, ended.out, told in " ".join(ended.err.split())) == (1, "", True), ended
    plain = run("answers", str(tmp_path / "questions.csv"), "--server", sqlite_house.url, "--judge", PLAIN.identity)
    assert plain.out.startswith("1 question, by plain\n")


def test_what_asks_a_server_loads_no_model() -> None:
    light = "import sys, server.cli.main, xentarena.asking; print({'torch', 'numpy'} & {*sys.modules})"
    ended = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("set()\n", "")
