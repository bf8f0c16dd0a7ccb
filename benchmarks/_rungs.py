"""The runs of `benchmarks.ladder`: one strategy on one passage within a budget, each a line of a file that is kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bots.budget import Budget, Curve
from bots.home import search
from bots.strategies import gradients, searches
from bots.strategy import StrategyFactory
from bots.whitebox import white_box
from games import library
from judge.judge import Judge
from xentarena.offline import OfflineRound

GAME, SEED, LONGEST = "condense", "1", 10  # the longest move of that game, in tokens
FRAME = "Topic: \n---\n"

BLACK = {
    "random": searches.random_words,
    "field-words": searches.field_words,
    "greedy": searches.greedy,
    "beam": searches.beam,
    "climb": searches.climb,
    "anneal": searches.anneal,
    "mcmc": searches.mcmc,
}
WHITE: Mapping[str, white_box] = {
    "ascent": gradients.ascent,
    "gumbel": gradients.gumbel,
    "langevin": gradients.langevin,
    "hmc": gradients.hmc,
    "gcg": gradients.gcg,
}
EVERY = (*BLACK, *WHITE)


@dataclass(frozen=True, slots=True)
class Model:
    """A judge as it is loaded in each process. device: None: cuda where there is one."""

    name: str
    dtype: str
    device: str | None
    threads: int | None

    def load(self) -> Judge:
        return Judge.load(self.name, dtype=self.dtype, device=self.device, threads=self.threads)


@dataclass(frozen=True, slots=True)
class Rung:
    """One run. tokens: that the judge may read, forward and back, here and at home."""

    strategy: str
    passage: str
    submissions: int
    tokens: int

    def key(self, identity: str) -> tuple[str, ...]:
        return (identity, self.strategy, self.passage, str(self.tokens))


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to. best: of what was played within the budget, in bits. steps: submissions, judge tokens and
    bits wherever the best so far was raised."""

    strategy: str
    passage: str
    identity: str
    build: str
    tokens: int
    best: float
    move: str
    submissions: int
    judge_tokens: int
    seconds: float
    steps: list[tuple[int, int, float]]
    stats: dict[str, float]

    @property
    def key(self) -> tuple[str, ...]:
        return (self.identity, self.strategy, self.passage, str(self.tokens))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a best move is worth to another judge, in bits."""

    second: str
    passage: str
    move: str
    bits: float

    @property
    def key(self) -> tuple[str, ...]:
        return (self.second, self.passage, self.move)


def held_out(count: int) -> list[library.Passage]:
    """So many of the packaged passages, none of which pocket was trained on: each kind in turn, from easy to hard."""
    kinds = [[each for each in library.load() if each.kind is kind] for kind in library.Kind]
    return [each for row in zip(*kinds, strict=True) for each in row][:count]


def rungs(judge: Judge, passages: int, submissions: int, strategies: Sequence[str]) -> list[Rung]:
    """Every strategy on every passage. All may read as much: what that many moves of the longest kind cost."""
    found = []
    for passage in held_out(passages):
        each = judge.tokens.count(FRAME) + LONGEST + judge.tokens.count(passage.text)
        found += [Rung(name, passage.id, submissions, submissions * each) for name in strategies]
    return found


def runs(model: Model, wanted: Sequence[Rung], jobs: int) -> Iterator[Run]:
    """Each as it is done, in processes of their own where there are several jobs."""
    if jobs == 1:
        judge = model.load()
        yield from (run(judge, rung) for rung in wanted)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _load, (model,)) as pool:
        yield from _done(pool, wanted)


def _done(pool: Executor, wanted: Sequence[Rung]) -> Iterator[Run]:
    futures: list[Future[Run]] = [pool.submit(_run, rung) for rung in wanted]
    try:
        yield from (future.result() for future in as_completed(futures))
    finally:
        for future in futures:
            future.cancel()


_judge: Judge | None = None  # of a child


def _load(model: Model) -> None:
    global _judge
    _judge = model.load()


def _run(rung: Rung) -> Run:
    assert _judge is not None
    return run(_judge, rung)


def run(judge: Judge, rung: Rung) -> Run:
    """Search until the judge has read as much as it may."""
    (text,) = (each.text for each in library.load() if each.id == rung.passage)
    strategy = factory(rung.strategy, judge)([text], SEED)
    curve = search(strategy, OfflineRound(GAME, [text], judge=judge), Budget(judge_tokens=rung.tokens))
    stats: dict[str, float] = getattr(strategy, "stats", {})
    return _summed(curve, rung, judge, stats)


def _summed(curve: Curve, rung: Rung, judge: Judge, stats: dict[str, float]) -> Run:
    within = [step for step in curve.steps if step.spent.judge_tokens <= rung.tokens]
    steps = [(step.spent.submissions, step.spent.judge_tokens, step.bits) for step in within]
    best, move = (within[-1].bits, within[-1].move) if within else (0.0, "")
    spent = curve.spent
    told = (best, move, spent.submissions, spent.judge_tokens, spent.seconds)
    return Run(rung.strategy, rung.passage, judge.identity, judge.build, rung.tokens, *told, steps, stats)


def factory(name: str, judge: Judge) -> StrategyFactory:
    return BLACK[name] if name in BLACK else WHITE[name].inside(judge)


def confirmed(judge: Judge, passage: str, move: str) -> Confirmed:
    """The same game with the same move, under another judge."""
    (text,) = (each.text for each in library.load() if each.id == passage)
    bits = OfflineRound(GAME, [text], judge=judge).play([move]).rewards["black"] if move else 0.0
    return Confirmed(judge.identity, passage, move, bits)


class Kept:
    """A file of runs, one JSON object a line, to go on from. A line that a kill cut off is done again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.runs: dict[tuple[str, ...], Run] = {}
        self.confirmed: dict[tuple[str, ...], Confirmed] = {}
        whole = []
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
            try:
                self._take(json.loads(line))
                whole.append(line)
            except json.JSONDecodeError:
                continue
        if file.exists():
            file.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")

    def note(self, found: Run | Confirmed) -> None:
        kind = "run" if isinstance(found, Run) else "confirmed"
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **asdict(found)}) + "\n")
        self._keep(found)

    def _take(self, told: dict[str, object]) -> None:
        make = partial(Run if told.pop("kind") == "run" else Confirmed)
        self._keep(make(**told))  # type: ignore[arg-type]

    def _keep(self, found: Run | Confirmed) -> None:
        if isinstance(found, Run):
            self.runs[found.key] = found
        else:
            self.confirmed[found.key] = found
