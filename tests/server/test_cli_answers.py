"""`xentarena answers` and `pairs`: files of questions and sentences in, tables, lines and a picture out."""

import csv
import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from judge.answers import ask
from judge.judge import Judge
from judge.loading.source import find
from judge.pairs import Pair, compare
from judge.turns import read_turn
from tests.judge import tiny
from tests.support.command import Run
from xentarena import offline, quizzes

pytestmark = pytest.mark.usefixtures("loaded_once")


ROOT = Path(__file__).parents[2]
QUESTIONS = 'question,answer,answers\n"Is the sea old, or new?",old,old|new\nIs it?,yes,\nIs it not?,no,\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.write_gpt2(tmp_path_factory.mktemp("judge") / "small"))


@pytest.fixture(scope="module")
def judge(folder: str) -> Judge:
    return offline.load_judge(folder, "arena", "float32")


def test_questions_are_told_as_a_judge_answers_them(run: Run, folder: str, judge: Judge, tmp_path: Path) -> None:
    file = tmp_path / "questions.csv"
    file.write_text(QUESTIONS)
    replies = ask(judge, quizzes.questions(QUESTIONS, "here", ["yes", "no", "perhaps"]))
    assert [reply.question.answers for reply in replies] == [("old", "new"), *2 * [("yes", "no", "perhaps")]]
    asked = ("answers", str(file), "--judge", folder, *(f"--answer={each}" for each in ("yes", "no", "perhaps")))
    for row, reply in zip(map(json.loads, run(*asked, "--format", "jsonl").out.splitlines()), replies, strict=True):
        assert row["bits"] == pytest.approx(reply.bits)
        assert row["probabilities"] == pytest.approx(reply.plain.probabilities)
        assert row["calibrated_probabilities"] == pytest.approx(reply.calibrated.probabilities)
        assert (row["says"] == row["answer"]) == row["right"] == reply.plain.is_right
        assert (row["calibrated_says"] == row["answer"]) == row["calibrated_right"] == reply.calibrated.is_right
        assert row["entropy"] == pytest.approx(reply.plain.entropy)
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv").out)))
    assert [json.loads(row["question"]) for row in rows] == [reply.question.text for reply in replies]
    out = run(*asked, "--svg", str(tmp_path / "trust.svg")).out
    right = sum(reply.plain.is_right for reply in replies) / 3
    assert f"right        {right:.3f}  (95 % interval" in out
    assert out.count("expected error") == 2
    picture = ElementTree.fromstring((tmp_path / "trust.svg").read_text())
    words = " ".join(each.text or "" for each in picture.iter("{http://www.w3.org/2000/svg}text"))
    assert f"as it says: {right:.1%} right" in words
    assert "without its prior" in words


def test_files_of_both_kinds_say_the_same(tmp_path: Path) -> None:
    lines = '{"question": "Is it?", "answer": "yes", "answers": ["yes", "no"]}\n\n{"question": "2?", "answer": "no"}\n'
    table = "question,answer,answers\nIs it?,yes,yes|no\n2?,no,\n"
    assert quizzes.questions(lines, "a") == quizzes.questions(table, "b")
    sentences = '{"true": "a", "false": "b"}', "\ufefftrue,false\na,b\n"
    assert [quizzes.pairs(each, "c") for each in sentences] == 2 * [[Pair("", "a", "b")]]
    known = quizzes.questions((ROOT / "examples" / "questions.csv").read_text(), "examples")
    assert len(known) == len({each.text for each in known}) == 100


def test_the_packaged_pairs_are_two_hundred_and_balanced() -> None:
    found = quizzes.packaged_pairs()
    counts = {subject: sum(each.subject == subject for each in found) for subject in {each.subject for each in found}}
    assert counts == {"arithmetic": 50, "facts": 50, "physics": 50, "strings": 50}
    said = [sentence for each in found for sentence in (each.true, each.false)]
    assert len(set(said)) == len(said) == 400, "no sentence is there twice, or both true and false"
    tokens = find("pocket").tokens
    equal = sum(tokens.count(each.true) == tokens.count(each.false) for each in found)
    assert equal >= 140, "and most are of equal token count, whoever counts"


def test_pairs_are_told_as_a_judge_compares_them(run: Run, folder: str, judge: Judge, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("subject,true,false\nsea,It is 1.,It is 2.\nsky,It flew.,It flew to a castle.\n")
    (tmp_path / "one.csv").write_text("true,false\nIt is 1.,It is 2.\n")
    found = compare(judge, quizzes.pairs(file.read_text(), "here"))
    asked = ("pairs", str(file), "--judge", folder)
    rows = [json.loads(line) for line in run(*asked, "--format", "jsonl").out.splitlines()]
    for row, each in zip(rows, found, strict=True):
        assert (row["true_bits"], row["false_bits"]) == pytest.approx(each.bits)
        assert (row["true_yes"], row["false_yes"]) == pytest.approx(each.yes)
        assert (row["true_first"], row["true_second"]) == pytest.approx(each.which)
        told = [row[name] for name in ("cheaper", "cheaper_a_token", "said_yes", "said_which")]
        assert told == [each.cheaper, each.cheaper_a_token, each.said_yes, each.said_which]
    lines = run(*asked).out.splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == ["sea (1)", "sky (1)", "all (2)", "of equal token count (1)"]
    share = sum(each.cheaper for each in found) / 2
    assert f" {share:.1%} (" in lines[4]
    lone = run("pairs", str(tmp_path / "one.csv"), "--judge", folder).out.splitlines()
    assert [line.split("  ")[0] for line in lone[2:]] == ["all (1)", "of equal token count (1)"]


def test_bad_files_are_told_with_the_line(run: Run, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for command, text, told in (
        ("answers", "", "has no column 'question'"),
        ("answers", "question,answer\n", "standard input has no line but perhaps its head"),
        ("answers", "question,answer\nIs it?,\n", "line 2: 'answer' is missing"),
        ("answers", "question,answer\na?,yes\n", "line 2: 'yes' is the only answer that is allowed"),
        ("answers", "question,answer,answers\na?,yes,no|perhaps\n", "line 2: the answer 'yes' is none of no, perhaps"),
        ("answers", "question,answer,answers\na?,yes,yes|no|yes\n", "line 2: an answer is there twice"),
        ("answers", 'question,answer\n"a?,yes\n', "no CSV"),
        ("answers", '{"question": "a?", "answer": "yes"}\n{"question"\n', "line 2: no JSON"),
        ("answers", '{"question": "a?", "answer": 1}\n', "line 1: 'answer' is missing or no text"),
        (
            "answers",
            "question,answer\na?,yes\nb?,no\n" + "z " * 400 + "?,no\n",
            "do not fit the judge's context of 256",
        ),
        ("pairs", "true,false\nsame,same\n", "line 2: both sentences are 'same'"),
        ("pairs", "right,wrong\na,b\n", "has no column 'true'"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        ended = run(command, "-", "--judge", folder)
        assert (ended.status, told in ended.err) == (1, True), (text, ended)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(QUESTIONS.encode())))
    assert "no chat template" in run("answers", "-", "--judge", folder, "--chat").err
    assert run("answers", "-", "--chat", "--template", "{question}").status == 2


def test_a_turn_is_told_inside_a_chat_template_and_outside(run: Run, tmp_path: Path) -> None:
    tuned = tiny.write_gpt2(tmp_path / "tuned")
    (tuned / "chat_template.jinja").write_text(
        "{% for each in messages %}Human: {{ each.content }}\n{% endfor %}Judge:"
    )
    judge = offline.load_judge(str(tuned), "arena", "float32")
    asked = ("read", "--judge", str(tuned), "--text", "The sea is old.")
    told = run(*asked, "--turn", "human", "--format", "jsonl").json
    inside, outside = read_turn(judge, "The sea is old.", "human"), judge.read("The sea is old.")
    assert [each["bits"] for each in told["alone"]["tokens"]] == [each.bits for each in outside.tokens]
    assert [each["bits"] for each in told["read"]["tokens"]] == [each.bits for each in inside.tokens]
    lines = run(*asked, "--turn", "human").out.splitlines()
    assert lines[0].split() == ["bits", "rank", "entropy", "outside", "saved", "token"]
    shown = [f"{each.entropy:.3f}" for each in outside.tokens]
    assert [line.split()[3] for line in lines[1 : len(shown) + 1]] == shown
    assert lines[-1].split("  ")[-1].startswith("bits without the chat template, which saves")
    for more in (("--server", "http://127.0.0.1:1", "--token", "x"), ("--profile", "xent-0.5")):
        assert run(*asked, "--turn", "human", *more).status == 2
    assert "the human speaks first" in run(*asked, "--turn", "judge").err


def test_the_packaged_proof_steps_are_compared(run: Run, folder: str, tmp_path: Path) -> None:
    rows = [
        json.loads(line) for line in run("pairs", "--proofs", "--judge", folder, "--format", "jsonl").out.splitlines()
    ]
    assert [(row["true"], row["false"]) for row in rows] == [(each.true, each.false) for each in quizzes.proof_steps()]
    assert run("pairs", str(tmp_path / "mine.csv"), "--proofs").status == 2
