"""The file of a compressed text, read and written. Needs no PyTorch.

    magic      4 bytes   XENT
    version    1 byte    1
    dtype      1 byte    what the judge computes in: 0 float32, 1 bfloat16
    judge     16 bytes   the first of its identity
    build      8 bytes   the first of the SHA-256 of what computes, in words
    content   16 bytes   the first of the SHA-256 of what comes out
    name       n, then n bytes of UTF-8: what the judge is called
    before     n: how many pieces are a description, read before the content and none of it
    pieces     n, then for each 2 · tokens, or 2 · bytes + 1
    beside     the bytes of those pieces that are bytes
    coded      n, then n bytes: the tokens of all pieces
    check      4 bytes   CRC-32 of all that stands before, the highest byte first

Each n is a number in groups of 7 bits, the lowest first; a byte of 128 and more says that another follows.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from judge.errors import JudgeError

MAGIC, VERSION = b"XENT", 1
DTYPE_NAMES = ("float32", "bfloat16")
MOST_BYTES = 1_000_000  # of a content, and of a description
_JUDGE, _BUILD, _CONTENT, _CHECK = 16, 8, 16, 4

Size = tuple[int, bool]  # of a piece: how many, and are they tokens?


class Damaged(JudgeError):
    """What was given is no compressed file, or not all of one, or it was altered."""


@dataclass(frozen=True, slots=True)
class CompressedFile:
    """All that stands in the file. judge, build, content: digests, as long as there is room for them."""

    name: str
    dtype: str
    judge: bytes
    build: bytes
    content: bytes
    before: int
    sizes: tuple[Size, ...]
    beside: bytes
    coded: bytes

    @property
    def tokens(self) -> int:
        """How many are coded."""
        return sum(size for size, are_tokens in self.sizes if are_tokens)

    def write(self) -> bytes:
        name = self.name.encode()
        parts = [MAGIC, bytes([VERSION, DTYPE_NAMES.index(self.dtype)]), self.judge, self.build, self.content]
        parts += [_number(len(name)), name, _number(self.before), _number(len(self.sizes))]
        parts += [_number(2 * size + (not are_tokens)) for size, are_tokens in self.sizes]
        parts += [self.beside, _number(len(self.coded)), self.coded]
        whole = b"".join(parts)
        return whole + _check(whole)

    @classmethod
    def read(cls, raw: bytes) -> CompressedFile:
        """Raises Damaged for anything but what `write` wrote."""
        if not raw.startswith(MAGIC):
            raise Damaged("this is no file that `compress` wrote: it does not begin as one")
        if len(raw) > len(MAGIC) and raw[len(MAGIC)] != VERSION:
            raise Damaged(
                f"this file is of format {raw[len(MAGIC)]}, and format {VERSION} is read here: take another version"
            )
        whole, check = raw[:-_CHECK], raw[-_CHECK:]
        if len(raw) < len(MAGIC) + 1 + _CHECK or _check(whole) != check:
            raise Damaged("this file is cut or was altered: its checksum is another; get it anew")
        try:
            return _parsed(_Bytes(whole, len(MAGIC) + 1))
        except (IndexError, ValueError) as error:
            raise Damaged(f"this file says nothing that can be: {error}") from error


def judge_digest(identity: str) -> bytes:
    """As much of a judge's identity as the file has room for."""
    return bytes.fromhex(identity)[:_JUDGE]


def build_digest(build: str) -> bytes:
    """The same of what computes."""
    return hashlib.sha256(build.encode()).digest()[:_BUILD]


def content_digest(content: bytes) -> bytes:
    """The same of what comes out."""
    return hashlib.sha256(content).digest()[:_CONTENT]


def _parsed(left: _Bytes) -> CompressedFile:
    dtype = DTYPE_NAMES[left.take(1)[0]]
    judge, build, content = left.take(_JUDGE), left.take(_BUILD), left.take(_CONTENT)
    name = left.take(left.number()).decode()
    before = left.number()
    sizes = tuple(_sizes(left))
    beside = left.take(sum(size for size, are_tokens in sizes if not are_tokens))
    coded = left.take(left.number())
    if left.rest() or before > len(sizes):
        raise ValueError("its lengths do not fit together")
    return CompressedFile(name, dtype, judge, build, content, before, sizes, beside, coded)


def _sizes(left: _Bytes) -> Iterator[Size]:
    room = 2 * MOST_BYTES
    for _ in range(left.number()):
        size, are_bytes = divmod(left.number(), 2)
        room -= size
        if room < 0:
            raise ValueError("it is longer than any text that is compressed")
        yield size, not are_bytes


class _Bytes:
    """Bytes that are read once, from left to right."""

    def __init__(self, raw: bytes, start: int) -> None:
        self._raw, self._at = raw, start

    def take(self, count: int) -> bytes:
        found = self._raw[self._at : self._at + count]
        if len(found) < count:
            raise ValueError("it ends too early")
        self._at += count
        return found

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def rest(self) -> bytes:
        return self._raw[self._at :]


def _number(value: int) -> bytes:
    found = bytearray()
    while value >= 128:
        found.append(value % 128 + 128)
        value //= 128
    return bytes([*found, value])


def _check(raw: bytes) -> bytes:
    return zlib.crc32(raw).to_bytes(_CHECK)
