"""What a language model said → the move it means."""

import re

LONGEST = 8_192  # bytes of a move that a server takes

_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning|reflection)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THOUGHT = re.compile(r"\A.*</(?:think|thinking|thought|reasoning|reflection)>", re.DOTALL | re.IGNORECASE)
_MARKED = re.compile(r"^[\s*_#>`-]*move[\s*_`]*:[\s*_]*(.*)$", re.IGNORECASE | re.MULTILINE)
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "«": "»", "„": "“"}


def without_thoughts(said: str) -> str:
    """A reply without the reasoning that some models put before it, in tags of their own.

    One that was cut off while it was thinking has nothing left. Templates that open the thought themselves leave its
    end alone in the reply.
    """
    return _END_OF_THOUGHT.sub("", _THOUGHT.sub("", said)).strip()


def move_of(said: str) -> str | None:
    """The last move that is marked, on a line `MOVE: …`; None where there is none that can be sent."""
    moves = [_bare(found[1]) for found in _MARKED.finditer(without_thoughts(said))]
    return moves[-1] if moves and _can_be_sent(moves[-1]) else None


def _can_be_sent(move: str) -> bool:
    try:
        return 0 < len(move.encode()) <= LONGEST
    except UnicodeEncodeError:  # half a character
        return False


def _bare(text: str) -> str:
    """Without what sets it off: quotation marks around it, stars of Markdown."""
    text = text.strip().strip("*").strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text
