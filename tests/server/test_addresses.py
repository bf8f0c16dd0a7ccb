"""Where a server listens, and what it tells others."""

import socket
from contextlib import closing

import pytest

from server.addresses import Address, lan_address
from server.errors import CommandError
from server.launch.addresses import listen


def test_a_port_is_held_from_the_moment_it_is_listened_on() -> None:
    with closing(listen(Address("127.0.0.1", 0))) as first:
        port = first.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} is in use"):
            listen(Address("127.0.0.1", port))
    with closing(listen(Address("127.0.0.1", port))):  # and is free again at once
        pass


def test_a_port_that_others_hold_on_every_address_is_in_use() -> None:
    with closing(listen(Address("0.0.0.0", 0))) as first, pytest.raises(CommandError, match="in use"):
        listen(Address("127.0.0.1", first.getsockname()[1]))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_this_machine_is_a_fault(host: str) -> None:
    with pytest.raises(CommandError, match=f"cannot listen on {host}:8000"):
        listen(Address(host, 8000))


def test_others_are_told_an_address_that_reaches_this_machine() -> None:
    told = Address("0.0.0.0", 8000).for_others
    assert told == Address(lan_address(), 8000)
    assert not told.anywhere
    socket.inet_pton(socket.AF_INET6 if ":" in told.host else socket.AF_INET, told.host)
    assert Address("127.0.0.1", 8000).for_others == Address("127.0.0.1", 8000)


def test_addresses_are_written_as_people_write_them() -> None:
    assert [str(Address(host, 6380)) for host in ("10.0.0.1", "::1")] == ["10.0.0.1:6380", "[::1]:6380"]
