"""Arithmetic coding: what is foreseen with probability size / 2³² takes 32 − log₂ size bits, over all symbols at once.

Of the interval [low, low + width) each symbol keeps its share, counted in units of width / 2³², rounded down. Of low
and width 64 bits are at hand; those that are settled leave as bytes, and a carry runs back into what has left. A width
never falls below 2⁵⁶, so that rounding costs less than a ten millionth of a bit a symbol. Standard library only.

Witten, Neal, Cleary 1987; bytes and carries as in Martin 1979.
"""

from __future__ import annotations

PRECISION = 32
TOTAL = 1 << PRECISION  # what the sizes of all symbols at a place add up to
_WORD, _BYTE = 64, 8
_FULL, _LEAST = 1 << _WORD, 1 << (_WORD - _BYTE)


class Encoder:
    """Symbols in, bytes out."""

    def __init__(self) -> None:
        self._low, self._width = 0, _FULL
        self._out = bytearray()

    def put(self, start: int, size: int) -> None:
        """The symbol whose share is [start, start + size) of TOTAL; size at least 1."""
        unit = self._width >> PRECISION
        self._low += start * unit
        self._width = size * unit
        self._carry()
        while self._width < _LEAST:
            self._shift()
            self._width <<= _BYTE

    def finish(self) -> bytes:
        """All bytes: the shortest that lie in the interval, whatever zeros stand behind them."""
        for kept in range(_WORD // _BYTE + 1):
            step = 1 << (_WORD - _BYTE * kept)
            value = -(-self._low // step) * step
            if value < self._low + self._width:
                self._low = value
                self._carry()
                for _ in range(kept):
                    self._shift()
                break
        return bytes(self._out)

    def _carry(self) -> None:
        if self._low < _FULL:
            return
        self._low -= _FULL
        place = len(self._out) - 1
        while self._out[place] == 255:
            self._out[place] = 0
            place -= 1
        self._out[place] += 1

    def _shift(self) -> None:
        self._out.append(self._low >> (_WORD - _BYTE))
        self._low = (self._low << _BYTE) % _FULL


class Decoder:
    """Bytes in, symbols out: whoever asks says where the symbol lies that the bytes point at."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._next = raw, 0
        self._above, self._width = 0, _FULL  # how far the bytes are above the interval's low end
        for _ in range(_WORD // _BYTE):
            self._pull()

    def point(self) -> int:
        """Where among TOTAL the next symbol's share lies. Not below TOTAL: these bytes were not made so."""
        return self._above // (self._width >> PRECISION)

    def take(self, start: int, size: int) -> None:
        """The symbol was the one with this share: go on to the next."""
        unit = self._width >> PRECISION
        self._above -= start * unit
        self._width = size * unit
        while self._width < _LEAST:
            self._pull()
            self._width <<= _BYTE

    def _pull(self) -> None:
        byte = self._raw[self._next] if self._next < len(self._raw) else 0
        self._next += 1
        self._above = (self._above << _BYTE) | byte
