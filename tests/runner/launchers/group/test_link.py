import socket
from collections.abc import Iterator
from typing import Any

import pytest

from typedcfg.runner.launchers.group.link import Link, LinkLost, pause


@pytest.fixture
def pair() -> Iterator[tuple[Link, socket.socket]]:
    """A link, and the bare other end of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        other = socket.create_connection(server.getsockname())
        connection, _ = server.accept()
    link = Link(connection, to="node 1", timeout_s=0.3)
    yield link, other
    link.close()
    other.close()


def heard(link: Link, number: int) -> list[dict[str, Any]]:
    """So many messages, waited for."""
    messages: list[dict[str, Any]] = []
    while len(messages) < number:
        messages += link.hear()
        pause([link])
    return messages


def test_messages_are_heard_whole_however_they_come(pair: tuple[Link, socket.socket]) -> None:
    link, other = pair

    other.sendall(b'{"a": 1}\n{"b"')
    first = heard(link, 1)
    other.sendall(b': 2}\n{}\n{"c": 3}\n')

    assert (first, heard(link, 2)) == ([{"a": 1}], [{"b": 2}, {"c": 3}])


def test_what_was_said_before_the_end_is_heard(pair: tuple[Link, socket.socket]) -> None:
    link, other = pair

    other.sendall(b'{"ended": 0}\n')
    other.close()

    assert heard(link, 1) == [{"ended": 0}]
    with pytest.raises(LinkLost, match="node 1 ended"):
        heard(link, 1)


def test_silence_is_the_end_of_a_link(pair: tuple[Link, socket.socket]) -> None:
    with pytest.raises(LinkLost, match=r"node 1 was not heard for 0\.3 s"):
        heard(pair[0], 1)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n", b"[1]\n", b"\xff\n"])
def test_a_stranger_is_told_from_a_member(pair: tuple[Link, socket.socket], said: bytes) -> None:
    link, other = pair

    other.sendall(said)

    with pytest.raises(LinkLost, match="speaks of something else"):
        heard(link, 1)
