"""Answers cost what plain transformers says, in a chat template too, and the prior for them is taken away."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy import special
from transformers import AutoTokenizer

from judge import several
from judge.answers import ask
from judge.errors import JudgeError, TooLong
from judge.experiments import steps
from judge.judge import Judge, Pair
from judge.pairs import WAYS, compare
from judge.pairs import Pair as Sentences
from judge.replies import ALONE, BOTH, NOTHING, TEMPLATE, Question, log_odds, prior
from judge.turns import Turn, read_turn
from tests.judge import reference, tiny

CHAT = "{% for each in messages %}<|endoftext|>{{ each.role }}\n{{ each.content | trim }}\n{% endfor %}The judge:"
QUESTIONS = [
    Question("Is the sea a mountain?", ("yes", "no"), 1),
    Question("Who flew over the castle?", ("the dragon", "a judge", "nobody"), 0),
    Question("Is a dragon old?", ("yes", "no"), 0),
    Question("Which letter?", ("A", "B", "z"), 1),  # of one token each, in a chat
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.write_gpt2(tmp_path_factory.mktemp("judges") / "small")
    (folder / "chat_template.jinja").write_text(CHAT)
    return folder


@pytest.fixture(scope="module")
def judge(folder: Path) -> Judge:
    return Judge.load(folder, device="cpu", threads=1)


def _bits(model: Any, before: list[int], answer: list[int]) -> float:
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([before + answer])).logits[0].double(), dim=1)
    places = range(len(before) - 1, len(before) + len(answer) - 1)
    return -sum(float(log_p[at, token]) for at, token in zip(places, answer, strict=True)) / math.log(2)


def _softmax(bits: list[float]) -> Any:
    return special.softmax(-np.array(bits) * math.log(2))


def test_an_answer_costs_what_a_measurement_says_and_its_prior_is_that_of_nothing(judge: Judge) -> None:
    told: list[tuple[int, int]] = []
    replies = ask(judge, QUESTIONS, progress=lambda *of: told.append(of))
    assert told == [(4, 4)]
    for reply, question in zip(replies, QUESTIONS, strict=True):
        assert reply.question == question
        for words, kept in ((question.text, reply.bits), *((nothing, None) for nothing in NOTHING)):
            prompt = TEMPLATE.replace("{question}", words)
            pairs = [Pair(prompt, f" {answer}") for answer in question.answers]
            measured = [sum(bits) for bits in judge.measure(pairs)]
            if kept is not None:
                assert kept == pytest.approx(measured, abs=1e-4)
        prompts = [TEMPLATE.replace("{question}", nothing) for nothing in NOTHING]
        priors = [
            _softmax([sum(judge.measure([Pair(prompt, f" {each}")])[0]) for each in question.answers])
            for prompt in prompts
        ]
        prior = np.mean(priors, axis=0)
        plain = _softmax(list(reply.bits))
        assert reply.plain.probabilities == pytest.approx(plain)
        assert [2**-each for each in reply.prior] == pytest.approx(prior, rel=1e-3)
        assert reply.calibrated.probabilities == pytest.approx((plain / prior) / (plain / prior).sum(), rel=1e-3)
        assert reply.plain.right == question.right


def test_in_a_chat_the_ids_are_those_of_transformers(judge: Judge, folder: Path) -> None:
    model, _ = reference.load(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    chat = judge.chat()
    for question in QUESTIONS:
        said = [{"role": "user", "content": question.text}]
        ids = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False)
        assert chat.ids(question.text) == ids
        assert ids[0] == judge.bos
        (reply,) = ask(judge, [question], chat=True)
        expected = [_bits(model, ids, judge.tokens.ids(answer)) for answer in question.answers]
        assert reply.bits == pytest.approx(expected, abs=2e-3)
    assert judge.bos not in chat.ids("<|endoftext|>")[1:], "what somebody spells out stays plain text"


@pytest.mark.parametrize(("whose", "said"), [("human", ""), ("judge", "Who flew?")])
def test_a_turn_in_a_chat_is_read_as_transformers_predicts_it(
    judge: Judge, folder: Path, whose: Turn, said: str
) -> None:
    model, _ = reference.load(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    text = "The dragon flew over the castle."
    ids = judge.tokens.ids(text)
    chat = [{"role": "user", "content": said or text}]
    before = tokenizer.apply_chat_template(chat, add_generation_prompt=bool(said), return_dict=False)
    if not said:  # what stands before the words of the only message
        before = before[: next(at for at in range(len(before)) if before[at : at + len(ids)] == ids)]
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([before + ids])).logits[0].double(), dim=1)[len(before) - 1 : -1]
    found = read_turn(judge, text, whose, said, top=3)
    entropy = -(log_p.exp() * log_p).sum(1) / math.log(2)
    assert [each.entropy for each in found.tokens] == pytest.approx(entropy.tolist(), abs=2e-3)
    assert [each.bits for each in found.tokens] == pytest.approx(_each_bits(log_p, ids), abs=2e-3)
    assert "".join(each.text for each in found.tokens) == text


def _each_bits(log_p: torch.Tensor, ids: list[int]) -> list[float]:
    return [-float(row[token]) / math.log(2) for row, token in zip(log_p, ids, strict=True)]


def test_a_turn_that_cannot_be_is_told(judge: Judge, folders: dict[str, Path]) -> None:
    plain = Judge.load(folders["gpt2"], device="cpu", threads=1)
    for asked, text, whose, said, told in (
        (judge, "", "human", "", "an empty text"),
        (judge, "Yes.", "judge", "", "the human speaks first"),
        (judge, "Yes.", "human", "Is it?", "the human speaks first"),
        (judge, "z " * 300, "human", "", "do not fit the judge's context of 256"),
        (plain, "Yes.", "human", "", "no chat template"),
    ):
        with pytest.raises(JudgeError, match=told):
            read_turn(asked, text, cast(Turn, whose), said)


def test_bad_questions_and_judges_are_told(judge: Judge, folders: dict[str, Path], tmp_path: Path) -> None:
    one = [Question("a?", ("yes", "no"), 0)]
    backward = Judge.load(tiny.declare(tiny.write_gpt2(tmp_path), direction="backward"), device="cpu", threads=1)
    for asked, questions, how, told in (
        (judge, [Question("a?", ("yes",), 0)], {}, "at least two answers"),
        (judge, [Question("a?", ("yes", "yes"), 0)], {}, "at least two answers"),
        (judge, [Question("a?", ("yes", " "), 0)], {}, "at least two answers"),
        (judge, [Question("a?", ("yes", "no"), 2)], {}, "2 answers, counted from 0: none is 2"),
        (judge, one, {"template": "Question:"}, r"needs \{question\} once"),
        (backward, one, {}, "reads from right to left"),
        (Judge.load(folders["gpt2"], device="cpu", threads=1), one, {"chat": True}, "no chat template"),
    ):
        with pytest.raises(JudgeError, match=told):
            ask(asked, questions, **how)
    with pytest.raises(TooLong, match="do not fit the judge's context of 256"):
        ask(judge, [Question("z " * 300, ("yes", "no"), 0)])
    assert ask(judge, []) == []


def test_a_pair_is_measured_and_asked_about_in_both_orders(judge: Judge) -> None:
    pairs = [
        Sentences("sea", "The sea is old.", "The sea is a judge."),
        Sentences("", "A dragon flew.", "A text flew."),
    ]
    for each, pair in zip(compare(judge, pairs), pairs, strict=True):
        sentences = (pair.true, pair.false)
        assert each.bits == pytest.approx([sum(bits) for bits in judge.measure([Pair("", s) for s in sentences])])
        assert each.tokens == tuple(len(judge.tokens.ids(sentence)) for sentence in sentences)
        asked = [Question(ALONE.format(sentence), ("Yes", "No"), 0) for sentence in sentences]
        asked.append(Question(BOTH.format(pair.true, pair.false), ("A", "B"), 0))
        asked.append(Question(BOTH.format(pair.false, pair.true), ("A", "B"), 0))
        yes, no, first, second = (reply.bits[1] - reply.bits[0] for reply in ask(judge, asked))
        assert (*each.yes, *each.which) == pytest.approx((yes, no, first, -second))
        assert [way(each) for way in WAYS.values()] == [
            each.bits[0] < each.bits[1],
            each.bits[0] / each.tokens[0] < each.bits[1] / each.tokens[1],
            yes > no,
            first > second,
        ]


def test_what_the_lab_reads_on_a_server_is_what_asking_at_home_costs(judge: Judge) -> None:
    def read(kind: str, **question: object) -> list[float]:
        going = steps(judge, kind, question)
        try:
            while True:
                next(going)
        except StopIteration as done:
            found = several.unpack(done.value)
        assert all(each.entropy > 0 and each.top == () for reading in found for each in reading)
        return [math.fsum(each.bits for each in reading) for reading in found]

    question = QUESTIONS[1]
    (reply,) = ask(judge, [question])
    said, *nothing = np.array(read("answers", question=question.text, answers=list(question.answers))).reshape(4, 3)
    assert said.tolist() == pytest.approx(reply.bits, abs=1e-4)
    assert prior([each.tolist() for each in nothing]) == pytest.approx(reply.prior, abs=1e-4)
    pair = Sentences("", "The sea is wet.", "The sea is dry.")
    (compared,) = compare(judge, [pair])
    costs = read("pairs", first=pair.true, second=pair.false)
    assert costs[:2] == pytest.approx(compared.bits, abs=1e-4)
    odds = [log_odds(costs[start : start + 2])[0] for start in range(2, 10, 2)]
    assert odds == pytest.approx([*compared.yes, compared.which[0], -compared.which[1]], abs=1e-4)
    texts = ["The sea is wet.", "A dragon."]
    measured = judge.measure([Pair(prefix, text) for prefix in ("the sea", "") for text in texts])
    assert read("passages", prefix="the sea", other="", texts=texts) == pytest.approx([sum(each) for each in measured])
