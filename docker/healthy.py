"""The health check of the images: `healthy.py api` or `healthy.py worker`; exit status 0 when all is well."""

import asyncio
import http.client
import os
import socket
import sys

from server.queue.server import Queue


def api(port: int = 8000) -> bool:
    """Database and Redis answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/readyz")
    return connection.getresponse().status == 200


def worker(redis_url: str, host: str) -> bool:
    """A worker of this container has announced itself within the last seconds."""

    async def names() -> list[str]:
        queue = Queue(redis_url, lease=1)
        try:
            return [each.id for each in await queue.workers()]
        finally:
            await queue.close()

    return any(name.startswith(f"{host}-") for name in asyncio.run(names()))


def main(part: str) -> int:
    well = api() if part == "api" else worker(os.environ["XENTARENA_REDIS_URL"], socket.gethostname())
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
