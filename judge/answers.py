"""Questions to which only some answers are allowed: the odds that a judge gives each, and without its prior for them.

An answer's share p is 2^−bits of all its tokens after the question, over the sum for all that are allowed. A judge
prefers some words whatever is asked; contextual calibration (Zhao et al. 2021) asks it with nothing in the question's
place, and divides by what it says then: q ∝ p / p₀, with p₀ the mean share over `NOTHING`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from judge.calibration import Answered
from judge.chat_template import ChatTemplate
from judge.errors import JudgeError, NotFinite, TooLong
from judge.judge import Judge

NOTHING = ("N/A", "[MASK]", "")
TEMPLATE = "Question: {question}\nAnswer:"
PLACE = "{question}"
AT_ONCE = 32  # questions: between two of them it is told how far it is

Asked = tuple[list[int], list[list[int]]]  # the ids before the answers, and those of each
Progress = Callable[[int, int], None]  # questions done, questions in all


@dataclass(frozen=True, slots=True)
class Question:
    """answers: all that are allowed, at least two. right: which of them is, from 0."""

    text: str
    answers: tuple[str, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge says to a question. bits: what each answer costs it. prior: −log₂ of the share of each answer where
    nothing is asked."""

    question: Question
    bits: tuple[float, ...]
    prior: tuple[float, ...]

    @property
    def plain(self) -> Answered:
        """By its own shares."""
        return Answered(shares(self.bits), self.question.right)

    @property
    def calibrated(self) -> Answered:
        """By its shares over their prior."""
        return Answered(shares(self.without_prior), self.question.right)

    @property
    def without_prior(self) -> list[float]:
        """What each answer costs more than its prior, in bits."""
        return [bits - prior for bits, prior in zip(self.bits, self.prior, strict=True)]


def shares(bits: Sequence[float]) -> tuple[float, ...]:
    """2^−bits of each over their sum."""
    whole = together(bits)
    return tuple(2.0 ** (whole - each) for each in bits)


def log_odds(bits: Sequence[float]) -> list[float]:
    """Of each against all others together, in bits: above 0 for what is likelier than not."""
    return [together([*bits[:nth], *bits[nth + 1 :]]) - each for nth, each in enumerate(bits)]


def together(bits: Sequence[float]) -> float:
    """−log₂ Σ 2^−bits: what it costs that any of them comes."""
    least = min(bits)
    return least - math.log2(math.fsum(2.0 ** (least - each) for each in bits))


def ask(
    judge: Judge,
    questions: Sequence[Question],
    *,
    template: str = TEMPLATE,
    chat: bool = False,
    progress: Progress | None = None,
) -> list[Reply]:
    """A reply to each. template: what stands before an answer and the space before it, with {question} in it; chat: the
    judge's own template around the question instead, and no space.

    Raises JudgeError for a template without its place, a question with fewer than two answers or an empty one, a judge
    that reads from right to left or has no chat template, TooLong.
    """
    frame = _Frame(judge, template, judge.chat() if chat else None)
    for each in questions:
        if len(set(each.answers)) < max(2, len(each.answers)) or not all(map(str.strip, each.answers)):
            raise JudgeError(f"{each.text!r} needs at least two answers, each another and none empty")
    sets = list(dict.fromkeys(each.answers for each in questions))
    empty = [Question(nothing, answers, 0) for answers in sets for nothing in NOTHING]
    measured = frame.bits(empty)
    priors = {}
    for nth, answers in enumerate(sets):
        some = measured[nth * len(NOTHING) : (nth + 1) * len(NOTHING)]
        apart = [[each - together(bits) for each in bits] for bits in some]
        priors[answers] = tuple(together(column) + math.log2(len(NOTHING)) for column in zip(*apart, strict=True))
    found = list[Reply]()
    for start in range(0, len(questions), AT_ONCE):
        part = questions[start : start + AT_ONCE]
        found += [Reply(q, bits, priors[q.answers]) for q, bits in zip(part, frame.bits(part), strict=True)]
        if progress:
            progress(len(found), len(questions))
    return found


class _Frame:
    """What stands around questions and answers."""

    def __init__(self, judge: Judge, template: str, chat: ChatTemplate | None) -> None:
        if judge.direction == "backward":
            raise JudgeError(f"{judge.name} reads from right to left, the answer before the question: ask another")
        if chat is None and judge.bos is None:
            raise JudgeError(f"{judge.name} has no token to begin with, so it can be asked in a chat only")
        if template.count(PLACE) != 1:
            raise JudgeError(f"the template {template!r} needs {PLACE} once, where the question is to stand")
        self._judge, self._template, self._chat = judge, template, chat

    def bits(self, questions: Iterable[Question]) -> list[tuple[float, ...]]:
        """Of each question's answers, in their order. Raises TooLong, NotFinite."""
        asked = [(self._before(each.text), [self._ids(answer) for answer in each.answers]) for each in questions]
        for nth, (before, answers) in enumerate(asked):
            longest, context = max(map(len, answers)), self._judge.context
            if len(before) + longest > context:
                raise TooLong(bos=0, prefix=len(before), text=longest, context=context, index=nth, before="question")
        short = [nth for nth, (_, answers) in enumerate(asked) if max(map(len, answers)) == 1]
        found = dict(zip(short, self._of_one_token([asked[nth] for nth in short]), strict=True))
        rest = [nth for nth in range(len(asked)) if nth not in found]
        found |= zip(rest, self._of_several([asked[nth] for nth in rest]), strict=True)
        return [found[nth] for nth in range(len(asked))]

    def _of_one_token(self, asked: Sequence[Asked]) -> Iterator[tuple[float, ...]]:
        """Where no answer has more tokens, one look at what may follow the question says them all."""
        for (_, answers), logits in zip(asked, self._judge.next_logits([before for before, _ in asked]), strict=True):
            costs = -torch.log_softmax(logits.double(), dim=0)[[ids[0] for ids in answers]] / math.log(2)
            if not torch.isfinite(costs).all():
                raise NotFinite
            yield tuple(costs.tolist())

    def _of_several(self, asked: Sequence[Asked]) -> Iterator[tuple[float, ...]]:
        jobs = [([*before, *ids], len(ids)) for before, answers in asked for ids in answers]
        costs = dict(self._judge.measure_rows(jobs)) if jobs else {}
        done = 0
        for _, answers in asked:
            yield tuple(math.fsum(costs[row]) for row in range(done, done + len(answers)))
            done += len(answers)

    def _ids(self, answer: str) -> list[int]:
        return self._judge.tokens.ids(answer if self._chat else f" {answer}")

    def _before(self, question: str) -> list[int]:
        if self._chat is not None:
            return self._chat.ids(question)
        assert self._judge.bos is not None
        return [self._judge.bos, *self._judge.tokens.ids(self._template.replace(PLACE, question))]
