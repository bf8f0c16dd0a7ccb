"""Texts forward and backward: what plain transformers say of both, cut in passages, with an interval that holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from judge.arrow import Passage, compare, difference, passages_of, together
from judge.errors import JudgeError
from judge.intervals import mean_interval, ratio_interval, student
from judge.judge import Judge
from judge.loading.source import find
from tests.judge import reference, tiny

TEXT = "".join(f"{number}. The dragon flew over the mountain — 日本語 😀.\n" for number in range(12))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("twins")
    one, two = (tiny.write_gpt2(folder / str(seed), seed=seed, context=64) for seed in (1, 2))
    return one, tiny.declare(two, direction="backward")


@pytest.fixture(scope="module")
def twins(folders: tuple[Path, Path]) -> tuple[Judge, Judge]:
    one, two = (Judge.load(folder, device="cpu", threads=1) for folder in folders)
    return one, two


def test_both_directions_cost_what_plain_transformers_say(
    folders: tuple[Path, Path], twins: tuple[Judge, Judge]
) -> None:
    steps: list[tuple[int, int]] = []
    found = compare(*twins, [TEXT, "A judge reads"], lambda *step: steps.append(step))
    assert ["".join(passage.text for passage in passages) for passages in found] == [TEXT, "A judge reads"]
    assert len(found[0]) > 5
    (model, tokenizer), (mirrored, _) = map(reference.load, folders)
    flat = [passage for passages in found for passage in passages]
    for passage in flat:
        assert passage.forward == pytest.approx(sum(reference.bits(model, tokenizer, 0, "", passage.text)), abs=1e-3)
        assert passage.backward == pytest.approx(_mirrored(mirrored, tokenizer, passage.text), abs=1e-3)
    bits, size = together(flat)
    assert size == len((TEXT + "A judge reads").encode())
    assert bits == pytest.approx(sum(passage.backward - passage.forward for passage in flat))
    assert steps == [(done, 2 * len(flat)) for done in range(1, 2 * len(flat) + 1)]


def _mirrored(model: object, tokenizer: object, text: str) -> float:
    """By the same reference, to which the ids are given from the last to the first."""

    def reverse(given: str, **_: object) -> object:
        ids = tokenizer(given, add_special_tokens=False)  # type: ignore[operator]
        ids["input_ids"] = ids["input_ids"][::-1]
        return ids

    return sum(reference.bits(model, reverse, 0, "", text))


@pytest.mark.parametrize("most", [8, 20, 63])
def test_passages_are_short_enough_whole_together_and_end_with_lines_where_they_can(most: int) -> None:
    tokens = find("pocket").tokens
    text = TEXT + "x" * 300 + "a few words that follow " * 9
    pieces = passages_of(tokens, text, most)
    assert "".join(pieces) == text
    assert all(0 < tokens.count(piece) <= most for piece in pieces)
    assert len(pieces) < 2.5 * tokens.count(text) / most
    if most == 63:
        assert sum(piece.endswith("\n") for piece in pieces) >= 4
    with pytest.raises(JudgeError, match="'😀' has more tokens than these judges read at once"):
        passages_of(tokens, text, 3)


def test_judges_that_are_no_twins_are_refused(twins: tuple[Judge, Judge], tmp_path: Path) -> None:
    forward, backward = twins
    with pytest.raises(JudgeError, match="reads backward, and is asked for what a judge reads forward"):
        compare(backward, forward, ["a"])
    other = tiny.declare(tiny.write_llama(tmp_path), direction="backward")
    with pytest.raises(JudgeError, match="reads other tokens than 1: take twins"):
        compare(forward, Judge.load(other, device="cpu", threads=1), ["a"])


def test_a_ratio_has_the_interval_of_a_mean_where_all_are_as_long_and_else_holds_as_often_as_it_says() -> None:
    equal, plain = ratio_interval([2.0, 4.0, 9.0], [2.0, 2.0, 2.0]), mean_interval([1.0, 2.0, 4.5])
    assert (equal.mean, equal.low, equal.high) == pytest.approx((plain.mean, plain.low, plain.high))
    rng, held, tries, count = np.random.default_rng(3), 0, 600, 25
    for _ in range(tries):
        sizes = rng.integers(50, 250, count)
        noise = rng.normal(size=count) * np.sqrt(sizes)
        found = ratio_interval((0.3 * sizes + noise).tolist(), sizes.tolist())
        held += found.low <= 0.3 <= found.high
    assert 0.93 < held / tries < 0.97
    with pytest.raises(ValueError, match="at least two"):
        ratio_interval([1.0], [1.0])


def test_the_difference_is_that_of_all_bytes_and_its_interval_that_over_groups() -> None:
    groups = [[Passage("ab", 1, 1.0, 3.0)], [Passage("abcd", 2, 2.0, 2.0), Passage("ab", 1, 1.0, 2.0)]]
    found = difference(groups)
    assert found is not None
    assert (found.mean, found.count) == (3 / 8, 2)
    # By hand: 2 of 2 bytes and 1 of 6; what they are more than 3/8 a byte is 1.25 and -1.25.
    half = student(0.975, 1) * (2 * 2 * 1.25**2) ** 0.5 / 8
    assert (found.low, found.high) == pytest.approx((3 / 8 - half, 3 / 8 + half))
    assert difference(groups[:1]) is None
