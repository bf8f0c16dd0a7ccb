"""Tests. Judges compute in one thread here: tests of several processes share the cores, and waiting threads spin."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
