"""What a client asks of a server's judges: measurements, and what the lab has."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from xentarena import lab_models, models
from xentarena.errors import ArenaError
from xentarena.transport import Call, Transport

HOLD = 10.0  # seconds that one request may be held while waiting for a score
Looked = TypeVar(
    "Looked",
    models.Measurement,
    lab_models.Reading,
    lab_models.Samples,
    lab_models.Passages,
    lab_models.Answers,
    lab_models.Pair,
)


class LabClient:
    """The part of `Client` that asks judges, outside any game."""

    _transport: Transport

    def judge(self, name: str) -> models.Judge:
        """A judge by identity or name."""
        return self._transport.send(Call("GET", f"/judges/{quote(name, safe='')}"), models.Judge)

    def measure(
        self, text: str, prefix: str = "", *, judge: str | None = None, profile: str = "arena", seconds: float = 60
    ) -> models.Measurement:
        """Bits of `text` after `prefix` and alone. judge: name or identity; the newest where none is named."""
        body = {"text": text, "prefix": prefix, "profile": profile}
        return self._look("/measurements", models.Measurement, body, judge, seconds)

    def read(
        self,
        text: str,
        prefix: str = "",
        *,
        judge: str | None = None,
        profile: str = "arena",
        seconds: float = 60,
        rule: str = "above",
        bits: float | None = None,
    ) -> lab_models.Reading:
        """What the judge expects at each token of `text`, after `prefix` and alone: bits, rank, entropy and the ten
        likeliest tokens. judge: name or identity; the newest where none is named. rule, bits: what a border is, see
        `judge.unforeseen`."""
        body = {"text": text, "prefix": prefix, "profile": profile}
        spike = {"rule": rule} | ({} if bits is None else {"bits": bits})
        return self._look("/readings", lab_models.Reading, body, judge, seconds, spike)

    def sample(
        self,
        prefix: str,
        methods: Sequence[str] = ("greedy",),
        *,
        tokens: int = 20,
        seed: int = 0,
        judge: str | None = None,
        seconds: float = 60,
    ) -> lab_models.Samples:
        """What the judge writes after `prefix` by each method ("top-p=0.9" and its like), and what might have come at
        each token. judge: name or identity; the newest where none is named."""
        body = {"prefix": prefix, "methods": list(methods), "tokens": tokens, "seed": seed}
        return self._look("/samples", lab_models.Samples, body, judge, seconds)

    def passages(
        self, prefix: str, texts: Sequence[str], *, other: str = "", judge: str | None = None, seconds: float = 60
    ) -> lab_models.Passages:
        """What `prefix` tells of 2 to 40 texts: the bits that it saves on each, against `other` or no prefix, and their
        mean with its interval. judge: name or identity; the newest where none is named."""
        body = {"prefix": prefix, "other": other, "texts": list(texts)}
        return self._look("/lab/passages", lab_models.Passages, body, judge, seconds)

    def answers(
        self, question: str, answers: Sequence[str] = ("Yes", "No"), *, judge: str | None = None, seconds: float = 60
    ) -> lab_models.Answers:
        """How likely the judge finds each of 2 to 6 answers to a question, as it says and without its prior for them.
        judge: name or identity, of one that reads forward; the newest where none is named."""
        return self._look(
            "/lab/answers", lab_models.Answers, {"question": question, "answers": list(answers)}, judge, seconds
        )

    def pair(self, first: str, second: str, *, judge: str | None = None, seconds: float = 60) -> lab_models.Pair:
        """Which of two sentences costs the judge fewer bits, and which one it calls true when it is asked. judge: name
        or identity, of one that reads forward; the newest where none is named."""
        return self._look("/lab/pairs", lab_models.Pair, {"first": first, "second": second}, judge, seconds)

    def _look(
        self,
        path: str,
        shape: type[Looked],
        body: dict[str, Any],
        judge: str | None,
        seconds: float,
        params: Mapping[str, str | float] | None = None,
    ) -> Looked:
        """Ask for something of a judge until it is there."""
        body |= {} if judge is None else {"judge": judge}
        deadline = monotonic() + seconds
        while True:
            wait = min(HOLD, max(0.0, deadline - monotonic()))
            found = self._transport.send(Call("POST", path, {"wait": wait, **(params or {})}, body, wait=wait), shape)
            if found.state != "pending":
                return found
            if monotonic() >= deadline:
                what = shape.__name__
                raise ArenaError(f"{what} {found.id} is still pending after {seconds:.0f} seconds.")
