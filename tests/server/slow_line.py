"""A line to a server on which every byte takes its time, as it does between two networks."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue


@contextmanager
def slow_line(port: int, delay: float) -> Iterator[int]:
    """Opens a port of this machine that leads to `port`; bytes take `delay` seconds each way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port, delay), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, port: int, delay: float) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, target in ((near, far), (far, near)):
                target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                parcels: Queue[tuple[float, bytes]] = Queue()
                threading.Thread(target=_receive, args=(source, parcels, delay), daemon=True).start()
                threading.Thread(target=_deliver, args=(target, parcels), daemon=True).start()


def _receive(source: socket.socket, parcels: Queue[tuple[float, bytes]], delay: float) -> None:
    data = b"begin"
    with suppress(OSError):
        while data:
            data = source.recv(65_536)
            parcels.put((time.monotonic() + delay, data))
    parcels.put((0, b""))


def _deliver(target: socket.socket, parcels: Queue[tuple[float, bytes]]) -> None:
    with suppress(OSError), target:
        while (parcel := parcels.get())[1]:
            time.sleep(max(0.0, parcel[0] - time.monotonic()))
            target.sendall(parcel[1])
