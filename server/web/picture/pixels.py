"""An SVG as PNG. The library that does it holds the interpreter for as long as a tenth of a second, so that everybody
else's request would wait: it works in a process of its own."""

import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

_AT_ONCE = BoundedSemaphore(2)
_SECONDS = 30
_PROGRAM = """
import sys, resvg_py
drawn, (zoom, fonts) = sys.stdin.buffer.read().decode(), sys.argv[1:]
letters = {"font_dirs": [fonts], "sans_serif_family": "Source Serif 4"} if fonts else {}
sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=drawn, skip_system_fonts=True, zoom=float(zoom), **letters))
"""


def png(drawn: str, *, zoom: int = 1, fonts: Path | None = None) -> bytes:
    """The picture in pixels, so many for each of its units. fonts: where those lie in which its texts are to be set;
    without, it has outlines only. Blocks, but lets other threads go on."""
    with _AT_ONCE:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM, str(zoom), str(fonts or "")],
            input=drawn.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    return done.stdout
