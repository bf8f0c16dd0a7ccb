"""A text as the bits that it costs a judge, in bytes, and the text out of these bytes again.

The coder takes whole numbers: p → ⌊p · (2³² − V)⌋ + 1 for each of the V tokens, with what is left of 2³² added to the
likeliest. So no token is impossible, none costs more than 32 bits, and on average a token costs less than a thousandth
of a bit more than the judge says. Both ways go through the text a token at a time (`judge.stepping`), which gives the
same floats on the same build; no other build is let try. What a tokenizer does not spell stands beside as it is
(`judge.pieces`); what stands in a file: `judge.compressed_file`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from judge.arithmetic_coding import PRECISION, TOTAL, Decoder, Encoder
from judge.compressed_file import (
    MOST_BYTES,
    CompressedFile,
    Damaged,
    build_digest,
    content_digest,
    judge_digest,
)
from judge.errors import JudgeError
from judge.judge import Judge, build
from judge.pieces import Piece, cut, join

Progress = Callable[[int, int], None]  # tokens done, tokens in all


class OtherJudge(JudgeError):
    """A file of another judge, or of another build of it."""


@dataclass(frozen=True, slots=True)
class Compressed:
    """A text and what it costs, counted as it was coded.

    bits: of the content's tokens, after the description; description_bits: of the description's tokens. tokens: of
    both. beside: bytes of both that no token spells. coded: bytes of all tokens together, ⌈whole_bits / 8⌉ or one
    off. file: all that is to be kept.
    """

    file: bytes
    content_bytes: int
    tokens: int
    bits: float
    description_bits: float
    beside: int
    coded: int

    @property
    def whole_bits(self) -> float:
        return self.description_bits + self.bits


class Compressor:
    """A judge that compresses. It loads the model once more; for one thread at a time."""

    def __init__(self, judge: Judge) -> None:
        """Raises JudgeError for a judge without BOS."""
        self._judge, self._stepper = judge, judge.stepwise()
        #: what computes: a file is read on the build that wrote it
        self.build = build(self._stepper.device, "steps" if self._stepper.keeps else "steps from the beginning")

    def compress(self, content: bytes, description: str = "", *, progress: Progress | None = None) -> Compressed:
        """The file of `content`, with a description that is read before it.

        Raises JudgeError for more than 1,000,000 bytes, NotFinite where the judge gives no number."""
        pieces = [self._cut("the description", description.encode()), self._cut("the content", content)]
        first, second = map(self._in_order, pieces)
        encoder, costs = Encoder(), list[float]()
        steps, last = self._steps(), None
        for token in chain(first, second):
            ends = steps.send(last)
            start, size = _share(ends, token)
            encoder.put(start, size)
            costs.append(PRECISION - math.log2(size))
            last = token
            if progress:
                progress(len(costs), len(first) + len(second))
        coded = encoder.finish()
        file = self._file(content, pieces, coded)
        return Compressed(
            file=file.write(),
            content_bytes=len(content),
            tokens=len(costs),
            bits=math.fsum(costs[len(first) :]),
            description_bits=math.fsum(costs[: len(first)]),
            beside=len(file.beside),
            coded=len(coded),
        )

    def decompress(self, raw: bytes, *, progress: Progress | None = None) -> bytes:
        """The content of a file. Raises Damaged for what is none or was altered, OtherJudge where it was written by
        another judge or on another build."""
        file = CompressedFile.read(raw)
        self._refuse_other(file)
        decoder, ids = Decoder(file.coded), list[int]()
        steps, last = self._steps(), None
        for done in range(1, file.tokens + 1):
            ends = steps.send(last)
            last = int(torch.searchsorted(ends, min(decoder.point(), TOTAL - 1), right=True))
            decoder.take(*_share(ends, last))
            ids.append(last)
            if progress:
                progress(done, file.tokens)
        content = join(self._judge.tokens, self._pieces(file, ids)[file.before :])
        if content_digest(content) != file.content:
            raise Damaged("what comes out is not what was compressed: the file was made by something else, or altered")
        return content

    def _cut(self, what: str, data: bytes) -> list[Piece]:
        if len(data) > MOST_BYTES:
            raise JudgeError(f"{what} is {len(data):,} bytes long, {MOST_BYTES:,} are the most: cut it in parts")
        return cut(self._judge.tokens, data)

    def _in_order(self, pieces: Iterable[Piece]) -> list[int]:
        """The ids of some pieces, in the order in which the model reads."""
        ids = [token for piece in pieces if not isinstance(piece, bytes) for token in piece]
        return ids[::-1] if self._judge.direction == "backward" else ids

    def _steps(self) -> Generator[Tensor, int | None, None]:
        """Where each token's share of TOTAL ends, (V,) int64, after what is sent; None at first."""
        walk = self._stepper.begin()
        while True:
            token = yield _ends(walk.logits)
            assert token is not None
            walk.take(token)

    def _file(self, content: bytes, pieces: list[list[Piece]], coded: bytes) -> CompressedFile:
        flat = [*pieces[0], *pieces[1]]
        return CompressedFile(
            name=self._judge.name,
            dtype=self._judge.dtype,
            judge=judge_digest(self._judge.identity),
            build=build_digest(self.build),
            content=content_digest(content),
            before=len(pieces[0]),
            sizes=tuple((len(piece), not isinstance(piece, bytes)) for piece in flat),
            beside=b"".join(piece for piece in flat if isinstance(piece, bytes)),
            coded=coded,
        )

    def _refuse_other(self, file: CompressedFile) -> None:
        judge = self._judge
        if file.judge != judge_digest(judge.identity):
            raise OtherJudge(
                f"the judge that wrote this is {file.name} in {file.dtype}, identity {file.judge.hex()}…; this one"
                f" is {judge.name} in {judge.dtype}, {judge.identity[:32]}…: name the one that wrote it"
            )
        if file.build != build_digest(self.build):
            raise OtherJudge(
                "this was written on another build of the judge, whose floats are others: decompress it on a machine"
                f" with the processor and the versions that wrote it, not here ({self.build})"
            )

    def _pieces(self, file: CompressedFile, ids: list[int]) -> list[Piece]:
        """All pieces in reading order, of the ids in the order in which they were read."""
        if self._judge.direction == "backward":
            first = sum(size for size, are_tokens in file.sizes[: file.before] if are_tokens)
            ids = [*ids[:first][::-1], *ids[first:][::-1]]
        pieces: list[Piece] = []
        token = byte = 0
        for size, are_tokens in file.sizes:
            if are_tokens:
                pieces.append(ids[token : token + size])
                token += size
            else:
                pieces.append(file.beside[byte : byte + size])
                byte += size
        return pieces


def _ends(logits: Tensor) -> Tensor:
    """Where the share of each token ends among TOTAL: logits (V,) → (V,) int64, whose last is TOTAL."""
    p = torch.softmax(logits.double(), dim=0)
    sizes = (p * (TOTAL - len(p))).floor_().long() + 1
    sizes[int(logits.argmax())] += TOTAL - int(sizes.sum())
    return torch.cumsum(sizes, dim=0)


def _share(ends: Tensor, token: int) -> tuple[int, int]:
    """Where a token's share begins, and its size."""
    start = int(ends[token - 1]) if token else 0
    return start, int(ends[token]) - start
