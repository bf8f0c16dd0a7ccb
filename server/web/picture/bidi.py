"""In which order the characters of a line stand, where some are written from right to left.

The Unicode bidirectional algorithm (UAX #9) for texts without explicit controls, which are taken out of whatever is
drawn. Each character's class becomes one letter, so that a rule is one substitution in a string.
"""

import re
from collections.abc import Iterator, Sequence
from unicodedata import bidirectional

LEFT_TO_RIGHT, RIGHT_TO_LEFT = 0, 1
#: Class → its letter; all others are neutral: O. BN is what joins or parts letters, and goes with the one before it.
_LETTERS = {"L": "L", "R": "R", "AL": "A", "EN": "E", "AN": "N", "ES": "S", "ET": "T", "CS": "C", "NSM": "M", "BN": "M"}
_SIDES = {"L": "L", "R": "R", "E": "R", "N": "R"}  # what a class counts as beside something neutral
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_OPEN_AT_ONCE = 63  # the standard's own limit


def direction(text: str) -> int:
    """The level of the text as a whole: that of its first letter (P2, P3)."""
    first = next((kind for kind in map(bidirectional, text) if kind in ("L", "R", "AL")), "L")
    return LEFT_TO_RIGHT if first == "L" else RIGHT_TO_LEFT


def levels(text: str, base: int) -> list[int]:
    """Of each character of a paragraph; odd ones run from right to left."""
    around = "LR"[base]
    found = _weak(around + "".join(_LETTERS.get(bidirectional(each), "O") for each in text))
    found = _bracketed(text, found, around) + around
    found = re.sub("O+", lambda run: _neutral(run, around), found)  # N1, N2
    raised = {"L": 0, "R": 1, "E": 2, "N": 2} if base == LEFT_TO_RIGHT else {"L": 1, "R": 0, "E": 1, "N": 1}
    return [base + raised[kind] for kind in found[1:-1]]  # I1, I2


def _weak(kinds: str) -> str:
    """W1 to W7. Before the text stands the direction around it."""
    kinds = re.sub("(.)M+", lambda marked: marked[1] * len(marked[0]), kinds)
    kinds = re.sub("A[^LRA]*", lambda run: run[0].replace("E", "N"), kinds).replace("A", "R")
    kinds = re.sub("(?<=E)[SC](?=E)", "E", re.sub("(?<=N)C(?=N)", "N", kinds))
    kinds = re.sub("(?<=E)T+|T+(?=E)", lambda run: "E" * len(run[0]), kinds)
    kinds = re.sub("[STC]", "O", kinds)
    return re.sub("L[^LR]*", lambda run: run[0].replace("E", "L"), kinds)


def _bracketed(text: str, kinds: str, around: str) -> str:
    """N0: both brackets of a pair go the same way."""
    made = list(kinds)
    for opening, closing in sorted(_pairs(text, kinds)):
        within = {_SIDES[kind] for kind in made[opening + 1 : closing] if kind in _SIDES}
        before = next(_SIDES[kind] for kind in reversed(made[:opening]) if kind in _SIDES)
        if not within:
            continue
        side = before if around not in within and before != around else around
        for place in (opening, closing):
            made[place] = side
            while text[place : place + 1] and bidirectional(text[place]) in ("NSM", "BN"):
                place += 1
                made[place] = side
    return "".join(made)


def _pairs(text: str, kinds: str) -> Iterator[tuple[int, int]]:
    """BD16: the places of brackets that belong together. In `kinds` a character stands one place later than in text."""
    waiting: list[tuple[str, int]] = []
    for place, each in enumerate(text, 1):
        if kinds[place] != "O":
            continue
        if each in _BRACKETS:
            if len(waiting) == _OPEN_AT_ONCE:
                return
            waiting.append((_BRACKETS[each], place))
            continue
        open_ = [at for at, (closing, _) in enumerate(waiting) if closing == each]
        if open_:
            yield waiting[open_[-1]][1], place
            del waiting[open_[-1] :]


def _neutral(run: re.Match[str], around: str) -> str:
    before, after = _SIDES[run.string[run.start() - 1]], _SIDES[run.string[run.end()]]
    return (before if before == after else around) * len(run[0])


def visual(levels: Sequence[int]) -> list[int]:
    """The places of a line's characters as they stand from left to right (L2)."""
    order = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = end + 1
    return order
