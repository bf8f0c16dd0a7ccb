"""Every number in the worked example of a front page is what the usual judge says.

After a change that is meant, ``python -m tests.games.test_front_pages`` plays the examples in data/examples.json and
writes what they earn into the front pages; read the difference before you keep it.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from games import catalog
from games.program import parse
from judge.judge import Judge
from xentarena.events import Reveal, Reward
from xentarena.models import Outcome
from xentarena.offline import Judges, play, usual

EXAMPLES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "examples.json").read_text(encoding="utf-8")
)
CATALOG = Path(catalog.__file__).parent
EXAMPLE = re.compile(r"^# \*\*Example\.\*\*.*\n(?:# .*\n)*", re.MULTILINE)


def facts(outcome: Outcome) -> dict[str, str]:
    """What a text of an example may name: bits with one decimal, and registers that were revealed.

    Of the nth reward: `gainN`, and where it is the difference of two measurements `beforeN` and `afterN`.
    """
    found = {"score": max(outcome.rewards.values())}
    if "white" in outcome.rewards:
        found |= outcome.rewards
    rewards = [event for event in outcome.events if isinstance(event, Reward) and event.seat != "white"]
    for number, reward in enumerate(rewards, 1):
        found[f"gain{number}"] = reward.bits
        costs = [sum(token.after for token in term.tokens) for term in reward.terms]
        if len(costs) == 2:
            shorter = len(reward.terms[1].prefix_after) < len(reward.terms[0].prefix_after)
            found[f"before{number}"], found[f"after{number}"] = reversed(costs) if shorter else costs
        found |= {f"cost{number}_{place}": cost for place, cost in enumerate(costs, 1)}
    if "gain2" in found:
        found["lead"] = -found["gain2"]  # what there was before, where the second reward takes it away
    shown = {name: _number(bits) for name, bits in found.items()}
    reveals = [value for event in outcome.events if isinstance(event, Reveal) for value in event.values]
    return shown | {str(each.register_): str(each.value) for each in reveals if each.register_}


def _number(bits: float) -> str:
    return f"{bits:.1f}".replace("-0.0", "0.0").replace("-", "−")


def written(name: str, outcome: Outcome) -> str:
    """The example as lines of a front page."""
    text = "**Example.** " + EXAMPLES[name]["text"].format(**facts(outcome))
    lines = textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def played(name: str, usual_judge: Judge) -> Outcome:
    """The example, played by the usual judge; by pocket and its twin where the game asks two."""
    given, program = EXAMPLES[name], parse(catalog.source(name), name)
    moves: dict[str, list[str]] = {}
    for number, move in enumerate(given["moves"]):
        moves.setdefault(program.seats[number % len(program.seats)], []).append(move)
    judge: Judges = usual(program) if len(program.judges) > 1 else usual_judge
    outcome = play(program, given["passages"], moves, judge=judge)
    assert outcome.status == "scored", (name, outcome)
    return outcome


@pytest.fixture(scope="module")
def smollm2(installed_judges: Path) -> Judge:
    return Judge.load(installed_judges / "smollm2-135m", device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", catalog.names())
def test_the_example_of_a_front_page_is_true(name: str, smollm2: Judge) -> None:
    found = EXAMPLE.search(catalog.source(name))
    assert found, "a front page has a worked example"
    outcome = played(name, smollm2)
    assert found[0] == written(name, outcome)
    assert max(outcome.rewards.values()) > 0, "an example shows how to score"


def _write_all() -> None:
    smollm2 = Judge.load("smollm2-135m")
    for name in catalog.names():
        file = CATALOG / f"{name}.xent"
        source = file.read_text(encoding="utf-8")
        found = EXAMPLE.search(source)
        assert found, name
        file.write_text(source.replace(found[0], written(name, played(name, smollm2))), encoding="utf-8")


if __name__ == "__main__":
    _write_all()
