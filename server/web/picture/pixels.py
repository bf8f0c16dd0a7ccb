"""An SVG as PNG. The library that does it holds the interpreter for as long as a tenth of a second, so that everybody
else's request would wait: it works in a process of its own."""

import subprocess
import sys
from threading import BoundedSemaphore

_AT_ONCE = BoundedSemaphore(2)
_SECONDS = 30
_PROGRAM = """
import sys, resvg_py
drawn = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=drawn, skip_system_fonts=True))
"""


def png(drawn: str) -> bytes:
    """The picture in pixels. Blocks, but lets other threads go on."""
    with _AT_ONCE:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM],
            input=drawn.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    return done.stdout
