"""A member's own process, from its start until the whole group has ended."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from subprocess import Popen
from typing import Final, NamedTuple
from uuid import uuid4

from typedcfg.runner.failure import INTERRUPTED, PREEMPTED
from typedcfg.runner.launchers.base import Work
from typedcfg.runner.launchers.group.address import free_port, interface_of
from typedcfg.runner.launchers.group.link import Link, LinkLost, pause
from typedcfg.runner.launchers.group.meeting import (
    OVER,
    WHY,
    Group,
    Invitation,
    dismiss,
    gathered,
    invite,
    joined,
    lost,
    raise_for,
)
from typedcfg.runner.stop_signals import code_of_end, taken, tell_heard

_ENDED: Final = "ended"
_GRACE_S: Final = 10.0
"""How long a process may go on once another one has failed: its own ranks mostly meet that failure at once."""

Start = Callable[[Work, Invitation, Link], "Popen[bytes]"]
"""Starts a member's own process; the link leads to another member, by the network that ranks are to use."""


def attend_alone(process: "Popen[bytes]") -> int:
    """Wait for a process that is no member of a group; what asks to stop goes on to it."""
    with _started(process, is_told=True):
        return code_of_end(process.wait())


class Ending(NamedTuple):
    """How a group ended."""

    code: int
    """0 if all ended well, else the exit code of the member that first did not."""
    member: int
    """Which that is; 0 if all ended well."""


def own(group: Group, work: Work, start: Start) -> Ending:
    """Be the first member: gather the others, start one's own process, and wait until all have ended.

    Raises:
        RunError: Somebody did not come, or is not the same.
        RunFailed: A member was lost.
    """
    with gathered(group, work.same) as links:
        link = next(iter(links.values()))
        invitation = Invitation(work.attempt.name, token=uuid4().hex, port=free_port(link.here))
        try:
            invite(links, invitation)
            with _started(start(work, invitation, link), is_told=True) as process:
                ending = _attend_all(process, links)
        except LinkLost as error:
            raise lost(error) from error
        dismiss(links, ending.code)
    return ending


def join(group: Group, same: Mapping[str, str], work_of: Callable[[str], Work], start: Start) -> int:
    """Be another member: take part in what the first one makes, until that says how it ends.

    Args:
        group: The group.
        same: What has to be the same for all.
        work_of: The work of the attempt of a name.
        start: Starts this member's process.

    Raises:
        RunError: The first one did not answer, or refuses.
        RunFailed: It was lost.
    """
    with joined(group, same) as (link, invitation), _started(start(work_of(invitation.attempt), invitation, link)) as p:
        return _attend_own(p, link)


def network_variables(link: Link) -> dict[str, str]:
    """What tells gloo the network that a link is in; else it takes the one that the machine's name is in."""
    interface = interface_of(link.here)
    return {"GLOO_SOCKET_IFNAME": interface} if interface else {}


class _End:
    """How a group ends: as the member does that is the first to end badly."""

    def __init__(self) -> None:
        self.code = 0
        self.member = 0
        self._noted_at = 0.0

    def note(self, code: int, *, member: int) -> None:
        if code and not self.code:
            self.code = code
            self.member = member
            self._noted_at = time.monotonic()

    @property
    def is_bad(self) -> bool:
        """Whether something failed; those who were asked to stop have agreed on it, and may still be saving."""
        return self.code not in {0, PREEMPTED, INTERRUPTED}

    @property
    def is_due(self) -> bool:
        return self.is_bad and time.monotonic() - self._noted_at > _GRACE_S


def _attend_all(process: "Popen[bytes]", links: Mapping[int, Link]) -> Ending:
    end, remaining, is_running = _End(), set(links), True
    while is_running or remaining:
        was_bad = end.is_bad
        if is_running and (code := process.poll()) is not None:
            is_running = False
            end.note(code_of_end(code), member=0)
        for index, link in links.items():  # those that have ended too: they wait for the last word
            try:
                ended = next((message[_ENDED] for message in link.hear() if _ENDED in message), None)
            except LinkLost:
                if index in remaining and not end.is_bad:
                    raise
                ended = 0
            if ended is not None and index in remaining:
                remaining.remove(index)
                end.note(ended, member=index)
        if end.is_bad and not was_bad:
            dismiss(links, end.code)
        if end.is_due:
            break
        pause(links[index] for index in remaining)
    return Ending(end.code, end.member)


def _attend_own(process: "Popen[bytes]", link: Link) -> int:
    end, is_told, is_running = _End(), False, True
    while is_running or not is_told:
        if is_running and (code := process.poll()) is not None:
            is_running = False
            link.say({_ENDED: code_of_end(code)})
        for message in [] if is_told else link.hear():
            if OVER in message:
                is_told = True
                if message[WHY]:
                    raise_for(message)
                end.note(message[OVER], member=0)
        if end.is_due:
            break
        pause([] if is_told else [link])
    return end.code


@contextmanager
def _started(process: "Popen[bytes]", *, is_told: bool = False) -> Iterator["Popen[bytes]"]:
    """For the length of the block, pass on to a process what asks to stop; it does not outlive the block.

    Its workers are tied to it, and the kernel ends them with it.

    Args:
        process: The process.
        is_told: Whether people are told of the first such signal that it was heard; one member does that.
    """
    heard: list[signal.Signals] = []

    def pass_on(number: signal.Signals) -> None:
        process.send_signal(number)
        if is_told and not heard:
            tell_heard(number)
        heard.append(number)

    try:
        with taken(pass_on):
            yield process
    finally:
        process.kill()
        process.wait()
