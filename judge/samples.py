"""What a judge wrote, token by token: what it might have written instead, before and after a method's cuts.

For each token, with p the judge's distribution over all tokens that a text can hold, and q what the method made of it:

    before, after             p(token), q(token)
    kept                      how many tokens the cuts left
    mass                      what those have of p together
    entropy, entropy_after    of p and of q, in bits
    top                       the likeliest tokens under p, with their p and q

Greedy and beam search draw nothing: all that they leave is the token that they take. Needs no PyTorch: a process
without a model unpacks what a worker packed, and spells it with the judge's tokenizer.
"""

from __future__ import annotations

import math
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from judge.diversity import repeats

if TYPE_CHECKING:
    from judge.loading.tokenizer import Tokens

SAMPLE = "sample"  # the kind of experiment that it is
RUN = 4  # so many tokens in a row that were there before are a repetition
_HEAD, _DRAW, _CANDIDATE = struct.Struct("<III"), struct.Struct("<IffIfff"), struct.Struct("<Iff")


@dataclass(frozen=True, slots=True)
class Draw:
    """One step of a judge that writes. top: (id, before, after), the likeliest first. Floats are float32."""

    token: int
    before: float
    after: float
    kept: int
    mass: float
    entropy: float
    entropy_after: float
    top: tuple[tuple[int, float, float], ...]

    def is_sound(self) -> bool:
        """Could a judge have said so? What others compute is not taken for a sample unseen."""
        shares = (self.before, self.after, self.mass, *(p for _, *both in self.top for p in both))
        entropies = (self.entropy, self.entropy_after)
        finite = all(math.isfinite(each) and each >= 0 for each in (*shares, *entropies))
        return finite and self.kept > 0 and max(shares) <= 1.001


@dataclass(frozen=True, slots=True)
class Walk:
    """What came of a method, in the order in which it was written. beams: of a beam search what was kept to the end,
    the likeliest first, each with what it costs in bits."""

    draws: tuple[Draw, ...]
    beams: tuple[tuple[float, tuple[int, ...]], ...] = ()

    def is_sound(self, length: int) -> bool:
        """Could it be one of so many tokens?"""
        costs = all(math.isfinite(bits) and bits >= 0 and len(ids) == length for bits, ids in self.beams)
        return costs and len(self.draws) == length and all(draw.is_sound() for draw in self.draws)


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that might have come, and how likely it was before and after the cuts."""

    text: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class SampleStep:
    """One token of a sample. text: what it adds. repeats: it ends a run of four tokens that was there before."""

    text: str
    before: float
    after: float
    kept: int
    mass: float
    entropy: float
    entropy_after: float
    repeats: bool
    top: tuple[Choice, ...]

    @property
    def bits(self) -> float:
        """What the token costs: −log₂ of its probability before the cuts; at most 149, which is all float32 tells."""
        return -math.log2(max(self.before, 2.0**-149))


@dataclass(frozen=True, slots=True)
class BeamText:
    """A text that a beam search kept to the end."""

    text: str
    bits: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a judge wrote. steps: in the order in which it was written, from right to left by a backward judge."""

    text: str
    steps: tuple[SampleStep, ...]
    beams: tuple[BeamText, ...]

    @property
    def bits(self) -> float:
        """What the text costs as it was written."""
        return math.fsum(step.bits for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """All of it, as the command and the API give it."""
        return {"bits": self.bits, **asdict(self)}


def spell(tokens: Tokens, prefix: str, direction: str, walk: Walk) -> Sample:
    """A walk with the words that it is about, by the judge's tokenizer."""
    before, ids = tokens.ids(prefix), [draw.token for draw in walk.draws]
    again = repeats(before[::-1] if direction == "backward" else before, ids, RUN)
    return Sample(
        text_of(tokens, direction, ids),
        tuple(_spelled(tokens, *each) for each in zip(walk.draws, again, strict=True)),
        tuple(BeamText(text_of(tokens, direction, beam), bits) for bits, beam in walk.beams),
    )


def text_of(tokens: Tokens, direction: str, ids: Sequence[int]) -> str:
    """The text of ids that came in the order in which the judge writes, less halves of characters and control
    characters."""
    text = tokens.text([*(reversed(ids) if direction == "backward" else ids)])
    return "".join(c for c in text if c in "\n\t" or (c != "\ufffd" and unicodedata.category(c) != "Cc"))


def pack(walks: Sequence[Walk]) -> bytes:
    """Walks as bytes, as they travel and are kept: of each how many draws, candidates and beams it has, then these,
    float32 and uint32, little-endian."""
    return b"".join(part for walk in walks for part in _packed(walk))


def unpack(raw: bytes) -> list[Walk]:
    """What `pack` packed. Raises ValueError for anything else."""
    found, at = list[Walk](), 0
    try:
        while at < len(raw):
            walk, at = _unpacked(raw, at)
            found.append(walk)
    except struct.error as error:
        raise ValueError(f"these are no samples: {error}") from error
    return found


def _packed(walk: Walk) -> Iterator[bytes]:
    top = len(walk.draws[0].top) if walk.draws else 0
    yield _HEAD.pack(len(walk.draws), top, len(walk.beams))
    for each in walk.draws:
        yield _DRAW.pack(each.token, each.before, each.after, each.kept, each.mass, each.entropy, each.entropy_after)
        yield from (_CANDIDATE.pack(*candidate) for candidate in each.top)
    for bits, ids in walk.beams:
        yield struct.pack(f"<f{len(walk.draws)}I", bits, *ids)


def _unpacked(raw: bytes, at: int) -> tuple[Walk, int]:
    """The walk that begins there, and where the next one does."""
    length, top, beams = _HEAD.unpack_from(raw, at)
    at += _HEAD.size
    size, beam = _DRAW.size + top * _CANDIDATE.size, struct.Struct(f"<f{length}I") if beams else None
    if at + length * size > len(raw):
        raise ValueError(f"these are no samples: {length} steps of {size} bytes do not fit in {len(raw) - at}")
    draws, kept = list[Draw](), list[tuple[float, tuple[int, ...]]]()
    for _ in range(length):
        token, before, after, kept_tokens, mass, *entropies = _DRAW.unpack_from(raw, at)
        candidates = _CANDIDATE.iter_unpack(raw[at + _DRAW.size : at + size])
        draws.append(Draw(token, before, after, kept_tokens, mass, entropies[0], entropies[1], tuple(candidates)))
        at += size
    for _ in range(beams if beam else 0):
        assert beam is not None
        bits, *ids = beam.unpack_from(raw, at)
        kept.append((bits, tuple(ids)))
        at += beam.size
    return Walk(tuple(draws), tuple(kept)), at


def _spelled(tokens: Tokens, draw: Draw, again: bool) -> SampleStep:
    return SampleStep(
        tokens.spelling(draw.token),
        draw.before,
        draw.after,
        draw.kept,
        draw.mass,
        draw.entropy,
        draw.entropy_after,
        again,
        tuple(Choice(tokens.spelling(token), before, after) for token, before, after in draw.top),
    )
