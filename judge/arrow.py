"""Texts forward and backward: what each costs twins, two judges that differ in the direction in which they read.

To whoever knows how texts come about, a text is as likely from the left as from the right; what a judge has to pay more
in one direction is what it has learned less well there. Both read the same passages, each alone and after the token to
begin with, and a passage's end is not scored in either direction. Differences are backward less forward, as in the game
arrow of time: above zero where the text is easier from the left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from judge.errors import JudgeError
from judge.intervals import Interval, ratio_interval
from judge.judge import Judge, Pair
from judge.loading.tokenizer import Tokens

MOST_TOKENS = 255
"""Of a passage: so that twins of a larger context read no more at once than those of 256."""
LOOKED_AT = 32  # characters for each token of a passage: few tokens are longer


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that was read at once: its tokens, and its bits in either direction."""

    text: str
    tokens: int
    forward: float
    backward: float

    @property
    def bytes(self) -> int:
        return len(self.text.encode())

    @property
    def difference(self) -> float:
        """In bits."""
        return self.backward - self.forward


def check_twins(forward: Judge, backward: Judge) -> None:
    """Raises JudgeError for judges that cannot be held against each other."""
    for judge, direction in ((forward, "forward"), (backward, "backward")):
        if judge.direction != direction:
            raise JudgeError(f"{judge.name} reads {judge.direction}, and is asked for what a judge reads {direction}")
    if forward.tokenizer_json != backward.tokenizer_json:
        raise JudgeError(
            f"{backward.name} reads other tokens than {forward.name}: take twins, such as pocket and pocket-backward"
        )


def passages_of(tokens: Tokens, text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` tokens, cut after a line, else after a space, where one is near the end."""
    pieces = []
    while text:
        ends = tokens.ends(text[: LOOKED_AT * most])
        size = ends[most - 1] if len(ends) > most else ends[-1]
        if size < len(text):
            size = _border(text, size)
        while tokens.count(text[:size]) > most:  # cut off, it may be spelled by more
            size -= 1
        if size == 0:
            raise JudgeError(f"{text[0]!r} has more tokens than these judges read at once")
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _border(text: str, size: int) -> int:
    least = size - size // 4
    for mark in ("\n", " "):
        if found := text.rfind(mark, least, size) + 1:
            return found
    return size


def compare(
    forward: Judge, backward: Judge, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> list[list[Passage]]:
    """Each text in passages. progress: is told how many measurements are done, and of how many.

    Raises as `check_twins` and `Judge.measure_each` do."""
    check_twins(forward, backward)
    most = min(MOST_TOKENS, forward.context - 1, backward.context - 1)
    cut = [passages_of(forward.tokens, text, most) for text in texts]
    flat = [piece for pieces in cut for piece in pieces]
    bits: dict[str, list[float]] = {}
    for judge in (forward, backward):
        found = bits[judge.direction] = [0.0] * len(flat)
        for done, (index, each) in enumerate(judge.measure_each([Pair("", piece) for piece in flat]), 1):
            found[index] = math.fsum(each)
            if progress:
                progress(done + (len(bits) - 1) * len(flat), 2 * len(flat))
    read = iter(zip(flat, bits["forward"], bits["backward"], strict=True))
    told = (Passage(piece, forward.tokens.count(piece), *both) for piece, *both in read)
    return [[next(told) for _ in pieces] for pieces in cut]


def together(passages: Sequence[Passage]) -> tuple[float, int]:
    """The difference of all in bits, and how many bytes they have."""
    return math.fsum(each.difference for each in passages), sum(each.bytes for each in passages)


def difference(groups: Sequence[Sequence[Passage]]) -> Interval | None:
    """The difference in bits per byte, with its 95 % interval over the groups: texts, or the passages of one. None for
    fewer than two."""
    if len(groups) < 2:
        return None
    sums = [together(group) for group in groups]
    return ratio_interval([bits for bits, _ in sums], [size for _, size in sums])
