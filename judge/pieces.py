"""Bytes as pieces that a tokenizer spells without loss, and as bytes where it does not. Needs no PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from judge.loading.tokenizer import Tokens

SHORT = 16  # characters: less text among bytes that are none is not worth a piece of its own

Piece = list[int] | bytes  # ids, or bytes as they are

# Bytes that are no UTF-8 come out of Python's decoder as halves of surrogates.
_RUNS = re.compile("[\udc80-\udcff]+|[^\udc80-\udcff]+")


def cut(tokens: Tokens, data: bytes) -> list[Piece]:
    """The pieces of `data`, in order: one where it is text that the tokenizer spells, none where it is empty."""
    pieces: list[Piece] = []
    for piece in _pieces(tokens, data):
        if isinstance(piece, bytes) and pieces and isinstance(pieces[-1], bytes):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def join(tokens: Tokens, pieces: Sequence[Piece]) -> bytes:
    """The bytes that pieces stand for."""
    return b"".join(piece if isinstance(piece, bytes) else tokens.text(piece).encode() for piece in pieces)


def _pieces(tokens: Tokens, data: bytes) -> Iterator[Piece]:
    runs = _RUNS.findall(data.decode(errors="surrogateescape"))
    for run in runs:
        if "\udc80" <= run[0] <= "\udcff" or (len(runs) > 1 and len(run) < SHORT):
            yield run.encode(errors="surrogateescape")
        else:
            yield from _spelled(tokens, run)


def _spelled(tokens: Tokens, text: str) -> Iterator[Piece]:
    """The whole text as ids where they say it; else its halves, cut at a space where there is one."""
    ids = tokens.ids(text)
    if ids and tokens.text(ids) == text:
        yield ids
    elif len(text) < SHORT:
        yield text.encode()
    else:
        middle = text.rfind(" ", 1, len(text) // 2)
        middle = middle if middle > 0 else len(text) // 2
        yield from _spelled(tokens, text[:middle])
        yield from _spelled(tokens, text[middle:])
