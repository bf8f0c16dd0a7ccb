"""No program makes the engine take much more time than the work it is charged for.

Times are compared with one another, within one run: they say nothing of any machine. ``python -m benchmarks.budget``
looks longer, and prints what it finds.
"""

from random import Random
from statistics import median

import pytest

from games import limits
from games.builtins.table import FUNCTIONS
from games.compiler.round_texts import FORMS
from games.compiler.statements import COMPILERS
from tests.support.attacks import ATTACKS
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
    found = [cost for cost in (_measured(case(random, kind)) for kind in KINDS) if cost]
    return median(cost.nanoseconds for cost in found)


def _measured(one: Case, repeats: int = 2) -> Cost | None:
    """None where it is no program, or says little."""
    cost = measured(one, repeats)
    return cost if cost and cost.work >= LEAST_WORK else None


def _ratio(one: Case, usual: float) -> float:
    """Measured again where it seems too slow: something else may have had the processor."""
    ratio = 0.0
    for repeats in (1, 3, 5):
        cost = _measured(one, repeats)
        ratio = cost.nanoseconds / usual if cost else 0.0
        if ratio <= MOST:
            break
    return ratio


@pytest.mark.parametrize(("kind", "value"), KINDS, ids=[value for _, value in KINDS])
def test_a_value_takes_no_more_time_than_it_is_charged_for(kind: str, value: str, usual: float) -> None:
    random = Random(value)
    for _ in range(3):
        one = case(random, (kind, value))
        assert _ratio(one, usual) <= MOST, one


def test_neither_do_values_together(usual: float) -> None:
    found = cases(Random(2))
    for _ in range(60):
        one = next(found)
        assert _ratio(one, usual) <= MOST, one


def test_a_list_of_many_short_items_is_charged_for_each(usual: float) -> None:
    """Where a separator is in one of them, they are looked for one by one."""
    one = Case(("many short items",), ATTACKS["many short items"], ())
    assert _ratio(one, usual) <= MOST


def test_the_search_tries_every_function_and_every_instruction() -> None:
    tried = " ".join([*(value for values in VALUES.values() for value in values)])
    functions = [name.removeprefix(".") for name in (*FUNCTIONS, "story")]
    assert not [name for name in functions if f"{name}(" not in tried]
    assert set(FORMS) - {"story"} == {name for name in FORMS if name.startswith("generate")}
    lines = " ".join(line for kind in LINES.values() for line in kind)
    assert {name for name in COMPILERS if f"{name}(" in lines} == {"assign", "reveal", "reward", "ensure"}
