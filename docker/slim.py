"""Takes out of an installed PyTorch what only those need who build on it: headers, tests, tools. For the images."""

import shutil
import sysconfig
from pathlib import Path

HERE = Path(sysconfig.get_paths()["purelib"])

for name in ("torch/include", "torch/share", "torch/test", "caffe2"):
    shutil.rmtree(HERE / name, ignore_errors=True)
for pattern in ("torch/lib/*.a",):
    for file in HERE.glob(pattern):
        file.unlink()
for folder in ("numpy", "scipy", "sympy", "mpmath", "networkx"):
    for tests in (HERE / folder).rglob("tests"):
        shutil.rmtree(tests, ignore_errors=True)
