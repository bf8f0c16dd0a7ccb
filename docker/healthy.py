"""The health check of the images: `healthy.py api` or `healthy.py worker`; exit status 0 when all is well.

Run every few seconds, so it needs nothing but the standard library: `python -I -S healthy.py …`.
"""

import http.client
import os
import sys
import time

FRESH = 15  # seconds; a worker touches its file every two


def api() -> bool:
    """Database and Redis take what the API writes, also where `serve` runs it."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("XENTARENA_PORT") or 8000), timeout=5)
    connection.request("GET", "/readyz")
    return connection.getresponse().status == 200


def worker() -> bool:
    """The worker has told the queue of itself within the last seconds."""
    return time.time() - os.stat(os.environ["XENTARENA_HEARTBEAT"]).st_mtime < FRESH  # noqa: PTH116 quicker


def main(part: str) -> int:
    try:
        return 0 if {"api": api, "worker": worker}[part]() else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
