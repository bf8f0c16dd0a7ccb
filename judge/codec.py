"""Bits as bytes, as they travel and are kept: float32, little-endian, one after the other."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

BYTES_PER_TOKEN = 4


def pack_bits(bits: Sequence[float]) -> bytes:
    """Bits, rounded to float32 where they are none, to bytes. Raises OverflowError for what float32 cannot hold."""
    return _little_endian(array("f", bits)).tobytes()


def unpack_bits(raw: bytes) -> list[float]:
    """What `pack_bits` packed. Raises ValueError for bytes that are no whole number of values."""
    values = array("f")
    values.frombytes(raw)
    return _little_endian(values).tolist()


def _little_endian(values: array[float]) -> array[float]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
