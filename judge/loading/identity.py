"""Who a judge is: one digest of everything that its bits depend on, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path

from judge.errors import JudgeError
from judge.loading.source import Source

# Written by tools, read by none: the same model saved by a newer version is the same judge.
VOLATILE = {"_name_or_path", "transformers_version"}


def identity(source: Source, *, bos: int | None, dtype: str, device_kind: str) -> str:
    """Hex SHA-256 of weights, tokenizer, config, BOS, direction and compute dtype.

    The device kind (`cpu`, `cuda`) is part of it for every dtype but float32: float32 builds may mix,
    narrower ones differ too much. File times, the folder's place, sharding and the order of keys are not.
    """
    parts = {
        "weights": weights_digest(source.weights()),
        "tokenizer": hashlib.sha256(source.tokenizer_json.encode()).hexdigest(),
        "config": {key: value for key, value in source.config.items() if key not in VOLATILE},
        "bos": bos,
        "direction": source.direction,
        "dtype": dtype,
        "device": None if dtype == "float32" else device_kind,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def weights_digest(files: list[Path]) -> str:
    """Hex SHA-256 of every tensor's name, dtype, shape and bytes, in name order, however they are sharded."""
    tensors: dict[str, str] = {}
    for file in files:
        tensors.update(_tensor_digests(file))
    return hashlib.sha256(json.dumps(tensors, sort_keys=True).encode()).hexdigest()


def _tensor_digests(file: Path) -> dict[str, str]:
    """Each tensor's digest, read off the safetensors format itself: a length, a JSON header, bytes.

    https://github.com/huggingface/safetensors#format
    """
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            start = 8 + int.from_bytes(content[:8], "little")
            header = json.loads(content[8:start])
            header.pop("__metadata__", None)
            return {name: _tensor_digest(content, start, entry) for name, entry in header.items()}
    except (OSError, ValueError, KeyError) as error:
        raise JudgeError(f"{file} is not a safetensors file: {error}") from error


def _tensor_digest(content: mmap.mmap, start: int, entry: dict[str, list[int]]) -> str:
    first, last = entry["data_offsets"]
    digest = hashlib.sha256(f"{entry['dtype']} {entry['shape']} ".encode())
    with memoryview(content) as view, view[start + first : start + last] as data:
        digest.update(data)
    return digest.hexdigest()
