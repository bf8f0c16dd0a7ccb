"""Several processes, one run: who am I, and waiting for the others. torchrun starts them."""

import os

import torch.distributed as dist
from torch import Tensor


def rank_and_world() -> tuple[int, int]:
    """This process's number and how many there are, as torchrun set them."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def barrier() -> None:
    if dist.is_initialized():
        dist.barrier()


def begin(device: str) -> str:
    """Join the other processes, if torchrun started any. Returns the device that is this process's own."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        device = f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return device


def end() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def add_up(flat: Tensor) -> None:
    """Replace `flat` by its sum over all processes."""
    if dist.is_initialized():
        dist.all_reduce(flat)
