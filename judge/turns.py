"""A text as somebody's turn in a chat: what a judge that was tuned for chats expects of the human, and of itself.

Outside its template such a judge reads a text as it read pages before it was tuned. Inside it was trained to speak as
one party; in the human's turn it says how well it finishes what it was never to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from judge.errors import JudgeError
from judge.profiles import ARENA
from judge.reading import USUAL_TOP, Reading, spell

if TYPE_CHECKING:
    from judge.judge import Judge

Turn = Literal["human", "judge"]


def read_turn(judge: Judge, text: str, whose: Turn, said: str = "", *, top: int = USUAL_TOP) -> Reading:
    """What was expected at each token of `text`, where the template lets the human speak or, after the human has
    `said` something, the judge.

    Raises JudgeError for a judge without a template or one that reads from right to left, an empty text, a human's turn
    after something said or a judge's after nothing; TooLong.
    """
    if judge.direction == "backward":
        raise JudgeError(f"{judge.name} reads from right to left, the answer before the question: ask another")
    if not text:
        raise JudgeError("an empty text has no token to read: give it at least one character")
    if (whose == "judge") != bool(said):
        raise JudgeError("the human speaks first, after no prefix; the judge's turn comes after what the human said")
    chat, ids = judge.chat(), judge.tokens.ids(text)
    before = chat.before if whose == "human" else chat.ids(said)
    return spell(judge.tokens, text, ARENA, judge.direction, judge.read_row([*before, *ids], len(ids), top))
