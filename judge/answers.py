"""A judge that is loaded is asked questions to which only some answers are allowed (see judge/replies.py)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from judge.chat_template import ChatTemplate
from judge.errors import JudgeError, NotFinite, TooLong
from judge.judge import Judge
from judge.replies import TEMPLATE, Progress, Question, Reply, check_template, filled, replies

Asked = tuple[list[int], list[list[int]]]  # the ids before the answers, and those of each


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
    return replies(_Frame(judge, template, judge.chat() if chat else None), questions, progress)


class _Frame:
    """What stands around questions and answers."""

    def __init__(self, judge: Judge, template: str, chat: ChatTemplate | None) -> None:
        if judge.direction == "backward":
            raise JudgeError(f"{judge.name} reads from right to left, the answer before the question: ask another")
        if chat is None and judge.bos is None:
            raise JudgeError(f"{judge.name} has no token to begin with, so it can be asked in a chat only")
        check_template(template)
        self._judge, self._template, self._chat = judge, template, chat

    @property
    def name(self) -> str:
        return self._judge.name

    def costs(self, questions: Sequence[Question]) -> list[tuple[float, ...]]:
        """Bits of each question's answers, in their order. Raises TooLong, NotFinite."""
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
        return [self._judge.bos, *self._judge.tokens.ids(filled(self._template, question))]
