import socket
import sys

import pytest

from typedcfg.runner.launchers.group.address import Endpoint, free_port, interface_of


def test_an_endpoint_reads_as_it_is_written() -> None:
    assert str(Endpoint.parse("node0:29400")) == "node0:29400"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked")
def test_an_address_has_its_interface() -> None:
    assert interface_of("127.0.0.1") == "lo"
    assert interface_of("192.0.2.1") is None


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port("127.0.0.1"))) as server:
        assert server.getsockname()[1] > 0
