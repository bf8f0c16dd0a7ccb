"""The packaged searches, on scores whose best and whose distribution can be counted out."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from scipy import stats

from bots.search import Searching
from bots.strategies import searches
from bots.strategies.vocabulary import Vocabulary
from bots.strategy import Strategy, load_strategy, names

SEA = "The tide came in over the flats before the boats were home; the captain watched the waves from the harbour."
LETTERS = list("abcdefgh")
LEARNING = ["greedy", "beam", "climb", "anneal"]


def weights(seed: int) -> dict[str, float]:
    draw = random.Random(seed)
    return {letter: draw.uniform(-3, 5) for letter in LETTERS}


def over(letters: Sequence[str], name: str, seed: int = 1) -> Searching:
    """The search of that name over these words."""
    made: Searching = getattr(searches, name).over(Vocabulary(letters, letters, random.Random(seed)))
    return made


def played(strategy: Strategy, score: Callable[[list[str]], float | None], count: int) -> dict[str, float | None]:
    earned: dict[str, float | None] = {}
    for _ in range(count):
        move = strategy.propose()
        earned[move] = score(move.split())
        strategy.learn(move, earned[move])
    return earned


def best(earned: dict[str, float | None]) -> float:
    return max(bits for bits in earned.values() if bits is not None)


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("seed", range(3))
def test_where_every_word_counts_for_itself_the_best_of_all_is_found(name: str, seed: int) -> None:
    worth = weights(seed)

    def score(move: list[str]) -> float:
        return sum(worth[word] for word in move)

    every = (score(list(each)) for count in range(1, 7) for each in itertools.combinations(LETTERS, count))
    assert best(played(over(LETTERS, name, seed), score, 400)) == pytest.approx(max(every))


def test_a_beam_finds_a_pair_whose_first_word_looks_poor_where_greedy_does_not() -> None:
    """a is the best word, and nothing goes with it; b is the second, and wants c."""

    def score(move: list[str]) -> float:
        match move:
            case ["a", *_]:
                return 5 - (len(move) > 1)
            case ["b"]:
                return 4
            case ["b", "c", *rest]:
                return 9 - len(rest)
            case _:
                return 0

    assert best(played(over(LETTERS, "beam"), score, 100)) == 9
    assert best(played(over(LETTERS, "greedy"), score, 100)) == 5


def test_a_climb_ends_where_no_change_is_better() -> None:
    """Two hills: it stands on one of them before it begins elsewhere, and on the higher one in the end."""

    def score(move: list[str]) -> float:
        kept = set(move)
        return 10 * (kept == set("abc")) + 12 * (kept == set("fgh")) + len(kept & set("abc")) + len(kept & set("fgh"))

    assert best(played(over(LETTERS, "climb"), score, 1500)) == 15


def test_the_chain_comes_by_as_often_as_its_distribution_says() -> None:
    """Metropolis, against all states of six of seven words counted out: which is left out, and which comes first."""
    left_out = dict(zip("abcdefg", (0.0, 1.0, 2.0, 2.5, 0.5, 3.0, 1.5), strict=True))
    first = dict(zip("abcdefg", (2.0, 0.0, 1.0, 0.5, 1.5, 0.0, 2.5), strict=True))

    def kind(move: Sequence[str]) -> tuple[str, str]:
        (missing,) = left_out.keys() - set(move)
        return missing, move[0]

    def bits(move: Sequence[str]) -> float:
        return left_out[kind(move)[0]] + first[kind(move)[1]]

    notes: Counter[str] = Counter()
    search = searches.mcmc.search(Vocabulary(list(first), list(first), random.Random(4)), notes)
    seen: Counter[tuple[str, str]] = Counter()
    at = tried = next(search)  # by itself: as a strategy it would not play a move twice
    for step in range(120_000):
        before = notes["changes taken"]
        following = search.send(bits(tried))
        at = tried if notes["changes taken"] > before else at
        tried = following
        if step % 12 == 0:  # far enough apart to be nearly independent
            seen[kind(at)] += 1
    expected = {
        (missing, word): 2 ** ((left_out[missing] + first[word]) / searches.TEMPERATURE)
        for missing, word in itertools.permutations(first, 2)
    }
    scale = seen.total() / sum(expected.values())
    found = stats.chisquare([seen[each] for each in expected], [each * scale for each in expected.values()])
    assert found.pvalue > 1e-4


@pytest.mark.parametrize("name", ["random", "field-words", "mcmc", *LEARNING])
def test_the_same_seed_plays_the_same_and_no_attempt_is_spent_twice(name: str) -> None:
    def score(move: list[str]) -> float | None:
        return None if len(move) % 5 == 0 else float(sum(map(len, move)) % 17)

    first, second, other = (
        list(played(load_strategy(name)([SEA], seed), score, 150).items()) for seed in ("1", "1", "2")
    )
    assert first == second
    assert first != other
    assert len(first) == 150, "each move was another one"


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("passages", [[], [""], ["x"], ["海 🚤"], [SEA, "Beans."]], ids=len)
def test_whatever_the_passages_and_though_nothing_is_scored_there_is_a_move(name: str, passages: list[str]) -> None:
    moves = played(load_strategy(name)(passages, "1"), lambda move: None, 60)
    assert all(1 <= len(move.split()) <= 6 for move in moves)


def test_what_a_search_counted_is_told() -> None:
    strategy = over(LETTERS, "mcmc")
    played(strategy, lambda move: float(len(set(move) & {"a"})), 200)
    tried, taken = (int(each.split()[0]) for each in strategy.summary().split(", "))
    assert 0 < taken < tried
