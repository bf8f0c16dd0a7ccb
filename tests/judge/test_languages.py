"""The small languages are what they are said to be: counted, multiplied and run apart from what wrote them."""

from __future__ import annotations

import contextlib
import doctest
import io
import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from scipy.stats import chi2, chisquare

from judge.errors import JudgeError
from judge.languages import LANGUAGES, MOST_BYTES, chains, documents, linear

RARE = 1e-4


@pytest.mark.parametrize("name", LANGUAGES)
def test_texts_follow_from_seed_and_part_and_fit_a_context(name: str) -> None:
    texts, again, other, apart = (
        list(documents(name, seed, part, 20_000))
        for seed, part in ((1, "train"), (1, "train"), (2, "train"), (1, "held out"))
    )
    assert texts == again
    assert len({tuple(each) for each in (texts, other, apart)}) == 3
    assert sum(map(len, texts)) - len(texts[-1]) < 20_000 <= sum(map(len, texts))
    assert all(text.isascii() and 60 <= len(text) <= MOST_BYTES for text in texts)


def test_an_unknown_language_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(JudgeError, match="no small language 'linear-sparce': did you mean linear-sparse"):
        next(documents("linear-sparce", 1, "train", 1))
    with pytest.raises(JudgeError, match=r"there is primes, linear-sparse, .*, code"):
        next(documents("klingon", 1, "train", 1))


def test_every_pair_of_two_digit_primes_is_multiplied_as_often() -> None:
    seen: Counter[tuple[int, int]] = Counter()
    for line in "\n".join(documents("primes", 3, "train", 100_000)).splitlines():
        p, q, n = map(int, re.fullmatch(r"(\d\d)\*(\d\d)=(\d+)", line).groups())  # type: ignore[union-attr]
        assert p < q
        assert p * q == n
        seen[p, q] += 1
    primes = [n for n in range(10, 100) if [d for d in range(1, n + 1) if n % d == 0] == [1, n]]
    assert seen.keys() == set(itertools.combinations(primes, 2))
    assert chisquare([*seen.values()]).pvalue > RARE


@pytest.mark.parametrize("name", ["sparse", "dense"])
def test_linear_languages_multiply_by_a_matrix_that_has_an_inverse(name: str) -> None:
    matrices = {"sparse": linear.sparse_matrix, "dense": linear.dense_matrix}
    for seed in range(5):
        rows = matrices[name](seed)
        m, inverse = _entries(rows), _entries(linear.inverse(rows) or [])
        assert np.array_equal(m @ inverse % 2, np.eye(linear.BITS))
        ones, ones_back = (each.sum() / linear.BITS for each in (m, inverse))
        if name == "sparse":
            assert set(m.sum(axis=1)) == {2, 3}
            assert ones_back >= 6
        else:
            assert 6 < ones < 10
            assert 6 < ones_back < 10
        lines = "\n".join(documents(f"linear-{name}", seed, "train", 5_000)).splitlines()
        x, y = (np.array([[int(bit) for bit in line.split("=")[side]] for line in lines]) for side in (0, 1))
        assert np.array_equal(x @ m.T % 2, y)
        spread = (x.sum(axis=0) - len(x) / 4) ** 2 / (len(x) * 3 / 16)  # a quarter of them are ones
        assert chi2.sf(spread.sum(), linear.BITS) > RARE


def test_a_matrix_without_an_inverse_is_told() -> None:
    assert linear.inverse([0b011, 0b110, 0b101]) is None


def _entries(rows: Sequence[int]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array([[row >> j & 1 for j in range(linear.BITS)] for row in rows])


def test_sequences_are_drawn_by_the_weights_of_their_windows_which_mirror_each_other() -> None:
    weights, length = chains.dna_weights(5), 6
    probable = {}
    for letters in itertools.product("ACGT", repeat=length):
        text = "".join(letters)
        probable[text] = math.prod(weights[text[i : i + 4]] for i in range(length - 3))
    whole = sum(probable.values())
    assert all(math.isclose(probable[text], probable[text[::-1]]) for text in probable)
    random, draws = Random(1), 20_000
    writer = chains.Windows(weights, length)
    seen = Counter(writer.write(random) for _ in range(draws))
    pooled: list[list[float]] = [[0.0, 0.0]]
    for text, weight in probable.items():
        pooled[-1][0] += seen[text]
        pooled[-1][1] += draws * weight / whole
        if pooled[-1][1] >= 5:
            pooled.append([0.0, 0.0])
    last = pooled.pop()
    pooled[-1] = [pooled[-1][0] + last[0], pooled[-1][1] + last[1]]
    assert len(pooled) > 300
    assert chisquare([there for there, _ in pooled], [expected for _, expected in pooled]).pvalue > RARE


def test_the_walk_is_in_detailed_balance_and_the_decay_is_not() -> None:
    shares, chances = map(np.array, chains.balance(4))
    flow = shares[:, None] * chances
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.allclose(flow, flow.T)
    assert np.linalg.matrix_power(chances, 10_000)[0] == pytest.approx(shares)  # wherever it began
    assert _p_of_both_ways("series-reversible") > RARE
    assert _p_of_both_ways("series-dissipative") < 1e-12


def _p_of_both_ways(name: str) -> float:
    """That steps from one level to another are as many as those back."""
    steps = Counter(step for text in documents(name, 4, "train", 100_000) for step in itertools.pairwise(text))
    both = [(steps[a, b], steps[b, a]) for a, b in itertools.combinations(chains.LEVELS, 2)]
    both = [(there, back) for there, back in both if there + back >= 10]
    return float(chi2.sf(sum((there - back) ** 2 / (there + back) for there, back in both), len(both)))


def test_programs_return_what_they_say() -> None:
    for number, text in enumerate(documents("code", 6, "train", 30_000)):
        test = doctest.DocTestParser().get_doctest(text.split("\n\n", 1)[1], {}, f"program {number}", None, 0)
        exec(text.split("\n\n", 1)[0], test.globs)
        with contextlib.redirect_stdout(told := io.StringIO()):
            found = doctest.DocTestRunner().run(test)
        assert found == (0, 3), told.getvalue()
