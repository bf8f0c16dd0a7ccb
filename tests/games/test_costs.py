"""No program makes the engine take much more time than the work it is charged for.

Times are compared with one another, within one run: they say nothing of any machine. ``python -m benchmarks.budget``
looks longer, and prints what it finds.
"""

from random import Random

import pytest

from games import limits
from games.builtins.table import FUNCTIONS
from games.compiler.round_texts import FORMS
from games.compiler.statements import COMPILERS
from tests.support.costs import LINES, VALUES, Case, Cost, case, cases, measured

#: How many times as much as the usual the time of a unit may be. Without charging by item it was thousands of times.
MOST = 4.0
#: Cases with less work than this say little: the clock is too coarse, and they hold nobody up.
LEAST_WORK = limits.WORK // 60
KINDS = [(kind, value) for kind in VALUES for value in VALUES[kind]]


@pytest.fixture(scope="module")
def usual() -> float:
    """Nanoseconds of a unit, as half of all values take less: what this machine does with it today."""
    random = Random(1)
    costs = [cost for kind in KINDS if (cost := measured(case(random, kind))) and _counts(cost)]
    return sorted(cost.nanoseconds for cost in costs)[len(costs) // 2]


def _counts(cost: Cost) -> bool:
    return cost.work >= LEAST_WORK


def _ratio(one: Case, usual: float) -> float:
    """Measured again where it seems too slow: something else may have had the processor."""
    ratio = 0.0
    for repeats in (1, 3, 5):
        cost = measured(one, repeats)
        if cost is None or not _counts(cost):
            return 0.0
        ratio = cost.nanoseconds / usual
        if ratio <= MOST:
            return 0.0
    return ratio


@pytest.mark.parametrize(("kind", "value"), KINDS, ids=[value for _, value in KINDS])
def test_a_value_takes_no_more_time_than_it_is_charged_for(kind: str, value: str, usual: float) -> None:
    random = Random(value)
    for _ in range(3):
        one = case(random, (kind, value))
        assert _ratio(one, usual) == 0.0, one


def test_neither_do_values_together(usual: float) -> None:
    found = cases(Random(2))
    for _ in range(60):
        one = next(found)
        assert _ratio(one, usual) == 0.0, one


def test_a_list_of_many_short_items_is_charged_for_each(usual: float) -> None:
    """Two characters each with a separator in them: once a second for every hundred of them, and charged as nothing."""
    signs = ["".join((sign, letter)) for sign in "!#$%&()*+,-./:;<=>?@[" for letter in "abcdefghijklmnopqrstuvwxyz"]
    first, second = " ".join(signs[:500]), " ".join(signs[26:525])
    lines = [f'assign(l="{first}".split())', f'assign(l1="{second}".split())', "assign(l=l + l1)", "beacon(flag_1)"]
    lines += ['assign(s=remove_common_words("", l))', "replay(flag_1, 100)"]
    assert _ratio(Case(("many items",), "\n".join(lines), ()), usual) == 0.0


def test_the_search_tries_every_function_and_every_instruction() -> None:
    tried = " ".join([*(value for values in VALUES.values() for value in values)])
    functions = [name.removeprefix(".") for name in (*FUNCTIONS, "story")]
    assert not [name for name in functions if f"{name}(" not in tried]
    assert set(FORMS) - {"story"} == {name for name in FORMS if name.startswith("generate")}
    lines = " ".join(line for kind in LINES.values() for line in kind)
    assert {name for name in COMPILERS if f"{name}(" in lines} == {"assign", "reveal", "reward", "ensure"}
