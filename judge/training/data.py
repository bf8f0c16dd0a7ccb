"""From text files to training windows: reading, the tokenizer, the token stream, windows by number.

Which window comes when is a pure function of (seed, position), so a resumed run sees what an uninterrupted one
would have seen and no state of a random generator has to be kept.
"""

import fnmatch
import gzip
import json
import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from judge.training.model import BOS

HELD_OUT_EVERY = 50
"""Without a held-out file, one document in this many is kept for evaluation (texts are cut up for it)."""
DOCUMENT_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Document:
    source: str
    text: str


def read_documents(paths: Sequence[Path]) -> list[Document]:
    """All documents of the files and folders, in order of name.

    `.jsonl` (also `.xz`, `.gz`) has one object a line with `text` and perhaps `source`; any other file is one
    UTF-8 text whose source is its name. Raises ValueError where nothing is found, and for what is no text.
    """
    documents = [document for path in paths for file in _files(path) for document in _read(file)]
    if not documents:
        raise ValueError(f"no text in {', '.join(str(path) for path in paths)}")
    return documents


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _read(file: Path) -> Iterator[Document]:
    name = file.name.removesuffix(".xz").removesuffix(".gz")
    text = _text_of(file)
    if not name.endswith(".jsonl"):
        yield Document(file.name, text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
                yield Document(str(row.get("source", file.name)), str(row["text"]))
            except (AttributeError, KeyError, ValueError) as error:
                raise ValueError(f"{file}, line {number}: no object with a text") from error


def _text_of(file: Path) -> str:
    opened = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(file.suffix, bytes)
    try:
        return opened(file.read_bytes()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8, at byte {error.start + 1}: is it a text?") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ValueError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error


def split_held_out(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """Training and held-out documents: long texts are cut at about DOCUMENT_CHARS, every fiftieth piece is kept
    back. A small corpus keeps back one piece in all."""
    size = min(DOCUMENT_CHARS, max(200, sum(len(document.text) for document in documents) // HELD_OUT_EVERY))
    pieces = [
        Document(document.source, document.text[start : start + size])
        for document in documents
        for start in range(0, len(document.text), size)
    ]
    held_out = pieces[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY] or pieces[-1:]
    kept = {id(piece) for piece in held_out}
    return [piece for piece in pieces if id(piece) not in kept], held_out


def weigh(source: str, weights: dict[str, int]) -> int:
    """How many times a document of `source` is read per epoch: that of the first pattern that fits, else 1."""
    return next((times for pattern, times in weights.items() if fnmatch.fnmatchcase(source, pattern)), 1)


def train_tokenizer(documents: Sequence[Document], weights: dict[str, int], vocab: int) -> Tokenizer:
    """Byte-level BPE: every byte has a token, so any text has a spelling and no text is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[BOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (document.text for document in documents for _ in range(weigh(document.source, weights))), trainer
    )
    return tokenizer


def encode(tokenizer: Tokenizer, documents: Sequence[Document], backward: bool) -> list[Tensor]:
    """Token ids of each document, int32, reversed for a judge that reads backward."""
    encoded = [tokenizer.encode(document.text, add_special_tokens=False).ids for document in documents]
    return [torch.tensor(ids[::-1] if backward else ids, dtype=torch.int32) for ids in encoded]


def build_stream(encoded: Sequence[Tensor], times: Sequence[int], seed: int) -> Tensor:
    """One epoch as one line of int32 tokens: every document `times` over, BOS before each, shuffled."""
    order = [index for index, repeats in enumerate(times) for _ in range(repeats)]
    random.Random(seed).shuffle(order)  # noqa: S311 - a reproducible order, not a secret
    bos = torch.zeros(1, dtype=torch.int32)
    return torch.cat([bos[:0], *(piece for index in order for piece in (bos, encoded[index]))])


def windows(stream: Tensor, position: int, rows: int, columns: int, seed: int, bos_share: float) -> Tensor:
    """The `rows` windows that come after `position` training tokens: (rows, columns + 1), int64.

    An epoch is cut into windows from a random offset on and shuffled. A share `bos_share` of the windows has its
    first token replaced by BOS, as the judge will be asked; the others start in the middle of a text.
    """
    per_epoch = (len(stream) - columns - 1) // columns
    if per_epoch < 1:
        raise ValueError(f"the text has {len(stream)} tokens: too few for one window of {columns}")
    first = position // columns
    taken: list[Tensor] = []
    while len(taken) < rows:
        epoch, number = divmod(first + len(taken), per_epoch)
        order, offset = _epoch_order(per_epoch, columns, seed * 1000 + epoch)
        for index in order[number : number + rows - len(taken)].tolist():
            start = offset + index * columns
            taken.append(stream[start : start + columns + 1])
    batch = torch.stack(taken).long()
    chance = torch.Generator().manual_seed(seed * 1_000_003 + first)
    batch[torch.rand(rows, generator=chance) < bos_share, 0] = 0
    return batch


_orders: dict[tuple[int, int, int], tuple[Tensor, int]] = {}


def _epoch_order(per_epoch: int, columns: int, seed: int) -> tuple[Tensor, int]:
    key = (per_epoch, columns, seed)
    if key not in _orders:
        if len(_orders) > 3:  # of two streams this epoch and the last: a permutation is large
            _orders.clear()
        generator = torch.Generator().manual_seed(seed)
        offset = int(torch.randint(columns, (1,), generator=generator))
        _orders[key] = (torch.randperm(per_epoch, generator=generator), offset)
    return _orders[key]


def replace(path: Path, thing: object) -> None:
    """Save so that an interruption leaves the old file or the new one, never half of either."""
    temporary = path.with_suffix(".tmp")
    torch.save(thing, temporary)
    temporary.replace(path)
