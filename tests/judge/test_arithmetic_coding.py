"""The coder alone, against the same sums in integers of any length and against the bits that must come out."""

import math
from random import Random

import pytest

from judge.arithmetic_coding import TOTAL, Decoder, Encoder

Symbol = tuple[int, int]  # where its share begins, and its size


def _alphabet(draw: Random, kind: str) -> list[Symbol]:
    """Shares that fill TOTAL: even, drawn, or one that has all but what the others must have."""
    count = draw.choice([2, 3, 50])
    match kind:
        case "even":
            ends = [TOTAL * each // count for each in range(1, count + 1)]
        case "drawn":
            ends = [*sorted(draw.sample(range(1, TOTAL), count - 1)), TOTAL]
        case _:
            ends = [*range(1, count // 2 + 1), *range(TOTAL - (count - 1 - count // 2), TOTAL + 1)]
    return [(start, end - start) for start, end in zip([0, *ends], ends, strict=False)]


def _coded(symbols: list[Symbol]) -> bytes:
    encoder = Encoder()
    for symbol in symbols:
        encoder.put(*symbol)
    return encoder.finish()


def _interval(symbols: list[Symbol]) -> tuple[int, int, int]:
    """The same interval in integers that grow: low, width, and the bytes that stand before their 64 bits. No carry, no
    byte that leaves."""
    low, width, shifted = 0, 2**64, 0
    for start, size in symbols:
        unit = width // TOTAL
        low, width = low + start * unit, size * unit
        while width < 2**56:
            low, width, shifted = low * 256, width * 256, shifted + 1
    return low, width, shifted


@pytest.mark.parametrize("kind", ["even", "drawn", "one has nearly all"])
def test_what_was_coded_comes_out_and_lies_where_exact_sums_say(kind: str) -> None:
    draw = Random(f"coder {kind}")
    for length in (0, 1, 2, 7, 300):
        alphabet = _alphabet(draw, kind)
        for weights in (None, [size for _, size in alphabet]):
            symbols = draw.choices(alphabet, weights, k=length)
            raw = _coded(symbols)
            decoder, found = Decoder(raw), []
            for _ in symbols:
                point = decoder.point()
                found.append(next(each for each in alphabet if each[0] <= point < sum(each)))
                decoder.take(*found[-1])
            assert found == symbols
            low, width, shifted = _interval(symbols)
            said = int.from_bytes(raw) * 256 ** max(0, 8 + shifted - len(raw))
            assert len(raw) <= 8 + shifted
            assert low <= said < low + width
            bits = sum(32 - math.log2(size) for _, size in symbols)
            assert len(raw) <= math.ceil(bits / 8) + 1, "one more at most; fewer where the interval has a round number"


def test_a_carry_runs_through_bytes_that_are_full() -> None:
    """Below the middle by a hair for 40 bytes, then above it: all these bytes have to change."""
    for hair in (1, 2, 3):
        almost = [(TOTAL // 2 - 1, 2), *[(TOTAL // 2 - hair, 2 * hair)] * 10]
        for last in ((0, 1), (TOTAL - 1, 1)):
            symbols = [*almost, last]
            low, width, shifted = _interval(symbols)
            raw = _coded(symbols)
            said = int.from_bytes(raw) * 256 ** (8 + shifted - len(raw))
            assert low <= said < low + width
