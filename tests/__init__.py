"""Tests. Judges compute in one thread here: processes of tests share the cores, and threads that wait for a core spin."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
