"""Running out of memory, which is the machine's fault and never the texts': less at once may still do."""

from __future__ import annotations

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Does the error say that there is too little memory? PyTorch's allocator for CPUs has no class of its own."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
