"""A judge that is a table, small enough to do by hand.

Tokens: up to four ASCII letters or digits, with the space before them if there is one; any other ASCII character by
itself; two tokens for every other character, of which the first ends inside it.

Bits: a token that was seen before, in the prefix or earlier in the text, costs 1. A new one costs 2 and 1 more for
each of its characters, the space aside. A token that ends inside a character costs half a bit. Letter case is ignored.
A backward judge has seen the prefix and what stands *later* in the text. A judge in a slot other than ``main`` charges
twice as much, ``backward`` aside.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from games.protocol import MAIN, JudgeFacts, Measurement

_TOKEN = re.compile(r" ?[A-Za-z0-9]{1,4}|[\x00-\x7f]|.", re.DOTALL)
BACKWARD = "backward"


@lru_cache(maxsize=1024)
def ends(text: str) -> tuple[int, ...]:
    """Where each token of the text ends."""
    found: list[int] = []
    for match in _TOKEN.finditer(text):
        found += [match.end()] if match[0].isascii() else [match.start(), match.end()]
    return tuple(found)


def _keys(text: str) -> Iterator[str]:
    start = 0
    for end in ends(text):
        yield text[start:end].strip(" ").lower() or ("" if end == start else " ")
        start = end


def _costs(question: Measurement) -> list[float]:
    seen = set(_keys(question.prefix))
    keys = list(_keys(question.text))
    if question.judge == BACKWARD:
        keys.reverse()
    costs: list[float] = []
    for key in keys:
        costs.append(0.5 if not key else 1.0 if key in seen else 2.0 + len(key))
        seen.add(key)
    return costs[::-1] if question.judge == BACKWARD else costs


def bits(question: Measurement) -> list[float]:
    """The bits of each scored token, in reading order."""
    factor = 1.0 if question.judge in (MAIN, BACKWARD) else 2.0
    costs = [factor * cost for cost in _costs(question)]
    if question.profile == "arena":
        return costs
    return costs[:-1] if question.judge == BACKWARD else costs[1:]


def known(questions: Sequence[Measurement]) -> dict[Measurement, list[float]]:
    return {question: bits(question) for question in questions}


def judges(*slots: str, context: int = 1_000) -> Mapping[str, JudgeFacts]:
    """Facts for the main judge and for each further slot."""
    return {slot: JudgeFacts(ends, context, "backward" if slot == BACKWARD else "forward") for slot in (MAIN, *slots)}
