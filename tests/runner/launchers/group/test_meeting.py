import socket
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from typedcfg.errors import RunError, RunFailed
from typedcfg.runner.failure import Preempted
from typedcfg.runner.launchers.group.address import Endpoint, free_port
from typedcfg.runner.launchers.group.meeting import Group, Invitation, gathered, invite, joined

SAME = {"code": "one"}
INVITATION = Invitation("20261121T052440.123456Z", "token", 1234)


@pytest.fixture
def group() -> Callable[..., Group]:
    """Makes the members of a group of two, or of more."""
    endpoint = Endpoint("127.0.0.1", free_port("127.0.0.1"))
    return lambda index, size=2, join_timeout_s=5.0: Group(index, size, endpoint, join_timeout_s, link_timeout_s=5.0)


def joining(group: Group, same: dict[str, str]) -> "Future[Invitation]":
    def join() -> Invitation:
        with joined(group, same) as (_, invitation):
            return invitation

    return ThreadPoolExecutor(1).submit(join)


def gather(group: Group) -> None:
    with gathered(group, SAME) as links:
        invite(links, INVITATION)


def test_all_are_invited_once_all_have_come(group: Callable[..., Group]) -> None:
    others = [joining(group(index, size=3), SAME) for index in (2, 1)]

    gather(group(0, size=3))

    assert [other.result() for other in others] == [INVITATION, INVITATION]


def test_what_differs_is_told_on_both_sides(group: Callable[..., Group]) -> None:
    other = joining(group(1), {"code": "two"})

    with pytest.raises(RunError, match="code: one in node 0, two in node 1"):
        gather(group(0))
    with pytest.raises(RunError, match="code: one in node 0, two in node 1"):
        other.result()


def test_a_number_that_is_taken_is_refused(group: Callable[..., Group]) -> None:
    owner = ThreadPoolExecutor(1).submit(gather, group(0, size=3))
    twins = [joining(group(2, size=3), SAME) for _ in range(2)]

    [refused], _ = wait(twins, return_when=FIRST_COMPLETED)
    joining(group(1, size=3), SAME).result()

    with pytest.raises(RunError, match=r"node 2, at 127\.0\.0\.1, is one too many"):
        refused.result()
    owner.result()


def test_who_does_not_come_is_named(group: Callable[..., Group]) -> None:
    with pytest.raises(RunError, match=r"node 1, 2 did not come within 0\.2 s"):
        gather(group(0, size=3, join_timeout_s=0.2))


def test_an_owner_that_is_not_there_is_named(group: Callable[..., Group]) -> None:
    with pytest.raises(RunError, match="node 0 did not answer"):
        joining(group(1, join_timeout_s=0.2), SAME).result()


def test_a_stranger_at_the_door_is_nobody(group: Callable[..., Group]) -> None:
    owner = ThreadPoolExecutor(1).submit(gather, group(0))
    with until_answered(group(0).endpoint) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")

        assert joining(group(1), SAME).result() == INVITATION

    owner.result()


def until_answered(endpoint: Endpoint) -> socket.socket:
    deadline = time.monotonic() + 5
    while True:
        try:
            return socket.create_connection(endpoint)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.01)


@pytest.mark.parametrize(("raised", "met"), [(Preempted(), Preempted), (ValueError("broke"), RunFailed)])
def test_how_the_first_one_ends_is_met_by_the_others(
    group: Callable[..., Group], raised: BaseException, met: type[BaseException]
) -> None:
    def gather_and_end() -> Any:
        with gathered(group(0), SAME):
            raise raised

    other = joining(group(1), SAME)

    with pytest.raises(type(raised)):
        gather_and_end()
    with pytest.raises(met):
        other.result()


def test_a_port_that_is_taken_is_told(group: Callable[..., Group]) -> None:
    with socket.create_server(("", group(0).endpoint.port)), pytest.raises(RunError, match="cannot wait"):
        gather(group(0))
