"""The judge: pairs of texts in, bits of surprise per token out. The same pair always gets the same bits.

Numerics. One pair is one row of ids: BOS, the prefix's, the text's; the two texts are tokenised apart, so
that the text's tokens are the same after every prefix. What is scored:

    profile     row                       bits, in the text's order
    arena       BOS  p1 p2  t1 t2 t3      t1 t2 t3    −log₂ P(tᵢ | all to its left)
    xent-0.5         p1 p2  t1 t2 t3         t2 t3    the text's first token is never scored

    backward    BOS  p2 p1  t3 t2 t1      t1 t2 t3    −log₂ P(tᵢ | all to its right, then the prefix)
    xent-0.5         p2 p1  t3 t2 t1      t1 t2       t3 stands next to the prefix

Unit: bits. The network computes in the judge's dtype; log-softmax in float32 (judge/engine/network.py has the shapes);
a result is float32, handed over as Python floats of exactly that value. Sums are the caller's, in float64.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
import transformers
from torch import Tensor

from judge.chat_template import ChatTemplate
from judge.cuts import speakable
from judge.differentiable import Differentiable
from judge.drawing import walk
from judge.engine.choose import Engine, choose
from judge.engine.cpu_lanes import Lanes, cores
from judge.engine.cuda_buckets import Buckets
from judge.engine.network import Job, Network
from judge.engine.outlook import ROWS_AT_ONCE, Outlook, outlooks
from judge.errors import JudgeError, NotFinite, TooLong
from judge.loading.identity import identity
from judge.loading.model import DTYPES, context_length, load_model
from judge.loading.source import Source, begin_token, find
from judge.loading.tokenizer import Tokens, checked
from judge.methods import GREEDY, Method, parse
from judge.profiles import ARENA, PROFILES, begins_with_bos, scored_count
from judge.reading import MOST_TOP, USUAL_TOP, Prediction, Reading, spell
from judge.samples import Sample, Walk
from judge.samples import spell as spell_sample
from judge.stepping import Stepper

__all__ = ["Judge", "JudgeError", "NotFinite", "Pair", "Reading", "Sample", "TooLong"]

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Pair:
    """What is measured: the bits of `text` after `prefix`, asked in the way that `profile` names."""

    prefix: str
    text: str
    profile: str = ARENA


class Runner(Protocol):
    """How jobs run on a device: lanes on a CPU, buckets on CUDA."""

    @property
    def name(self) -> str:
        """What of it the bits may depend on."""

    def each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Tensor]]:
        """Yield (index, bits) as jobs are done."""

    def map(self, work: Callable[[list[int]], A], rows: Sequence[list[int]]) -> list[A]:
        """`work` on each row, each alone."""


#: Of texts whose ids are kept, all together.
KEPT_TOKENS = 2_000_000


class Judge:
    """A causal language model that measures. Safe to use from many threads; make one with `Judge.load`."""

    def __init__(self, source: Source, network: Network, *, dtype: str, engine: Engine, runner: Runner) -> None:
        self.name = source.name
        self.dtype = dtype
        self.engine = engine
        self.direction = source.direction
        self.tokenizer_json = source.tokenizer_json
        self.tokens: Tokens = source.tokens
        self.bos = begin_token(source, network.vocabulary)
        self.context = context_length(network.model)
        self.identity = identity(source, bos=self.bos, dtype=dtype, device_kind=network.device.type)
        self.supports_logits_to_keep = network.supports_logits_to_keep
        self._source = source
        self._network = network
        self._runner = runner
        # A round asks about the same passages again and again. What is measured is no longer than the context.
        self._ids = lru_cache(maxsize=KEPT_TOKENS // self.context + 1)(self.tokens.ids)

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        dtype: str = "float32",
        device: str | None = None,
        threads: int | None = None,
        need_bos: bool = True,
    ) -> Judge:
        """Load a judge: `pocket`, `pocket-backward`, a local folder or a hub id.

        `dtype` is `float32` or `bfloat16`; `device` is `cpu` or `cuda` (None: cuda where there is one);
        `threads` is how many sequences run side by side on a CPU, each on one thread (None: as many as
        cores). A judge without BOS cannot serve the profile `arena` and is refused unless `need_bos` is
        False. Raises JudgeError.
        """
        if dtype not in DTYPES:
            raise JudgeError(f"no dtype {dtype!r}: judges compute in {' or '.join(DTYPES)}")
        found = find(source)
        found.weights()
        target = _device(device)
        network, engine = choose(found, dtype=dtype, device=target)
        if found.tokens.reach > network.vocabulary:
            raise JudgeError(
                f"{found.name} knows {network.vocabulary} tokens, but its tokenizer.json gives ids up to "
                f"{found.tokens.reach - 1}: give it its own tokenizer, or train it with this one"
            )
        judge = cls(found, network, dtype=dtype, engine=engine, runner=_runner(network, engine, threads))
        if need_bos and judge.bos is None:
            raise JudgeError(_no_bos(found.name))
        return judge

    @property
    def build(self) -> str:
        """What computes. Another one after memory ran out on CUDA: the shapes change with it."""
        return build(self._network.device, self._runner.name)

    @property
    def gains_by_bfloat16(self) -> bool:
        """Is it computed in float32 by a processor that multiplies bfloat16 about twice as fast?"""
        if self.dtype != "float32" or self._network.device.type != "cpu":
            return False
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))

    def info(self) -> dict[str, Any]:
        """What a worker announces: JSON-able, everything but the weights."""
        names = (
            "name",
            "identity",
            "context",
            "bos",
            "direction",
            "dtype",
            "build",
            "supports_logits_to_keep",
            "tokenizer_json",
        )
        return {name: getattr(self, name) for name in names}

    def measure(self, pairs: Sequence[Pair]) -> list[list[float]]:
        """Bits of each pair's text, token by token in reading order. Raises as `measure_each` does."""
        bits: list[list[float]] = [[] for _ in pairs]
        for index, found in self.measure_each(pairs):
            bits[index] = found
        return bits

    def measure_each(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, list[float]]]:
        """Yield (index of the pair, its bits) as each is done, in no particular order.

        Raises before anything is measured: TooLong for a pair beyond the context, JudgeError for an unknown
        profile or for `arena` without BOS. Raises NotFinite for a pair without a score, after all others are
        done.
        """
        rows = [self._row(pair, index) for index, pair in enumerate(pairs)]
        some = [index for index, (_, scored) in enumerate(rows) if scored]
        yield from ((index, []) for index, (_, scored) in enumerate(rows) if not scored)
        failed = None
        for nth, bits in self._runner.each([rows[index] for index in some]):
            if torch.isfinite(bits).all():
                yield some[nth], self._in_reading_order(bits)
            else:
                failed = some[nth]
        if failed is not None:
            raise NotFinite(failed)

    def measure_rows(self, jobs: Sequence[Job]) -> Iterator[tuple[int, list[float]]]:
        """Yield (index, bits) of the last ids of each row of ids, at least one, as each is done: for rows that no text
        spells, such as a chat's. A job is the ids, the first of which is never scored, and how many of the last are.

        Raises TooLong before anything is measured, NotFinite for a row without a score."""
        for index, (ids, scored) in enumerate(jobs):
            if len(ids) > self.context:
                raise TooLong(bos=0, prefix=len(ids) - scored, text=scored, context=self.context, index=index)
        for index, bits in self._runner.each(jobs):
            if not torch.isfinite(bits).all():
                raise NotFinite(index)
            yield index, bits.tolist()

    def chat(self) -> ChatTemplate:
        """The frame that the judge's chat template puts around what somebody says. Raises JudgeError without one."""
        return ChatTemplate.of(self._source)

    def read(self, text: str, prefix: str = "", *, profile: str = ARENA, top: int = USUAL_TOP) -> Reading:
        """What was expected at each token of `text` after `prefix`: bits, rank, entropy and the `top` likeliest tokens.

        The bits are those of `measure`; to the last one on a CPU, for texts of up to 128 tokens. Longer ones, and on
        CUDA all, are computed in other portions than a measurement and may differ in the last digits. Raises as
        `measure` does, and JudgeError for an empty text or a `top` that is not 0 to 50.
        """
        found = _whole(self.read_in_steps(Pair(prefix, text, profile), top))
        return spell(self.tokens, text, profile, self.direction, found)

    def read_row(self, ids: list[int], scored: int, top: int = USUAL_TOP) -> list[Prediction]:
        """What was expected at each of the last `scored` ids of a row as `measure_rows` takes it. Raises TooLong."""
        if len(ids) > self.context:
            raise TooLong(bos=0, prefix=len(ids) - scored, text=scored, context=self.context, index=0)
        return _whole(self._read(ids, scored, top))

    def read_in_steps(self, pair: Pair, top: int = USUAL_TOP) -> Generator[None, None, list[Prediction]]:
        """The same in short steps, so that others' work may come between; returns the predictions in reading order."""
        if not 0 <= top <= MOST_TOP:
            raise JudgeError(f"a reading tells the 0 to {MOST_TOP} likeliest tokens at each place, not {top}")
        if not checked(pair.text):
            raise JudgeError("an empty text has no token to read: give it at least one character")
        ids, scored = self._row(pair, 0)
        read = (yield from self._read(ids, scored, top)) if scored else []
        return read[::-1] if self.direction == "backward" else read

    def _read(self, ids: list[int], scored: int, top: int) -> Generator[None, None, list[Prediction]]:
        """Of the last `scored` ids, in the order in which the model reads them."""
        steps, seen, bits = self._network.logits_in_steps(ids, scored), list[Outlook](), None
        targets = torch.tensor(ids[-scored:])
        while bits is None:
            (told,) = self._runner.map(lambda _: _step(steps), [ids])
            yield
            if isinstance(told, Bits):
                bits = told.values
            elif told is not None:
                for rows in torch.split(told, ROWS_AT_ONCE):
                    wanted = targets[len(seen) : len(seen) + len(rows)]
                    (found,) = self._runner.map(partial(outlooks, rows, wanted, top), [ids])
                    seen += found
                    yield
        if not torch.isfinite(bits).all():
            raise NotFinite
        return [Prediction(cost, *each) for cost, each in zip(bits.tolist(), seen, strict=True)]

    def sample(
        self, prefix: str = "", method: Method | str = GREEDY, *, tokens: int = 20, seed: int = 0, top: int = USUAL_TOP
    ) -> Sample:
        """`tokens` tokens after `prefix` (before it, by a backward judge), and what might have come in their places.

        method: see `judge.methods`; "top-p=0.9" and its like are understood. seed: of what is drawn; the distributions
        hang on what stands before alone. top: of how many tokens the probabilities are told. Special tokens are never
        written: all probabilities are among the tokens that a text can hold. Raises TooLong beyond the context,
        JudgeError for a judge without BOS or a `top` that is not 0 to 50, ValueError for a method that there is not.
        """
        steps = self.sample_in_steps(prefix, method, tokens=tokens, seed=seed, top=top)
        try:
            while True:
                next(steps)
        except StopIteration as end:
            return spell_sample(self.tokens, prefix, self.direction, end.value)

    def sample_in_steps(
        self, prefix: str, method: Method | str, *, tokens: int, seed: int = 0, top: int = USUAL_TOP
    ) -> Generator[None, None, Walk]:
        """The same in short steps, so that others' work may come between."""
        if not 0 <= top <= MOST_TOP:
            raise JudgeError(f"a sample tells the 0 to {MOST_TOP} likeliest tokens at each place, not {top}")
        found = parse(method) if isinstance(method, str) else method
        ids = self.begin(prefix, tokens)
        return (yield from walk(self._after, ids, found, tokens=tokens, seed=seed, top=top))

    def begin(self, prefix: str, tokens: int, *, before: str = "prefix") -> list[int]:
        """The ids to go on from by so many tokens, in the order in which the model reads. before: what errors call the
        prefix. Raises JudgeError, TooLong."""
        if self.bos is None:
            raise JudgeError(f"{self.name} has no token to begin with, so it cannot write")
        if tokens < 0:
            raise JudgeError(f"a judge writes 0 tokens or more, not {tokens}")
        ids = self.tokens.ids(prefix)
        if 1 + len(ids) + tokens > self.context:
            raise TooLong(bos=1, prefix=len(ids), text=tokens, context=self.context, before=before)
        return [self.bos, *(reversed(ids) if self.direction == "backward" else ids)]

    def _after(self, ids: list[int]) -> Generator[None, None, Tensor]:
        """The logits of what a text can hold after these ids, with a pause wherever the model has one."""
        steps = self._network.logits_in_steps([*ids, ids[0]], 1)  # any token stands where the next one will
        while True:
            (told,) = self._runner.map(lambda _: _step(steps), [ids])
            yield
            if isinstance(told, Tensor):
                return speakable(self.tokens, told[0])

    def differentiable(self) -> Differentiable:
        """The model for gradients, loaded anew on the judge's device and in its dtype: see `judge.differentiable`.

        Raises JudgeError for a judge without BOS."""
        if self.bos is None:
            raise JudgeError(_no_bos(self.name))
        model = load_model(self._source, dtype=self.dtype, device=self._network.device)
        return Differentiable(model, self.tokens, bos=self.bos, direction=self.direction, context=self.context)

    def stepwise(self) -> Stepper:
        """The model one token at a time, loaded anew on the judge's device and in its dtype: see `judge.stepping`.

        Raises JudgeError for a judge without BOS."""
        if self.bos is None:
            raise JudgeError(_no_bos(self.name))
        network = self._network
        model = load_model(self._source, dtype=self.dtype, device=network.device)
        vocabulary, keeps_state = network.vocabulary, network.keeps_state
        return Stepper(model, bos=self.bos, vocabulary=vocabulary, context=self.context, keeps_state=keeps_state)

    def next_logits(self, rows: Sequence[list[int]]) -> list[Tensor]:
        """What may follow each row of ids, BOS and all: float32 logits (V,), each computed alone."""
        return self._runner.map(self._network.last_logits, rows)

    def token_count(self, pair: Pair) -> int:
        """How many tokens the pair takes, BOS included: the unit of a budget. Too long is not an error here."""
        return self._begins(pair) + self.tokens.count(pair.prefix) + self.tokens.count(pair.text)

    def _row(self, pair: Pair, index: int) -> tuple[list[int], int]:
        """The ids in the order the model reads them, and how many of the last are scored."""
        bos = self._begins(pair)
        prefix, text = self._ids(checked(pair.prefix)), self._ids(checked(pair.text))
        if bos + len(prefix) + len(text) > self.context:
            raise TooLong(bos=bos, prefix=len(prefix), text=len(text), context=self.context, index=index)
        if self.direction == "backward":
            prefix, text = prefix[::-1], text[::-1]
        first = [] if self.bos is None or not bos else [self.bos]
        return first + prefix + text, scored_count(len(text), pair.profile)

    def _begins(self, pair: Pair) -> int:
        """1 where the pair's profile puts BOS first, else 0."""
        if not isinstance(pair, Pair):
            raise JudgeError(f"a judge measures pairs, Pair(prefix, text), not {type(pair).__name__}: {pair!r:.60}")
        if pair.profile not in PROFILES:
            raise JudgeError(f"no profile {pair.profile!r}: a judge is asked as {' or '.join(PROFILES)}")
        if begins_with_bos(pair.profile) and self.bos is None:
            raise JudgeError(_no_bos(self.name))
        return int(begins_with_bos(pair.profile))

    def _in_reading_order(self, bits: Tensor) -> list[float]:
        values: list[float] = bits.tolist()
        return values[::-1] if self.direction == "backward" else values


class Bits(NamedTuple):
    """What ends the steps of `Network.logits_in_steps`."""

    values: Tensor


def _step(steps: Generator[Tensor | None, None, Tensor]) -> Tensor | Bits | None:
    """The next of these steps: logits, None for a pause, or at last the bits."""
    try:
        return next(steps)
    except StopIteration as end:
        return Bits(end.value)


def _runner(network: Network, engine: Engine, threads: int | None) -> Runner:
    """What fits the device."""
    if engine.name == "buckets":
        buckets = Buckets(network, context_length(network.model))
        buckets.warm_up()
        return buckets
    alone = network.device.type != "cpu" or network.keeps_state
    return Lanes(1 if alone else cores() if threads is None else threads, network.bits, engine.name)


@cache
def build(device: torch.device, how: str) -> str:
    """What computes: device kind and name, CPU capability, versions. Bits repeat exactly within one build."""
    if device.type == "cuda":
        where = f"cuda {torch.cuda.get_device_name(device)}"
    else:
        where = f"cpu {_processor()} {torch.backends.cpu.get_cpu_capability()}"
    return f"{where}, torch {torch.__version__}, transformers {transformers.__version__}, {how}"


def _whole(steps: Generator[None, None, list[Prediction]]) -> list[Prediction]:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        found: list[Prediction] = end.value
        return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, None) or platform.processor() or platform.machine()


def _device(name: str | None) -> torch.device:
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    if name.split(":")[0] not in ("cpu", "cuda"):
        raise JudgeError(f"no device {name!r}: judges run on cpu or cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise JudgeError("device cuda was asked for, but this machine's torch sees none: use cpu")
    return torch.device(name)


def _no_bos(name: str) -> str:
    return (
        f"{name} has no token to begin with (no BOS, no EOS), so the profile arena cannot ask it: "
        "name a bos_token in tokenizer_config.json"
    )
