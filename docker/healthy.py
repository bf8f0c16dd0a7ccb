"""The health check of the images: `healthy.py api` or `healthy.py worker`; exit status 0 when all is well."""

import asyncio
import http.client
import os
import socket
import sys
from pathlib import Path

import httpx

from server.queue.server import Queue


def api(port: int = 8000) -> bool:
    """Database and Redis answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/readyz")
    return connection.getresponse().status == 200


def worker(host: str) -> bool:
    """A worker of this container has announced itself within the last seconds."""
    server = os.environ.get("XENTARENA_SERVER")
    names = lent(server) if server else asyncio.run(beside(os.environ["XENTARENA_REDIS_URL"]))
    return any(name.startswith(f"{host}-") for name in names)


def lent(server: str) -> list[str]:
    """The workers that came in by HTTP with this container's token."""
    file = os.environ.get("XENTARENA_WORKER_TOKEN_FILE")
    token = os.environ.get("XENTARENA_WORKER_TOKEN") or Path(file or "").read_text().strip()
    where = f"{server.rstrip('/')}/api/v1/worker"
    names: list[str] = httpx.get(where, headers={"Authorization": f"Bearer {token}"}, timeout=5).json()["at_work"]
    return names


async def beside(redis_url: str) -> list[str]:
    queue = Queue(redis_url, lease=1)
    try:
        return [each.id for each in await queue.workers()]
    finally:
        await queue.close()


def main(part: str) -> int:
    return 0 if (api() if part == "api" else worker(socket.gethostname())) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
