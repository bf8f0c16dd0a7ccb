"""A reading: what a judge expected where each token of a text stands, and how that compares with what came.

For each scored token, with p the judge's distribution over its whole vocabulary at that place:

    bits      −log₂ p(token), what a measurement says of it
    rank      1 where no token was likelier, 2 where one was, …
    entropy   −Σ p log₂ p in bits: how many bits it was to expect there, before it saw the token
    top       the likeliest tokens and their probabilities, equal ones by id

Needs no PyTorch: a process without a model unpacks what a worker packed, and spells it with the judge's tokenizer.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from judge.profiles import scored_tokens

if TYPE_CHECKING:
    from judge.loading.tokenizer import Tokens

READING = "reading"  # the kind of experiment that it is
#: Of the likeliest tokens at a place, as many as can be asked for; and how many are given where nobody says.
MOST_TOP, USUAL_TOP = 50, 10
_HEAD, _PLACE, _CANDIDATE = struct.Struct("<I"), struct.Struct("<fIf"), struct.Struct("<If")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a judge expected where one token stands. top: (id, probability), the likeliest first. Floats are float32."""

    bits: float
    rank: int
    entropy: float
    top: tuple[tuple[int, float], ...]

    def is_sound(self) -> bool:
        """Could a judge have said so? What others compute is not taken for a reading unseen."""
        numbers = (self.bits, self.entropy, *(p for _, p in self.top))
        return self.rank > 0 and all(math.isfinite(each) and each >= 0 for each in numbers)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that might have come. text: what it adds to a text, or its name where no text can spell it."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A token of a text that was read. text: the slice of the text that it completes."""

    text: str
    bits: float
    rank: int
    entropy: float
    top: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as a judge reads it, token by token in reading order; sums are float64 in that order.

    Of the profile `xent-0.5` the token that is not scored is not among the tokens, and counts nowhere.
    """

    tokens: tuple[ReadToken, ...]

    @property
    def bits(self) -> float:
        """What the text costs."""
        return _sum(token.bits for token in self.tokens)

    @property
    def entropy(self) -> float:
        """Bits that the judge was to expect in all: near `bits` where it is calibrated on such texts."""
        return _sum(token.entropy for token in self.tokens)

    @property
    def bytes(self) -> int:
        """Of UTF-8 in the text of these tokens."""
        return sum(len(token.text.encode()) for token in self.tokens)

    @property
    def bits_per_byte(self) -> float | None:
        """Comparable between judges of different tokenizers, which perplexity is not. None of an empty text."""
        return self.bits / self.bytes if self.bytes else None

    @property
    def perplexity(self) -> float | None:
        """2 to the bits per token. None of an empty text, and where it is more than a float can say."""
        if not self.tokens:
            return None
        power = self.bits / len(self.tokens)
        return 2.0**power if power < 1024 else None

    def as_json(self) -> dict[str, Any]:
        """All of it, as the command and the API give it."""
        return {
            "bits": self.bits,
            "bytes": self.bytes,
            "bits_per_byte": self.bits_per_byte,
            "perplexity": self.perplexity,
            "entropy": self.entropy,
            "tokens": [_token_json(token) for token in self.tokens],
        }


def spell(tokens: Tokens, text: str, profile: str, direction: str, predictions: Sequence[Prediction]) -> Reading:
    """The predictions of a text's scored tokens with the words that they are about, by the judge's tokenizer."""
    spelled = tokens.spelled(text)
    scored = spelled[scored_tokens(len(spelled), profile, direction)]
    return Reading(tuple(_spelled(tokens, *each) for each in zip(scored, predictions, strict=True)))


def pack(predictions: Sequence[Prediction]) -> bytes:
    """Predictions as bytes, as they travel and are kept: how many candidates each has, then float32 and uint32,
    little-endian. Of a text every token has as many candidates."""
    top = len(predictions[0].top) if predictions else 0
    parts = [_HEAD.pack(top)]
    for each in predictions:
        parts.append(_PLACE.pack(each.bits, each.rank, each.entropy))
        parts += [_CANDIDATE.pack(*candidate) for candidate in each.top]
    return b"".join(parts)


def unpack(raw: bytes) -> list[Prediction]:
    """What `pack` packed. Raises ValueError for anything else."""
    try:
        (top,) = _HEAD.unpack_from(raw)
        size, rest = _PLACE.size + top * _CANDIDATE.size, raw[_HEAD.size :]
        if len(rest) % size:
            raise ValueError(f"{len(rest)} bytes are no whole number of places of {size}")
        return [_unpacked(rest[start : start + size]) for start in range(0, len(rest), size)]
    except struct.error as error:
        raise ValueError(f"these are no predictions: {error}") from error


def _unpacked(raw: bytes) -> Prediction:
    bits, rank, entropy = _PLACE.unpack_from(raw)
    return Prediction(bits, rank, entropy, tuple(_CANDIDATE.iter_unpack(raw[_PLACE.size :])))


def _spelled(tokens: Tokens, text: str, found: Prediction) -> ReadToken:
    top = tuple(Candidate(tokens.spelling(token), p) for token, p in found.top)
    return ReadToken(text, found.bits, found.rank, found.entropy, top)


def _token_json(token: ReadToken) -> dict[str, Any]:
    top = [{"text": each.text, "probability": each.probability} for each in token.top]
    return {"text": token.text, "bits": token.bits, "rank": token.rank, "entropy": token.entropy, "top": top}


def _sum(values: Iterable[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total
