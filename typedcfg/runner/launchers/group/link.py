"""A link: a connection between two members of a group, on which each hears whether the other still lives.

What a network that was cut does is nothing: no error, for many minutes. So each side says every second that it lives,
and takes the other for lost when it was silent too long.
"""

import json
import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

_BEAT_S: Final = 1.0
_LONGEST: Final = 1 << 20
"""Bytes in a message; whoever sends more is none of us."""
_PAUSE_S: Final = 0.1


class LinkLost(Exception):
    """The other side ended, or was silent too long."""


class Link:
    """One connection, of messages that are JSON objects."""

    def __init__(self, connection: socket.socket, *, to: str, timeout_s: float) -> None:
        """Take over a connection.

        Args:
            connection: The connection.
            to: Who is at its other end, for messages.
            timeout_s: How long that one may be silent.
        """
        self.to = to
        self.here: str = connection.getsockname()[0]
        """The address of this side."""
        self.there: str = connection.getpeername()[0]
        """The address of the other side."""
        self._connection = connection
        self._timeout_s = timeout_s
        self._unread = b""
        self._heard: deque[dict[str, Any]] = deque()
        self._lost: LinkLost | None = None
        self._heard_at = self._beat_at = time.monotonic()
        connection.settimeout(timeout_s)

    def fileno(self) -> int:
        """What `select` asks for."""
        return self._connection.fileno()

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a message.

        Raises:
            LinkLost: The other side is no longer there.
        """
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise LinkLost(f"{self.to} is gone: {error}") from error

    def hear(self) -> list[dict[str, Any]]:
        """The messages that came; to be called often, since it also says that this side lives.

        Raises:
            LinkLost: The other side is no longer there, or was silent too long.
        """
        self._listen()
        messages = [*self._heard]
        self._heard.clear()
        return messages

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _listen(self) -> None:
        while self._lost is None and select.select([self._connection], [], [], 0)[0]:
            self._receive()
            self._heard_at = time.monotonic()
        if self._heard:
            return  # what was said before the end counts
        if self._lost is not None:
            raise self._lost
        now = time.monotonic()
        if now - self._heard_at > self._timeout_s:
            raise LinkLost(f"{self.to} was not heard for {self._timeout_s:g} s")
        if now - self._beat_at > _BEAT_S:
            self._beat_at = now
            self.say({})

    def _receive(self) -> None:
        try:
            received = self._connection.recv(1 << 16)
            *lines, self._unread = (self._unread + received).split(b"\n")
            self._heard += [message for line in lines if (message := dict(json.loads(line)))]
        except OSError as error:
            self._lost = LinkLost(f"{self.to} is gone: {error}")
        except (TypeError, ValueError):
            self._lost = LinkLost(f"{self.to} is none of us: it speaks of something else")
        else:
            if not received or len(self._unread) > _LONGEST:
                self._lost = LinkLost(f"{self.to} ended")


def pause(links: Iterable[Link]) -> None:
    """Wait a moment, or until somebody says something."""
    select.select([*links], [], [], _PAUSE_S)
