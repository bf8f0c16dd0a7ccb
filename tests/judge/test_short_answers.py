"""Short answers to tune on: never those of examples/questions.csv, right, and what a judge is tuned with."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer

from judge.answers import ask
from judge.judge import Judge
from judge.replies import Question
from judge.training.data import Document, train_tokenizer
from judge.training.model import Shape, make_model, save_folder
from judge.training.short_answers import NUMBERS, QUESTIONS, document, main, questions

ROOT = Path(__file__).parents[2]


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def test_nothing_that_is_asked_in_the_examples_is_tuned_on() -> None:
    with (ROOT / "examples" / "questions.csv").open(encoding="utf-8") as file:
        asked = [row["question"] for row in csv.DictReader(file)]
    told = {question for question, _ in questions(QUESTIONS, 0)} | {question for question, _ in questions(500, 1)}
    all_words = [_words(question) for question in told]
    for question in asked:
        words = _words(question)
        assert not any(words <= each for each in all_words), f"{question} in whatever order"
    known = {word for words in all_words for word in words}
    things = {match[1].lower() for question in asked if (match := re.search(r"Is (\w+) an animal", question))}
    countries = {match[1].lower() for question in asked if (match := re.search(r"capital of (\w+)", question))}
    assert len(things) == 12
    assert len(countries) == 4
    assert not known & (things | countries)


def test_sums_are_right_and_nothing_has_two_answers() -> None:
    told = list(questions(5000, 3))
    assert told == list(questions(5000, 3))
    answers: dict[str, str] = {}
    for question, answer in told:
        assert answers.setdefault(question, answer) == answer
        if match := re.fullmatch(r"How much is (\d+) plus (\d+)\?", question):
            assert int(answer) == int(match[1]) + int(match[2])
        elif match := re.fullmatch(r"Is (\w+) (plus|more than) (\w+)( \w+)?\?", question):
            a, b = NUMBERS.split().index(match[1]), NUMBERS.split().index(match[3])
            right = a > b if match[2] != "plus" else NUMBERS.split()[a + b] == (match[4] or "").strip()
            assert answer == ("Yes" if right else "No"), question
    said = Counter(answer for _, answer in told)
    assert 0.8 < said["Yes"] / said["No"] < 1.25


def test_a_judge_is_tuned_with_the_tokenizer_it_had(tmp_path: Path) -> None:
    shape = Shape(vocab=300, width=32, layers=1, heads=2, feed_forward=48, context=64)
    tokenizer: Tokenizer = train_tokenizer([Document("a", document(*each)) for each in questions(50, 5)], {}, 300)
    save_folder(make_model(shape), shape, tokenizer, "forward", tmp_path / "base")
    threads = torch.get_num_threads()
    more = ("--context", "64", "--micro", "512", "--batch", "1024", "--tokens", "20480", "--warm-up", "1024")
    main(["--base", str(tmp_path / "base"), "--out", str(tmp_path / "tuned"), "--questions", "300", *more,
          "--dtype", "float32", "--device", "cpu", "--threads", "1"])  # fmt: skip
    torch.set_num_threads(threads)
    before, after = (Judge.load(tmp_path / name, device="cpu", threads=1) for name in ("base", "tuned"))
    assert before.tokens.ids("Question: Is it?") == after.tokens.ids("Question: Is it?")
    asked = [Question("Is ten more than two?", ("Yes", "No"), 0)]
    costs = [sum(ask(judge, asked)[0].bits) for judge in (before, after)]
    assert costs[1] < costs[0] - 1, "it has learned what is said after a question"
