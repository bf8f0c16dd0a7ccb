"""What is on the picture of a submission: what its page shows, in the words of its page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from server.web.i18n import _, ngettext, translated
from server.web.rendering import is_code, shown_bits
from server.web.score_breakdown import Part, Piece
from server.web.view_models import SubmissionShown

BLOCKS = 3  # texts that fit on it; of more, the first ones and a word of the others


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text. tint: how it is shaded, the name of a style of the page. bits: what it gave, as it is told."""

    text: str
    tint: str = "even"
    bits: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A text that was scored. heading: its name and worth where there are several. Without tokens it stays hidden."""

    heading: str
    tokens: Sequence[Token]
    code: bool


@dataclass(frozen=True, slots=True)
class Card:
    """bits: of the score. name: the player's, or empty. more: what is said of further texts. adds, takes: what
    the shading means. lacking: what is said where a character is in none of the fonts."""

    title: str
    score: str
    bits: float
    words: str
    name: str
    blocks: Sequence[Block]
    more: str
    hidden: str
    nothing: str
    judge: str
    adds: str
    takes: str
    lacking: str


def card(shown: SubmissionShown, *, named: bool) -> Card:
    """Of a submission that is scored, in the language of now."""
    parts = shown.parts if len(shown.parts) <= BLOCKS else shown.parts[: BLOCKS - 1]
    left = len(shown.parts) - len(parts)
    return Card(
        title=translated(shown.title),
        score=_score(shown),
        bits=shown.line.bits or 0,
        words=" · ".join(filter(None, (" ".join(text.split()) for text in _words(shown)))),
        name=shown.line.player if named else "",
        blocks=[_block(part, several=len(shown.parts) > 1) for part in parts],
        more=ngettext("and {count} more text", "and {count} more texts", left).format(count=left) if left else "",
        hidden=_("What was measured stays hidden."),
        nothing=_("(nothing)"),
        judge=_("Judge: {name}", name=shown.judge),
        adds=_("adds to the score"),
        takes=_("takes from it"),
        lacking=_("A frame stands for a character that the fonts of this picture lack."),
    )


def _score(shown: SubmissionShown) -> str:
    bits = shown.line.bits or 0
    told = shown_bits(bits, digits=1)
    if bits > 0 and shown.parts and all(map(_saves, shown.parts)):
        return _("saved {bits} bits", bits=told)
    return _("scored {bits} bits", bits=told)


def _saves(part: Part) -> bool:
    """Is it what the player's words took off the bits of a text?"""
    if not part.helped or part.alone is None or part.after is None:
        return False
    return isclose(part.alone - part.after, part.bits, abs_tol=1e-6)


def _words(shown: SubmissionShown) -> Iterator[str]:
    """The player's own, without what the game took out or cut."""
    for said in shown.said:
        yield "".join(text for text, left in said.kept if left)
    for turn in shown.told:
        if turn.mine and turn.kind == "move":
            yield from turn.texts


def _block(part: Part, *, several: bool) -> Block:
    bits = shown_bits(part.bits, sign=True, digits=1)
    heading = _("{title}: {bits} bits", title=part.title, bits=bits) if several else ""
    code = is_code("".join(piece.text for piece in part.pieces))
    return Block(heading, [token for piece in part.pieces for token in _tokens(piece)], code)


def _tokens(piece: Piece) -> Iterator[Token]:
    """As on the page: the white space before a token is not shaded."""
    if piece.space:
        yield Token(piece.space)
    yield Token(piece.body, piece.strength, shown_bits(piece.bits, sign=True, digits=2))
