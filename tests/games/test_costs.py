"""No program makes the engine do much more than the work it is charged for.

What it does is counted, not timed: operations of Python's machine, and characters that built-in methods read. Searches
inside a text are all the machine's own, so that these few are timed, against one another and within one run.
``python -m benchmarks.budget`` times everything, looks longer, and prints what it finds.
"""

from random import Random
from statistics import median

import pytest

from games import limits
from games.builtins.table import FUNCTIONS
from games.compiler.round_texts import FORMS
from games.compiler.statements import COMPILERS
from games.errors import ProgramErrors
from tests.support.attacks import ATTACKS
from tests.support.costs import LINES, VALUES, Case, Cost, case, cases, counted, measured

#: Operations for each unit of work. Without charging by item, "many short items" made 60.
MOST = 2.0
#: Units of the plays that are counted: counting takes thirty times as long as playing.
WORK = 100_000
#: How many times as much as the usual the time of a unit may be, of what only a clock can see.
MOST_TIME = 4.0
KINDS = [(kind, value) for kind in VALUES for value in VALUES[kind]]
_KIND_OF = {value: kind for kind, value in KINDS}
SEARCHES = [
    "s // t",
    "s % t",
    "t in s",
    "(s + x) in s",
    "s.split(t)",
    "remove_common_words(s, l)",
    "only_uses_chars(s, t)",
]


@pytest.fixture(autouse=True)
def _little_work(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "usual" not in request.fixturenames:
        monkeypatch.setattr(limits, "WORK", WORK)


def _assert_charged(one: Case) -> None:
    try:
        operations, work = counted(one)
    except ProgramErrors:
        return
    assert operations <= MOST * work + 5_000, one  # those of what the last charge ended


@pytest.mark.parametrize("value", [value for _, value in KINDS])
def test_a_value_does_no_more_than_it_is_charged_for(value: str) -> None:
    random, kind = Random(value), _KIND_OF[value]
    for _ in range(3):
        _assert_charged(case(random, (kind, value)))


def test_neither_do_values_together() -> None:
    found = cases(Random(2))
    for _ in range(40):
        _assert_charged(next(found))


@pytest.mark.parametrize("name", ["many short items", "list removal", "strict removal", "compounds", "joins"])
def test_neither_does_an_attack(name: str) -> None:
    _assert_charged(Case((name,), ATTACKS[name], (("words", 1_900),) * 3))


@pytest.fixture(scope="module")
def usual() -> float:
    """Nanoseconds of a unit, as half of all values take less: what this machine does with it today."""
    random = Random(1)
    found = [cost for each in KINDS if (cost := _timed(case(random, each)))]
    return median(cost.nanoseconds for cost in found)


def _timed(one: Case, repeats: int = 2) -> Cost | None:
    """None where it is no program, or says little: the clock is too coarse, and it holds nobody up."""
    cost = measured(one, repeats)
    return cost if cost and cost.work >= limits.WORK // 60 else None


def _ratio(one: Case, usual: float) -> float:
    """Measured again where it seems too slow: something else may have had the processor."""
    ratio = 0.0
    for repeats in (1, 3, 5):
        cost = _timed(one, repeats)
        ratio = cost.nanoseconds / usual if cost else 0.0
        if ratio <= MOST_TIME:
            break
    return ratio


@pytest.mark.parametrize("value", SEARCHES)
def test_a_search_takes_no_more_time_than_it_is_charged_for(value: str, usual: float) -> None:
    random, kind = Random(value), _KIND_OF[value]
    for _ in range(3):
        one = case(random, (kind, value))
        assert _ratio(one, usual) <= MOST_TIME, one


def test_the_search_tries_every_function_and_every_instruction() -> None:
    tried = " ".join([*(value for values in VALUES.values() for value in values)])
    functions = [name.removeprefix(".") for name in (*FUNCTIONS, "story")]
    assert not [name for name in functions if f"{name}(" not in tried]
    assert set(FORMS) - {"story"} == {name for name in FORMS if name.startswith("generate")}
    lines = " ".join(line for kind in LINES.values() for line in kind)
    assert {name for name in COMPILERS if f"{name}(" in lines} == {"assign", "reveal", "reward", "ensure"}
