"""A search that looks inside the judge, with the same weights at home. It is written as the black-box ones are (see
`bots.search`), but for its `Bench`, which has the gradients.

What the game pays for a move is learned from the first moves, words of the passage's field, by the terms of their
reward. A game that says nothing of its terms, or that puts no text behind the move, has no gradients to follow.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

from bots.search import NOTHING, Search, Searching
from bots.strategies.vocabulary import Vocabulary, stem, words
from bots.strategy import StrategyError
from judge.errors import JudgeError
from judge.judge import Judge
from judge.lexicon import Lexicon
from judge.loading.packages.catalog import PACKAGES
from judge.loading.packages.store import is_installed
from judge.loading.source import PACKAGED
from judge.profiles import ARENA
from judge.relaxed import OutOfTokens, Relaxed, Stake, State
from xentarena.events import AnyEvent, Ask, MoveMade, Reward
from xentarena.models import Outcome, Submission

PROBES = 8  # moves of field words, of which the best is where the search begins
LONGEST = 12  # words of a move, however many the game allows
STALE = 8  # moves in a row that were tried before, after which a word is exchanged at random
AGREES = 0.02  # the share of a text's bits by which the judge at home may differ from the one that scored

SIGNS = {"xent": 1.0, "nex": -1.0, "xed": -1.0, "dex": 1.0}  # what a bit behind the second prefix counts


@dataclass
class Bench:
    """What a search works with. stats: what is told of it at the end, besides `notes`. banned: words that the rules
    took out."""

    vocabulary: Vocabulary
    passages: Sequence[str]
    notes: Counter[str]
    stats: dict[str, float] = field(default_factory=dict)
    relaxed: Relaxed | None = None
    limit: int = 0
    banned: set[int] = field(default_factory=set)
    lawful: set[int] = field(default_factory=set)
    tried: set[State] = field(default_factory=set)
    start: State = ()

    @property
    def inside(self) -> Relaxed:
        """The judge's inside. Only after `review` has found it."""
        assert self.relaxed is not None
        return self.relaxed

    def begin(self, move: Sequence[str]) -> None:
        """Let the start be this move, filled up with others of the passage's field; from now on no first word may have
        more tokens than are left for it."""
        self.start = self._filled(move)
        bare = self.inside.lexicon.bare
        room = self.limit - len(self.start) + 1
        self.inside.leads = [may and len(ids) <= room for may, ids in zip(self.inside.leads, bare, strict=True)]

    def _filled(self, move: Sequence[str]) -> State:
        """A move of as many words as count, of these first."""
        lexicon, random = self.inside.lexicon, self.vocabulary.random
        number = {word: index for index, word in reversed(list(enumerate(lexicon.spelled)))}
        near = [number[word] for word in (*move, *self.vocabulary.near) if word in number]
        given, rest = near[: len([word for word in move if word in number])], near[len(move) :]
        random.shuffle(rest)
        others = random.sample(range(len(lexicon.spelled)), min(LONGEST, len(lexicon.spelled)))
        several = [index for index in dict.fromkeys([*given, *rest, *others]) if index not in self.banned]
        lead = next((index for index in several if self.inside.leads[index]), self.inside.leads.index(True))
        more = len(lexicon.bare[lead]) - 1  # tokens that the first word has where nothing stands before it
        count = max(1, min(self.limit - more, LONGEST))
        return (lead, *[index for index in several if index != lead][: count - 1])

    def near_to(self, state: State) -> State:
        """A move that was not tried, with a word exchanged at random."""
        random = self.vocabulary.random
        for _ in range(1_000):
            place = random.randrange(len(state))
            word = random.randrange(len(self.inside.lexicon.spelled))
            changed = (*state[:place], word, *state[place + 1 :])
            if self.is_new(changed):
                return changed
        return state

    def is_new(self, state: State) -> bool:
        """Was it not tried, and has it a first word that may stand there and none that is banned?"""
        return self.inside.leads[state[0]] and self.banned.isdisjoint(state) and state not in self.tried

    def play(self, state: State) -> Generator[Sequence[str], float, float]:
        """Play a move; what it earned. Words of one that is not allowed are not used again."""
        self.tried.add(state)
        bits = yield [self.inside.spell(state)]
        if bits == NOTHING:
            self.banned |= set(state) - self.lawful
            self.notes["moves refused"] += 1
        else:
            self.lawful |= set(state)
        return bits

    def play_best(self, ranked: Sequence[tuple[float, State]]) -> Generator[Sequence[str], float, tuple[float, State]]:
        """Play the first of these that is allowed; what it earned, and which it is."""
        for _, state in ranked:
            if self.is_new(state):
                bits = yield from self.play(state)
                if bits > NOTHING:
                    return bits, state
        return NOTHING, ()


class WhiteBox(Searching):
    """A strategy that follows a search that looks inside. judge: with the weights of the one that scores; None: the
    packaged or installed one that is it."""

    def __init__(
        self, search: Callable[[Bench], Search], passages: Sequence[str], seed: str, judge: Judge | None
    ) -> None:
        self._judge, notes = judge, Counter[str]()
        self._most: int | None = None
        self._bench = Bench(Vocabulary.of(passages, seed), passages, notes)
        super().__init__(_probed(self._bench, search), notes)

    @property
    def inside(self) -> Relaxed | None:
        """What it looks into; None before a play was scored."""
        return self._bench.relaxed

    @property
    def read(self) -> int:
        """Tokens that the judge at home has read for it, forward and backward."""
        return 0 if self._bench.relaxed is None else self._bench.relaxed.read

    def allow(self, tokens: int) -> None:
        """Let `read` grow to this and no further, but for the pass in which it gets there. The search ends with it."""
        self._most = tokens
        if self._bench.relaxed is not None:
            self._bench.relaxed.most = tokens

    def propose(self) -> str:
        if self._tries:
            with suppress(OutOfTokens):
                return super().propose()
            self._tries = ()
        return max(self._earned, key=self._earned.__getitem__)  # was played before, so that it costs nothing

    def learn(self, move: str, bits: float | None) -> None:
        try:
            super().learn(move, bits)
        except OutOfTokens:
            self._tries = ()

    @property
    def stats(self) -> dict[str, float]:
        """What the search says of itself: acceptance, gaps, and what it counted."""
        return {**self._bench.stats, **self._notes}

    def summary(self) -> str:
        told = [f"{name} {value:.3g}" for name, value in self._bench.stats.items()]
        return ", ".join([super().summary(), *told]) if told else super().summary()

    def review(self, ended: Submission | Outcome) -> None:
        """Learn from the first scored play what the game pays for. Raises `StrategyError` where there is nothing to
        look into, or the judge at home is another one."""
        if self._bench.relaxed is not None or not any(isinstance(each, Reward) for each in ended.events):
            return
        if ended.profile != ARENA:
            raise StrategyError(f"A white-box search knows the profile {ARENA}, not {ended.profile}.")
        try:
            if self._judge is None:
                self._judge = at_home(ended.identity if isinstance(ended, Outcome) else ended.judge)
            self._bench.relaxed = _looked_into(self._judge, self._bench.passages, ended.events)
            self._bench.relaxed.most = self._most
        except JudgeError as error:
            raise StrategyError(f"A white-box search cannot look into the judge: {error}.") from error
        self._bench.limit = next(each.limit for each in ended.events if isinstance(each, Ask))


@dataclass(frozen=True, slots=True)
class white_box:
    """A decorator: the strategy that follows a search that looks inside."""

    search: Callable[[Bench], Search]

    def __call__(self, passages: Sequence[str], seed: str) -> WhiteBox:
        return WhiteBox(self.search, passages, seed, None)

    def inside(self, judge: Judge) -> Callable[[Sequence[str], str], WhiteBox]:
        """The same, with a judge that is loaded."""
        return lambda passages, seed: WhiteBox(self.search, passages, seed, judge)


@cache
def at_home(identity: str) -> Judge:
    """The packaged or installed judge that is this one. Raises `StrategyError` where there is none."""
    for name in ("pocket", *filter(is_installed, PACKAGES), *(name for name in PACKAGED if name != "pocket")):
        for dtype in ("float32", "bfloat16"):
            judge = Judge.load(name, dtype=dtype)
            if judge.identity == identity:
                return judge
    raise StrategyError(
        f"The judge that scores ({identity[:12]}…) is none that is installed here. `xentarena judges install` brings"
        " some; of one of your own give the search the judge: `gcg.inside(Judge.load(FOLDER))`, in a file of yours."
    )


def _probed(bench: Bench, search: Callable[[Bench], Search]) -> Search:
    """Moves of field words until there is something to look into, then the search from the best of them."""
    best, start = NOTHING, list[str]()
    probes = 0
    while probes < PROBES or bench.relaxed is None:
        move = bench.vocabulary.some(bench.vocabulary.near)
        bits = yield move
        probes += 1
        if bits > best:
            best, start = bits, move
    bench.begin(start)
    yield from search(bench)


def _looked_into(judge: Judge, passages: Sequence[str], events: Sequence[AnyEvent]) -> Relaxed:
    """What the game pays for, by a play that was scored. Raises `StrategyError`, `JudgeError`."""
    asked = next(each for each in events if isinstance(each, Ask))
    move = next(each.text for each in events if isinstance(each, MoveMade))
    rewards = [each for each in events if isinstance(each, Reward) and each.seat == asked.seat]
    stakes, said = list[Stake](), list[float]()
    for term in (term for reward in rewards for term in reward.terms):
        if move in term.text or term.judge != "main":
            raise StrategyError(
                "This game measures the move itself, or asks a further judge: a white-box search follows only what"
                " stands behind the move, under the main judge."
            )
        head, found, tail = term.prefix_after.partition(move)
        if found:
            stakes.append(Stake(term.factor * SIGNS[term.function], head, tail, term.text))
            said.append(sum(token.after for token in term.tokens))
    if not stakes:
        raise StrategyError("This game says of no text that it stands behind the move: there is no gradient to follow.")
    used = {stem(word) for word in words(" ".join(passages))}
    lexicon = Lexicon.of(judge.tokens).only(lambda word: stem(word.lower()) not in used)
    relaxed = Relaxed(judge, stakes, lexicon)
    (at_home,) = relaxed.paid_for([move])
    there = sum(stake.weight * bits for stake, bits in zip(stakes, said, strict=True))
    if abs(at_home - there) > AGREES * sum(said):
        raise StrategyError(
            f"The judge at home says {-at_home:.2f} bits where the one that scores says {-there:.2f}: it has to have"
            " the same weights."
        )
    relaxed.paid = sum(reward.bits for reward in rewards) - at_home
    return relaxed
