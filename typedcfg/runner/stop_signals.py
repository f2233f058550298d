"""What asks a process to stop: SIGTERM, Ctrl-C, a closed terminal, a cluster's SIGUSR1.

Outside of a training such a signal raises, as Ctrl-C does: nothing is lost. Within one it is noted, and `Pulse` looks
at the note where the training can be saved.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType
from typing import Final

from typedcfg.records.run_record import StopReason
from typedcfg.runner.failure import INTERRUPTED, PREEMPTED, Preempted

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT)
"""The weightiest last: where ranks heard different ones, it is the one that counts."""

_NAMES: Final[Mapping[signal.Signals, StopReason]] = {
    signal.SIGTERM: "SIGTERM",
    signal.SIGHUP: "SIGHUP",
    signal.SIGUSR1: "SIGUSR1",
}

SIGNALLED: Final = 128
"""What is added to a signal's number in the exit code of a process that it ended."""
ECHO_S: Final = {signal.SIGTERM: 5.0, signal.SIGHUP: 5.0, signal.SIGUSR1: 5.0, signal.SIGINT: 1.0}
"""How long a signal may be the echo of one that was heard before [s].

Clusters signal every process of a job, and launchers pass on what they hear: one wish, heard twice, and on a machine
that is busy not at once. Whoever presses Ctrl-C again means it.
"""
_HEARD_S: Final = 1.0
"""How long before its number is read a signal may have been heard."""
_STUCK_S: Final = 5.0
"""How long Python may take to hear a signal where nothing is there to be saved."""


class StopSignals:
    """Notes the first signal; one that comes later ends this process at once, with 128 and its number."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.received: signal.Signals | None = None
        """What was heard first."""
        self.is_heeded = False
        """Whether this process is ending already, all that matters saved: nothing is gained by ending it faster."""
        self.is_lost = False
        """Whether what was raised for it went where Python lets nothing be raised, and nobody was stopped by it."""
        self.is_raised = False
        """Whether it was raised where it was heard, by this process alone: no others agreed on it."""
        # Two signals may come at once: the second is handled amid the first, before this is known.
        self._noted_at = float("inf")

    def note(self, number: signal.Signals) -> bool:
        """Note a signal, and say whether it is the first; what came before and was lost does not count."""
        if self.received is None or self.is_lost:
            self.received = number
            self.is_lost = False
            self._noted_at = time.monotonic()
            return True
        if not self.is_heeded and time.monotonic() - self._noted_at > ECHO_S[number]:
            os._exit(SIGNALLED + number)
        return False

    def heed(self, number: signal.Signals | None) -> None:
        """Know that this process is ending, all that matters saved, for a signal if one asked for that."""
        self.is_heeded = True
        if number is not None:
            _note_in_open_blocks(number)


_open_blocks: Final[list[StopSignals]] = []
"""What the blocks noted that this process is in now, and that raise."""


def _note_in_open_blocks(number: signal.Signals) -> None:
    """One wish ends all blocks: its echo must not raise once more, in one that is being left already."""
    for signals in _open_blocks:
        if signals.received is None or signals.is_lost:
            signals.note(number)


def lost_stop() -> signal.Signals | None:
    """What was heard in a block that this process is in, and stopped nobody: it is for who takes the signals now."""
    return next((signals.received for signals in _open_blocks if signals.is_lost), None)


@contextmanager
def taken(handle: Callable[[signal.Signals], object], *, may_end: bool = False) -> Iterator[None]:
    """For the length of the block, call `handle` with each signal that asks to stop; afterwards all is as it was.

    What is ignored stays ignored (`nohup`), and what the program itself handles stays with it. Only the main thread may
    say what signals do; in another all is left as it is.

    Args:
        handle: What to call.
        may_end: Whether the process may as well be ended, where it cannot hear; see `ended_if_stuck`.
    """
    before: dict[signal.Signals, signal._HANDLER] = {}
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            if _is_free(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, _Taken(handle, may_end=may_end))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stops_raise(signals: StopSignals | None = None) -> Iterator[None]:
    """For the length of the block, what asks to stop raises Preempted or KeyboardInterrupt, once.

    Python may hear it within a `__del__` or a weakref's callback, out of which nothing is raised. Then it is raised
    when the block ends, if nobody was stopped by it sooner: `Pulse` takes it over, and a repeat raises once more.

    Args:
        signals: Where to note what is heard, for who wants to know.
    """
    signals = signals or StopSignals()

    def handle(number: signal.Signals) -> None:
        if signals.note(number):
            signals.is_raised = True
            _note_in_open_blocks(number)
            raise stop_of(number)

    _open_blocks.append(signals)
    try:
        with taken(handle, may_end=True), _losses_noted(signals):
            yield
            if signals.is_lost and signals.received is not None:
                raise stop_of(signals.received)
    finally:
        _open_blocks.remove(signals)


@contextmanager
def _losses_noted(signals: StopSignals) -> Iterator[None]:
    """For the length of the block, note that a stop was raised where Python lets nothing be raised."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    tell = sys.unraisablehook

    def note(unraisable: "sys.UnraisableHookArgs") -> None:
        if signals.received is not None and isinstance(unraisable.exc_value, (Preempted, KeyboardInterrupt)):
            signals.is_lost = True
        else:
            tell(unraisable)

    sys.unraisablehook = note
    try:
        yield
    finally:
        if sys.unraisablehook is note:
            sys.unraisablehook = tell


def stay_stopped() -> None:
    """Pass over, until this process has ended, an echo of the wish that ends it; for who is about to exit.

    It would end it by the signal itself, whatever was recorded, where people wait for the exit code.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    signals = StopSignals()
    signals.note(signal.SIGTERM)
    for number in STOP_SIGNALS:
        if _is_free(signal.getsignal(number)):
            signal.signal(number, _Taken(signals.note, may_end=False))
    atexit.register(_hear_nothing)


def _hear_nothing() -> None:
    # Python gives up a program's handlers before it has come to its end; what is ignored stays so.
    for number in STOP_SIGNALS:
        if isinstance(signal.getsignal(number), _Taken):
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def ended_if_stuck() -> Iterator[None]:
    """For the length of the block, end this process if it is asked to stop where it cannot hear, as one preempted.

    A handler of Python's runs between two of its instructions. A rank that waits, within torch, for another which has
    left before the training began would hear nothing until that wait times out, in half an hour. Where a training is
    under way nobody is ended so: `Pulse` takes the signals then.
    """
    is_free = threading.current_thread() is threading.main_thread() and signal.set_wakeup_fd(-1) == -1
    if not is_free:
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _forget_in_children()
    threading.Thread(target=_end_if_stuck, args=(reader,), name="typedcfg-stuck", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        os.close(writer)  # which ends the thread


def _end_if_stuck(reader: int) -> None:
    with os.fdopen(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            handler, read_at = signal.getsignal(number[0]), time.monotonic()
            if not (isinstance(handler, _Taken) and handler.may_end):
                continue
            time.sleep(_STUCK_S)
            # It may have been heard just before its number was read here.
            if handler.called_at < read_at - _HEARD_S and signal.getsignal(number[0]) is handler:
                os._exit(INTERRUPTED if number[0] == signal.SIGINT else PREEMPTED)


@cache
def _forget_in_children() -> None:
    """A process that is forked hears signals of its own; its parent must not take them for its."""
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))


def tell_heard(number: signal.Signals) -> None:
    """Tell the person who sent a signal that it was heard: a step may take a while; for a handler to call."""
    # Logging is not for signal handlers: what they interrupted may hold its lock.
    told = f"{number.name}: stopping where it can be gone on from; once more stops at once\n"
    with suppress(OSError):  # nobody may be there to read it
        os.write(2, told.encode())


def stop_of(number: signal.Signals) -> BaseException:
    """What to raise when a signal asks to stop."""
    return KeyboardInterrupt() if number is signal.SIGINT else Preempted(_NAMES[number])


def code_of_end(code: int) -> int:
    """The exit code to tell of a process, by the one that `subprocess` tells, which is negative for a signal."""
    number = -code if code < 0 else code - SIGNALLED
    if number == signal.SIGINT:
        return INTERRUPTED
    if number in STOP_SIGNALS:
        return PREEMPTED
    return SIGNALLED + number if code < 0 else code


class _Taken:
    """A handler of ours, told from those of others by its class."""

    def __init__(self, handle: Callable[[signal.Signals], object], *, may_end: bool) -> None:
        self._handle = handle
        self.may_end = may_end
        self.called_at = 0.0

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.called_at = time.monotonic()
        self._handle(signal.Signals(number))


def _is_free(handler: object) -> bool:
    return isinstance(handler, _Taken) or handler in (signal.SIG_DFL, signal.default_int_handler)
