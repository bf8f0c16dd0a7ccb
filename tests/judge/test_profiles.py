"""Which tokens are scored, and how bits are written as bytes."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.codec import BYTES_PER_TOKEN, pack_bits, unpack_bits
from judge.judge import Judge, Pair
from judge.profiles import PROFILES, scored_count, scored_tokens

FLOATS = st.floats(width=32, allow_nan=False)


@pytest.mark.parametrize(
    ("profile", "direction", "expected"),
    [
        ("arena", "forward", "abc"),
        ("arena", "backward", "abc"),
        ("xent-0.5", "forward", "bc"),
        ("xent-0.5", "backward", "ab"),
    ],
)
def test_the_token_that_nothing_stands_before_is_not_scored(profile: str, direction: str, expected: str) -> None:
    assert "abc"[scored_tokens(3, profile, direction)] == expected
    assert scored_count(3, profile) == len(expected)
    assert ""[scored_tokens(0, profile, direction)] == ""
    assert scored_count(0, profile) == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_a_judge_scores_these_tokens(profile: str, pocket: Judge) -> None:
    for text in ("", "x", "The dragon flew over the sea."):
        (bits,) = pocket.measure([Pair("castle", text, profile)])
        assert len(bits) == len(
            pocket.tokens.spelled(text)[scored_tokens(pocket.tokens.count(text), profile, "forward")]
        )


@given(st.lists(FLOATS))
def test_bits_come_back_as_they_went(bits: list[float]) -> None:
    raw = pack_bits(bits)
    assert len(raw) == BYTES_PER_TOKEN * len(bits)
    assert raw == struct.pack(f"<{len(bits)}f", *bits)
    assert unpack_bits(raw) == bits


def test_bytes_are_little_endian_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    native, bits = sys.byteorder, [1.0, 0.5]
    monkeypatch.setattr(sys, "byteorder", "little" if native == "big" else "big")
    assert unpack_bits(pack_bits(bits)) == bits
    assert pack_bits(bits) == struct.pack(">2f" if native == "little" else "<2f", *bits)


def test_half_a_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="multiple"):
        unpack_bits(b"\0" * 6)
