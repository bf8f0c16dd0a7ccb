"""Addresses of this machine: a host with a port, and by which one others reach it."""

import ipaddress
import socket
from dataclasses import dataclass

ANYWHERE = frozenset({"0.0.0.0", "::", "*", ""})  # noqa: S104


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or number, IPv6 without brackets) and a port."""

    host: str
    port: int

    @property
    def anywhere(self) -> bool:
        return self.host in ANYWHERE

    @property
    def for_others(self) -> "Address":
        """This one, or where it means every address of this machine, the one that others can reach."""
        return Address(lan_address(), self.port) if self.anywhere else self

    @property
    def for_this_machine(self) -> "Address":
        return Address("127.0.0.1", self.port) if self.anywhere else self

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def lan_address() -> str:
    """This machine's address in the network that its traffic leaves by; 127.0.0.1 where there is none."""
    # Connecting a datagram socket sends nothing, but chooses the way out.
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                found: str = probe.getsockname()[0]
        except OSError:
            continue
        if not ipaddress.ip_address(found).is_unspecified:
            return found
    return "127.0.0.1"
