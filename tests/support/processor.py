"""What this machine's processor can do, as it says itself."""

from pathlib import Path


def flags() -> set[str]:
    return set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())


def packs(dtype: str) -> bool:
    """Can PyTorch multiply by packed matrices of this dtype here? In bfloat16 that takes AVX-512 at least."""
    return dtype == "float32" or flags() >= {"avx512bw", "avx512vl", "avx512dq"}
