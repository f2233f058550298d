"""What a page's commands print.

A process of its own takes half a second to import what it needs. So a command of ours, or a script, is run in this
process where the page is about what it prints; whatever else a shell does is left to a shell.
"""

import contextlib
import importlib
import io
import linecache
import os
import re
import runpy
import shlex
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

import pytest

from typedcfg.cli.main import call
from typedcfg.errors import TypedcfgError

TIMEOUT_S: Final = 240

_PLAIN = re.compile(
    r"""(?P<words>(?:[^'"|<>;&]|'[^']*'|"[^"]*")+?)(?: > (?P<aside>\S+)(?P<both> 2>&1)?| \| (?P<readers>.+))?""",
    re.DOTALL,
)
_VARIABLE = re.compile(r"(\w+)=(.*)", re.DOTALL)


class Ours(NamedTuple):
    """A command that needs no process of its own."""

    variables: Mapping[str, str]
    words: list[str]
    aside: str | None = None
    """The file that takes what it prints."""
    readers: str | None = None
    """The commands that take what it prints."""
    is_together: bool = True
    """Whether its errors go where all that it prints goes."""

    @classmethod
    def read(cls, command: str, folder: Path) -> Self | None:
        """A command as it is typed in a folder; None where it is not ours alone."""
        plain = _PLAIN.fullmatch(command)
        if plain is None:
            return None
        words, variables = shlex.split(plain["words"]), {}
        while words and (given := _VARIABLE.fullmatch(words[0])):
            variables[given[1]] = given[2]
            del words[0]
        if words[:1] != ["typedcfg"] and not (words[:1] == ["python"] and words[1].endswith(".py")):
            return None
        words = [found for word in words for found in _found(word, folder)]
        is_together = plain["both"] is not None or not (plain["aside"] or plain["readers"])
        return cls(variables, words, plain["aside"], plain["readers"], is_together)


def run(command: str, folder: Path) -> str:
    """What a command prints in a folder, errors too."""
    ours = Ours.read(command, folder)
    if ours is None:
        return run_in_a_shell(command, folder)
    printed = _stream()
    errors = printed if ours.is_together else _stream()
    program, *arguments = ours.words
    with _as_a_process(folder, {**environment(folder), **ours.variables}) as patch:
        patch.setattr(sys, "argv", arguments)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            if program == "typedcfg":
                call(arguments)
            else:
                _run_script(arguments[0])
    for stream in (printed, errors):
        stream.seek(0)
    if ours.aside:
        (folder / ours.aside).write_bytes(printed.buffer.read())
    elif ours.readers:
        return errors.read() + run_in_a_shell(ours.readers, folder, told=printed.read())
    return errors.read()


def run_in_a_shell(command: str, folder: Path, *, told: str = "") -> str:
    """What a command prints, errors too, in a shell that finds this interpreter's programs first."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment(folder),
        input=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """What a newcomer's commands find."""
    nowhere = "http://127.0.0.1:9"  # a page must not need a network
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "http_proxy": nowhere,
        "https_proxy": nowhere,
    }


def _stream() -> io.TextIOWrapper:
    """A stream that is written as standard error is: what no encoding has is written as an escape."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n")


def _found(word: str, folder: Path) -> list[str]:
    """What a shell makes of a word: the names that a pattern fits, if there are any."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.glob(word)) if "/*" in word else []
    return names or [word]


def _run_script(name: str) -> None:
    """What `python name` does; of a traceback only the end."""
    try:
        runpy.run_path(name, run_name="__main__")
    except SystemExit:
        pass
    except TypedcfgError as error:
        sys.stderr.write("".join(traceback.format_exception_only(error)))


@contextlib.contextmanager
def _as_a_process(folder: Path, variables: Mapping[str, str]) -> Iterator[pytest.MonkeyPatch]:
    """What a command finds when it begins: its folder, its variables, and no module of the one before."""
    loaded = {*sys.modules}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("default")
        patch.setattr(warnings, "showwarning", lambda text, kind, *_: sys.stderr.write(f"{kind.__name__}: {text}\n"))
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        patch.setattr(sys, "dont_write_bytecode", True)
        for name, value in variables.items():
            patch.setenv(name, value)
        linecache.clearcache()
        importlib.invalidate_caches()
        try:
            yield patch
        finally:
            for name in {*sys.modules} - loaded:
                if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                    del sys.modules[name]
