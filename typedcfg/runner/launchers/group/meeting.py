"""How the members of a group meet: the first waits at an endpoint, the others come there.

They meet anew for each attempt, over the network and not by a file: what an earlier attempt left behind cannot be taken
for an invitation, and whoever came with other code or another configuration is told so, whose folder would be another.
"""

import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from typedcfg.errors import Problem, RunError, RunFailed
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED, Preempted, exit_code_of
from typedcfg.runner.launchers.group.address import Endpoint
from typedcfg.runner.launchers.group.link import Link, LinkLost, pause

OVER: Final = "over"
"""The first member's last word: the exit code of all."""
WHY: Final = "why"
"""Beside it: what went wrong; nothing where nothing did."""
_JOINS: Final = "joins"
_SAME: Final = "same"
_ATTEMPT: Final = "attempt"
_RETRY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """Which member of which group this process is."""

    index: int
    """0 for the first, which owns the run."""
    size: int
    endpoint: Endpoint
    """Where the first one waits."""
    join_timeout_s: float
    link_timeout_s: float
    noun: str = "node"
    """What a member is, for messages."""


class Invitation(NamedTuple):
    """What the first member tells the others to take part in."""

    attempt: str
    """The name of the attempt's folder."""
    token: str
    """Of this attempt alone: processes of another one cannot come between."""
    port: int
    """Where, on the first member's machine, the ranks find one another."""


@contextmanager
def gathered(group: Group, same: Mapping[str, str]) -> Iterator[dict[int, Link]]:
    """For the first member: the links to all others. At the end of the block they are told how it ended, if badly.

    Args:
        group: The group.
        same: What has to be the same for all, by its name.

    Raises:
        RunError: Somebody did not come, or is not the same.
    """
    links: dict[int, Link] = {}
    try:
        with _opened(group) as server:
            _gather(group, same, server, links)
        yield links
    except BaseException as error:
        dismiss(links, exit_code_of(error), str(error))
        raise
    finally:
        for link in links.values():
            link.close()


def dismiss(links: Mapping[int, Link], code: int, why: str = "") -> None:
    """Tell all how it ends."""
    for link in links.values():
        with suppress(LinkLost):  # who is gone needs not be told
            link.say({OVER: code, WHY: why})


@contextmanager
def joined(group: Group, same: Mapping[str, str]) -> Iterator[tuple[Link, Invitation]]:
    """For every other member: the link to the first one, and what it invites to.

    Raises:
        RunError: The first one did not answer, or refuses.
        RunFailed: It ended.
        Preempted: It was asked to stop.
    """
    link = Link(_connected(group), to=f"{group.noun} 0", timeout_s=group.link_timeout_s)
    try:
        link.say({_JOINS: group.index, _SAME: dict(same)})
        while not (messages := link.hear()):
            pause([link])
        [message, *_] = messages
        if OVER in message:
            raise_for(message)
        yield link, Invitation(*message[_ATTEMPT])
    except LinkLost as error:
        raise lost(error) from error
    finally:
        link.close()


def invite(links: Mapping[int, Link], invitation: Invitation) -> None:
    """Invite all others.

    Raises:
        LinkLost: One of them is gone.
    """
    for link in links.values():
        link.say({_ATTEMPT: invitation})


def raise_for(message: Mapping[str, Any]) -> NoReturn:
    """End as the first member says that it ends."""
    code, why = message[OVER], message[WHY]
    if code == PREEMPTED:
        raise Preempted
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    raise (RunError if code == RunError.exit_code else RunFailed)(Problem(why))


def lost(error: LinkLost) -> RunFailed:
    """What to raise for a link that was lost."""
    fix = "see how it ended there; the same commands go on with the run"
    return RunFailed(Problem(str(error), expected="every process of the group, until all have ended", fix=fix))


def _opened(group: Group) -> socket.socket:
    try:
        return socket.create_server(("", group.endpoint.port))
    except OSError as error:
        what = f"cannot wait for the others on port {group.endpoint.port}: {error.strerror}"
        raise RunError(Problem(what, where=str(group.endpoint), fix="choose another port")) from error


def _connected(group: Group) -> socket.socket:
    deadline = time.monotonic() + group.join_timeout_s
    while True:
        try:
            return socket.create_connection(group.endpoint, timeout=group.join_timeout_s)
        except OSError as error:
            if time.monotonic() > deadline:
                what = f"{group.noun} 0 did not answer for {group.join_timeout_s:g} s: {error}"
                fix = "start the same command there; or is the address wrong, or the port closed?"
                raise RunError(Problem(what, where=str(group.endpoint), fix=fix)) from error
        time.sleep(_RETRY_S)


def _gather(group: Group, same: Mapping[str, str], server: socket.socket, links: dict[int, Link]) -> None:
    deadline = time.monotonic() + group.join_timeout_s
    strangers: list[Link] = []
    while len(links) < group.size - 1:
        if time.monotonic() > deadline:
            raise _missing(group, links)
        if select.select([server], [], [], 0)[0]:
            connection, (host, *_) = server.accept()
            strangers.append(Link(connection, to=host, timeout_s=group.link_timeout_s))
        for link in [*strangers]:
            if (joining := _heard(link, strangers)) is not None:
                _admit(group, same, joining, link, links)
        for index, link in [*links.items()]:
            try:
                link.hear()
            except LinkLost:  # it may come once more
                del links[index]
        pause([*strangers, *links.values()])


def _heard(link: Link, strangers: list[Link]) -> dict[str, Any] | None:
    """What somebody says who wants to join; who says something else is no longer listened to."""
    try:
        messages = link.hear()
    except LinkLost:
        strangers.remove(link)
        link.close()
        return None
    if not messages:
        return None
    strangers.remove(link)
    if _JOINS in messages[0]:
        return messages[0]
    link.close()
    return None


def _admit(
    group: Group, same: Mapping[str, str], joining: Mapping[str, Any], link: Link, links: dict[int, Link]
) -> None:
    index, theirs = joining[_JOINS], joining[_SAME]
    link.to = f"{group.noun} {index}"
    if index in links or not 0 < index < group.size:
        dismiss({index: link}, RunError.exit_code, _superfluous(group, index, link.there))
        link.close()
        return
    links[index] = link
    differences = [
        f"{name}: {same.get(name)} in {group.noun} 0, {theirs.get(name)} in {group.noun} {index}"
        for name in {**same, **theirs}
        if same.get(name) != theirs.get(name)
    ]
    if differences:
        what = f"{group.noun} {index}, at {link.there}, would take part in another training"
        fix = "give every node the same code, the same arguments and the same packages"
        raise RunError(Problem(what, expected="\n".join(["the same everywhere", *differences]), fix=fix))


def _superfluous(group: Group, index: int, there: str) -> str:
    return f"{group.noun} {index}, at {there}, is one too many: {group.size} take part, each with a number of its own"


def _missing(group: Group, links: Mapping[int, Link]) -> RunError:
    absent = ", ".join(str(index) for index in range(1, group.size) if index not in links)
    what = f"{group.noun} {absent} did not come within {group.join_timeout_s:g} s"
    fix = "start the same command on each, with its own launch.node_rank" if group.noun == "node" else ""
    return RunError(Problem(what, where=str(group.endpoint), fix=fix))
