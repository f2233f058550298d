"""A process that has imported all that takes long, and becomes one run after another by forking.

It reads a line for each: the run's folder, the words that follow the interpreter, and variables. It answers with the
number of the process, and with its exit code when that has ended. All that such a run starts is forked likewise.
With `--cold` it has imported nothing, and starts an interpreter for each, as does all that such a run starts.
"""

import gc
import inspect
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

_SLOW: Final = (
    "torch.distributed.run",
    "typedcfg.runner.lightning.worker",
    "typedcfg.runner.lightning.sharded.strategy",
    "typedcfg.cli.commands.run",
)
"""What takes long to import."""


class Forked(subprocess.Popen[bytes]):
    """Starts `python -m MODULE ...` without starting Python; what has been imported is there."""

    # The order is that of subprocess, which documents none of it.
    def _execute_child(self, args: Any, *settings: Any) -> None:
        if isinstance(args, str) or args[0] != sys.executable:
            super()._execute_child(args, *settings)  # type: ignore[misc]  # as above
            return
        cwd, env = settings[4:6]
        pipes, is_session = settings[9:15], settings[20]
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            if is_session:
                os.setsid()
            os.chdir(cwd or ".")
            for stream, pipe in enumerate((pipes[0], pipes[3], pipes[5])):
                if pipe != -1:
                    os.dup2(pipe, stream)
            _become([word for word in args[1:] if word != "-u"], env)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # as above


def _become(words: list[str], variables: dict[str, str] | None) -> NoReturn:
    """Be what an interpreter that is given these words would be."""
    # What was left behind must not be collected: its descriptors are those of others now.
    gc.freeze()
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208  # they are no paths
        with suppress(OSError):  # the one that lists them is among them
            if not os.get_inheritable(descriptor):
                os.close(descriptor)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if variables is not None:
        os.environ.clear()
        os.environ.update(variables)
    code = 1
    try:
        code = _run(words)
    finally:
        if sys.exception():
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(words: list[str]) -> int:
    option, module, *sys.argv[1:] = words
    assert option == "-m", words
    sys.path[0] = str(Path.cwd())
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def main() -> None:
    """Be one run after another, until nobody asks for more."""
    if "--cold" not in sys.argv:
        subprocess.Popen = Forked  # type: ignore[assignment,misc]  # before anybody imports it
        for module in _SLOW:
            import_module(module)
        import_module("torch").set_num_threads(1)
        # torch's agent asks for it, and would search in all that was imported for what it does not need.
        inspect.stack = partial(inspect.stack, context=0)
    for line in sys.stdin:
        folder, words, variables = json.loads(line)
        with (Path(folder) / "printed.txt").open("ab") as printed:
            run = subprocess.Popen(
                [sys.executable, *words],
                cwd=folder,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )
        print(run.pid, flush=True)
        print(run.wait(), flush=True)


if __name__ == "__main__":
    main()
