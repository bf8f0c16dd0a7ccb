"""The packaged proof steps are right where they say so and wrong where they say so: all but two are computed."""

import re
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from random import Random

from judge.loading.source import find
from judge.pairs import Pair
from xentarena import quizzes

Values = Mapping[str, Fraction]
STEP = Fraction(1, 10**6)
EVERY = r"Every (.+) is (.+)\. \w+ is( not)? (.+)\. So \w+ is( not)? (.+)\."


def _value(said: str, values: Values) -> Fraction | bool:
    """An expression or a comparison as it is written: 2x is a product, ^ a power."""
    code = re.sub(r"(?<=[0-9a-z)])(?=[a-z(])", "*", said).replace("^", "**").replace(" = ", " == ")
    found: Fraction | bool = eval(code, {"__builtins__": {}}, dict(values))
    return found


def _holds(subject: str, said: str, values: Values) -> bool:
    """Is what is said true of these values? Also where what it supposes is not."""
    said = said.removesuffix(".")
    if subject == "identities":
        return bool(_value(said, values))
    if subject == "derivatives":
        of, found = said.removeprefix("The derivative of ").split(" is ")
        x = values["x"]
        rise = _value(of, {"x": x + STEP}) - _value(of, {"x": x - STEP})
        return abs(rise / (2 * STEP) - _value(found, values)) < Fraction(1, 1000)
    supposed, then = said.removeprefix("If ").split(", then ")
    if subject == "inequalities":
        return not _value(supposed, values) or bool(_value(then, values))
    # What follows is that a letter has a value, or it is said of a letter that is supposed to have one.
    name, value = (then if subject == "equations" else supposed).split(" = ")
    letter = {name: Fraction(_value(value, values))}
    return bool(_value(supposed if subject == "equations" else then, {**values, **letter}))


def _always(subject: str, said: str) -> bool:
    rng = Random(7)
    draws = [{each: Fraction(rng.randrange(-40, 41) * 2 + 1, 7) for each in "abckxyn"} for _ in range(100)]
    return all(_holds(subject, said, each) for each in draws)


def _follows(said: str) -> bool:
    """Of everything: where each A is a B and what is supposed of it is so, is what is concluded?"""
    match = re.fullmatch(EVERY, said)
    assert match
    a, b, *claims = (each and each.removeprefix("a ") for each in match.groups())
    worlds = [{a: is_a, b: is_b} for is_a, is_b in product((False, True), repeat=2) if is_b or not is_a]
    not_one, one, not_other, other = claims
    return all(world[other] != bool(not_other) for world in worlds if world[one] != bool(not_one))


def test_right_steps_hold_and_wrong_ones_do_not() -> None:
    found = quizzes.proof_steps()
    left = []
    for pair in found:
        if pair.subject != "logic":
            assert [_always(pair.subject, each) for each in (pair.true, pair.false)] == [True, False], pair
        elif pair.true.startswith("Every"):
            assert [_follows(each) for each in (pair.true, pair.false)] == [True, False], pair
        else:
            left.append(pair)
    assert len(found) == 76
    assert len(left) == 2, "of swans, which were looked at"


def test_what_is_wrong_here_is_right_elsewhere_and_most_are_of_equal_token_count() -> None:
    found = quizzes.proof_steps()
    said = [each for pair in found for each in (pair.true, pair.false)]
    assert len(set(said)) == len(said)
    for subject in {pair.subject for pair in found} - {"logic"}:
        ends = [
            Counter(re.split(r" is |, then | = ", each)[-1] for each in column) for column in _columns(found, subject)
        ]
        assert ends[0] == ends[1], subject
    tokens = find("pocket").tokens
    assert sum(tokens.count(pair.true) == tokens.count(pair.false) for pair in found) >= 50


def _columns(found: list[Pair], subject: str) -> tuple[list[str], list[str]]:
    some = [pair for pair in found if pair.subject == subject]
    return [pair.true for pair in some], [pair.false for pair in some]
