import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from typedcfg.runner import stop_signals
from typedcfg.runner.failure import Preempted
from typedcfg.runner.stop_signals import STOP_SIGNALS, StopSignals, code_of_end, lost_stop, stops_raise, taken


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_that_asks_to_stop_preempts(number: signal.Signals) -> None:
    with pytest.raises(Preempted), stops_raise():
        signal.raise_signal(number)

    assert signal.getsignal(number) is signal.SIG_DFL


def test_ctrl_c_interrupts_as_ever() -> None:
    with pytest.raises(KeyboardInterrupt), stops_raise():
        signal.raise_signal(signal.SIGINT)


def test_one_wish_heard_twice_is_one() -> None:
    heard = StopSignals()

    with taken(heard.note):
        for number in (signal.SIGUSR1, signal.SIGTERM):
            signal.raise_signal(number)

    assert heard.received is signal.SIGUSR1


def test_a_second_wish_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stop_signals.ECHO_S, signal.SIGINT, 0.0)
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    heard = StopSignals()

    heard.note(signal.SIGTERM)
    heard.note(signal.SIGINT)
    heard.is_heeded = True
    heard.note(signal.SIGINT)

    assert codes == [130]


class Deaf:
    """Hears a signal where Python lets nothing be raised."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_python_could_not_raise_for_raises_when_the_block_ends() -> None:
    reached = []

    def hear_it_late() -> None:
        with stops_raise():
            Deaf()
            reached.append(lost_stop())

    with pytest.raises(Preempted):
        hear_it_late()

    assert reached == [signal.SIGTERM]
    assert lost_stop() is None


def test_a_signal_that_python_could_not_raise_for_raises_when_it_is_sent_again() -> None:
    reached = []

    def hear_it_twice() -> None:
        with stops_raise(), stops_raise():
            Deaf()
            signal.raise_signal(signal.SIGHUP)
            reached.append("the end")

    with pytest.raises(Preempted):
        hear_it_twice()

    assert reached == []


def test_a_signal_that_somebody_else_heeds_does_not_raise_when_the_block_ends() -> None:
    inner = StopSignals()

    with stops_raise():
        Deaf()
        with taken(inner.note):
            inner.note(signal.SIGTERM)
            inner.heed(inner.received)


def test_an_echo_that_is_heard_amid_the_first_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    heard = StopSignals()
    echoes = iter([signal.SIGTERM])

    def monotonic() -> float:
        for number in echoes:
            heard.note(number)
        return 100.0

    monkeypatch.setattr(time, "monotonic", monotonic)
    heard.note(signal.SIGTERM)

    assert heard.received is signal.SIGTERM
    assert not codes


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with stops_raise():
        signal.raise_signal(signal.SIGHUP)

    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN


def test_what_the_program_handles_stays_its_own() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))

    with stops_raise():
        signal.raise_signal(signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]


def test_a_block_within_a_block_takes_the_signals_and_gives_them_back() -> None:
    inner = StopSignals()

    def stop_twice() -> None:
        with stops_raise():
            with taken(inner.note):
                signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Preempted):
        stop_twice()

    assert inner.received is signal.SIGTERM


def test_another_thread_leaves_all_as_it_is() -> None:
    handlers: list[object] = []

    def look() -> None:
        with stops_raise():
            handlers.extend(map(signal.getsignal, STOP_SIGNALS))

    (thread := threading.Thread(target=look)).start()
    thread.join()

    assert handlers == [signal.getsignal(number) for number in STOP_SIGNALS]


@pytest.mark.parametrize(
    ("code", "told"),
    [(-15, 143), (-10, 143), (-1, 143), (-2, 130), (138, 143), (130, 130), (-9, 137), (1, 1), (255, 255)],
)
def test_how_a_process_ended_is_told_in_one_way(code: int, told: int) -> None:
    assert code_of_end(code) == told


def test_a_process_that_is_asked_to_stop_exits_with_the_code_that_says_so() -> None:
    script = (
        "import signal; from typedcfg.runner.stop_signals import stops_raise\n"
        "with stops_raise(): signal.raise_signal(signal.SIGUSR1)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 143


def test_a_wish_that_was_heeded_is_not_heard_again_by_the_blocks_around() -> None:
    inner = StopSignals()

    with stops_raise(), stops_raise():
        with taken(inner.note):
            signal.raise_signal(signal.SIGTERM)
            inner.heed(inner.received)
        signal.raise_signal(signal.SIGHUP)


def test_an_echo_while_a_block_is_left_does_not_raise_in_the_one_around_it() -> None:
    with stops_raise():
        with pytest.raises(Preempted), stops_raise():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)


LEAVING = """
import atexit, signal, sys
from typedcfg.runner.stop_signals import stay_stopped

class Last:
    def __init__(self, raise_signal=signal.raise_signal): self.raise_signal = raise_signal
    def __del__(self): self.raise_signal(1)

sys.last = Last()  # kept until Python has given up its handlers
stay_stopped()
signal.raise_signal(signal.SIGINT)
sys.exit(143)
"""


def test_an_echo_does_not_end_a_process_that_is_on_its_way_out() -> None:
    assert subprocess.run([sys.executable, "-c", LEAVING], check=False).returncode == 143


STUCK = """
import ctypes, os, signal, sys
from typedcfg.runner.stop_signals import STOP_SIGNALS, ended_if_stuck, stops_raise, taken

libc, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
libc.pthread_mutex_lock(lock)
with stops_raise(), ended_if_stuck():
    {within}
        print("waits", flush=True)
        libc.pthread_mutex_lock(lock)  # forever, and no handler is called
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_who_cannot_hear_is_ended(number: signal.Signals, code: int) -> None:
    with waiting("if True:") as process:
        process.send_signal(number)

        assert process.wait(30) == code


@pytest.mark.slow
@pytest.mark.parametrize("within", ["with taken(print):", "if os.fork() == 0:"])
def test_who_trains_is_not_nor_for_what_a_child_was_asked(within: str) -> None:
    with waiting(within) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in children or [str(process.pid)]:
            os.kill(int(pid), signal.SIGTERM)

        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(8)


@contextmanager
def waiting(within: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that waits where it cannot hear."""
    script = STUCK.replace("{within}", within)
    if "fork" in within:
        script += "    else:\n        os.wait()\n        libc.pthread_mutex_lock(lock)\n"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        time.sleep(1)  # from the line to where it waits
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
