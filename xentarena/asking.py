"""A server's judge, asked from here what a judge at home is asked: questions with given answers, and sentences.

Everything is a free measurement of the server. No PyTorch is needed.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from judge.errors import JudgeError
from judge.replies import TEMPLATE, Question, check_template, filled
from xentarena.client import Client
from xentarena.errors import InputError

AT_ONCE = 8  # measurements under way; others measure there, too


class ServersJudge:
    """What `judge.replies.replies` and `judge.pairs.compared` need to know. judge: name or identity; the newest where
    none is named.

    Raises what `Client.measure` raises, and `InputError` for what the judge cannot read; JudgeError for a template
    without its place, and where a judge that reads from right to left is asked a question.
    """

    def __init__(self, server: str, token: str, judge: str | None, template: str = TEMPLATE) -> None:
        check_template(template)
        self.name = judge or ""
        self._judge, self._template = judge, template
        self._identity, self._may_be_asked = "", False
        self._idle = SimpleQueue[Client]()  # a client serves one thread at a time
        self._clients = [Client(server, token=token) for _ in range(AT_ONCE)]
        for client in self._clients:
            self._idle.put(client)
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def costs(self, questions: Sequence[Question]) -> list[tuple[float, ...]]:
        """Bits of each question's answers, in their order."""
        asked = [(filled(self._template, each.text), f" {answer}") for each in questions for answer in each.answers]
        if asked and not self._may_be_asked:
            self._require_forward(asked[0])
        bits = iter(self._measured(asked))
        return [tuple(next(bits)[0] for _ in each.answers) for each in questions]

    def sentences(self, texts: Sequence[str]) -> list[tuple[float, int]]:
        """Bits and tokens of each."""
        return self._measured([("", text) for text in texts])

    def _require_forward(self, asked: tuple[str, str]) -> None:
        """One measurement tells which judge is meant."""
        self._one(asked)
        client = self._idle.get()
        try:
            judge = client.judge(self._identity)
        finally:
            self._idle.put(client)
        if judge.direction == "backward":
            raise JudgeError(f"{judge.name} reads from right to left, the answer before the question: ask another")
        self.name, self._may_be_asked = judge.name, True

    def _measured(self, asked: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        return list(self._pool.map(self._one, asked))

    def _one(self, asked: tuple[str, str]) -> tuple[float, int]:
        prefix, text = asked
        client = self._idle.get()
        try:
            found = client.measure(text, prefix, judge=self._judge)
        finally:
            self._idle.put(client)
        if found.failure or found.bits is None:
            raise InputError(found.failure or f"{text!r} after {prefix!r} was not measured.")
        self._identity = found.judge
        return found.bits, len(found.tokens)
