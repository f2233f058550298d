"""Where a group meets, and by which of a machine's networks its members reach one another."""

import fcntl
import socket
import struct
import sys
from typing import Final, NamedTuple, Self

_SIOCGIFADDR: Final = 0x8915  # linux/sockios.h
_ADDRESS_IN_ANSWER: Final = slice(20, 24)  # struct ifreq: a name of 16 bytes, then a sockaddr_in


class Endpoint(NamedTuple):
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """As users write it."""
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The endpoint that a text names.

        Example:
            >>> Endpoint.parse("node0:29400")
            Endpoint(host='node0', port=29400)
        """
        host, _, port = text.rpartition(":")
        return cls(host, int(port))


def interface_of(address: str) -> str | None:
    """The network interface that has an IPv4 address; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asked.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()))
            except OSError:  # it has no address
                continue
            if socket.inet_ntoa(answer[_ADDRESS_IN_ANSWER]) == address:
                return name
    return None


def free_port(address: str) -> int:
    """A port that nobody listens on at one of this machine's addresses."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
