"""Experiments of the lab that take several readings: which ones each takes, and their bytes.

    passages    many texts after a prefix, and after another one or none: what the prefix tells of such texts
    answers     a question and the answers that are allowed, and these where nothing is asked
    pairs       two sentences alone; whether each is true, yes or no; which of both is, in either order

Needs no PyTorch: a process without a model knows from the question what was read, and unpacks what a worker packed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from judge import reading
from judge.reading import Prediction
from judge.replies import A_B, ALONE, BOTH, NOTHING, TEMPLATE, YES_NO, filled

PASSAGES, ANSWERS, PAIRS = "passages", "answers", "pairs"
KINDS = (PASSAGES, ANSWERS, PAIRS)
_LENGTH = struct.Struct("<I")

Read = tuple[str, str]  # a prefix and a text


def readings(kind: str, question: Mapping[str, Any]) -> list[Read]:
    """What is read for a question, in this order. Raises KeyError for no such kind."""
    made: dict[str, Callable[..., list[Read]]] = {PASSAGES: _passages, ANSWERS: _answers, PAIRS: _pairs}
    return made[kind](**question)


def _passages(prefix: str, other: str, texts: Sequence[str]) -> list[Read]:
    return [(before, text) for before in (prefix, other) for text in texts]


def _answers(question: str, answers: Sequence[str]) -> list[Read]:
    return [read for asked in (question, *NOTHING) for read in _asked(asked, answers)]


def _pairs(first: str, second: str) -> list[Read]:
    found = [("", first), ("", second)]
    found += [read for sentence in (first, second) for read in _asked(ALONE.format(sentence), YES_NO)]
    orders = ((first, second), (second, first))
    return found + [read for order in orders for read in _asked(BOTH.format(*order), A_B)]


def _asked(question: str, answers: Sequence[str]) -> list[Read]:
    return [(filled(TEMPLATE, question), f" {answer}") for answer in answers]


def pack(found: Sequence[Sequence[Prediction]]) -> bytes:
    """Readings as bytes, each behind how many it has."""
    packed = [reading.pack(each) for each in found]
    return b"".join(part for each in packed for part in (_LENGTH.pack(len(each)), each))


def unpack(raw: bytes) -> list[list[Prediction]]:
    """What `pack` packed. Raises ValueError for anything else."""
    found, at = list[list[Prediction]](), 0
    while at < len(raw):
        if at + _LENGTH.size > len(raw):
            raise ValueError("these are no readings: they end within a length")
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + length > len(raw):
            raise ValueError(f"these are no readings: {length} bytes do not fit in {len(raw) - at}")
        found.append(reading.unpack(raw[at : at + length]))
        at += length
    return found
