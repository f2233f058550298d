"""The command line, `typedcfg VERB ...`, and the same for a script, `typedcfg.main(Template)`."""

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

from typedcfg.cli.verbs import HIDDEN, VERBS, VERSION, help_of, overview
from typedcfg.cli.warned import settings_warned_in_a_line
from typedcfg.errors import Problem, RecordError, TypedcfgError
from typedcfg.template.base import ConfigTemplate
from typedcfg.text import shorten

HELP_FLAGS: Final = frozenset({"--help", "-h"})
_STOPPED: Final = frozenset({130, 143})
"""The exit codes of what was asked to stop; `runner/failure.py` has names for them, and takes long to import."""
_UNPRINTED: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What is said of an output that was redirected to a file, without that file's name."""


def entry_point() -> NoReturn:
    """What the `typedcfg` command calls."""
    _exit(call(sys.argv[1:]))


def main(
    template: type[ConfigTemplate],
    *,
    presets: Sequence[Mapping[str, object] | ConfigTemplate] = (),
    arguments: Sequence[str] | None = None,
) -> NoReturn:
    """Make a script of a template: `python train.py wide.yaml loader.batch_size=256`.

    The script takes the same verbs as the `typedcfg` command, without APP; with none it runs. This is the only
    place that reads `sys.argv`. It does not return: the process exits with the command's code.

    Args:
        template: What is configured.
        presets: Settings that files, variables and arguments override.
        arguments: Read instead of `sys.argv[1:]`.
    """
    from typedcfg.runner.launchers.base import RUN_VARIABLE

    given = list(sys.argv[1:] if arguments is None else arguments)
    if RUN_VARIABLE in os.environ:
        given = ["worker"]  # the script was started again, as one of the processes of the run that it started
    _exit(call(given, template=template, presets=presets))


def call(
    arguments: Sequence[str],
    *,
    template: type[ConfigTemplate] | None = None,
    presets: Sequence[Mapping[str, object] | ConfigTemplate] = (),
) -> int:
    """Run one command and return its exit code; a user's mistake is told, not traced.

    Args:
        arguments: The command line, without the program's name.
        template: The template of a script, which then has no APP.
        presets: The presets of a script.
    """
    is_debugging = "--debug" in arguments
    try:
        with settings_warned_in_a_line():
            code = _dispatch(list(arguments), template, presets)
        _flush()
        return code  # noqa: TRY300  # the flush belongs to what may break
    except TypedcfgError as error:
        if is_debugging:
            raise
        _tell(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does.
        _forget_output()
        return 0
    except (OSError, UnicodeEncodeError) as error:
        if is_debugging:
            raise
        told = _unprinted(error) if isinstance(error, UnicodeEncodeError) else _refused(error)
        _tell(told)
        return told.exit_code
    except KeyboardInterrupt:
        return 130


def _tell(error: TypedcfgError) -> None:
    """Say what is wrong, if anybody can be told: the exit code says it all the same."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(error, file=sys.stderr)  # noqa: T201  # telling people things is what a command line does


def _flush() -> None:
    if sys.stdout is not None:  # it was closed before we began
        sys.stdout.flush()


def _unprinted(error: UnicodeEncodeError) -> TypedcfgError:
    """What to say of letters that the encoding of the output has not: in other words the output would mean another."""
    letters = error.object[error.start : error.end]
    what = f"cannot print {shorten(letters)!a}: the output is encoded as {error.encoding}"
    return RecordError(Problem(what, fix="set the variable PYTHONIOENCODING=utf-8:surrogateescape"))


def _refused(error: OSError) -> TypedcfgError:
    """What the operating system refused: to take what was printed, or a file or folder."""
    if error.filename is None and error.errno in _UNPRINTED:
        _forget_output()
        return RecordError(Problem(f"cannot print: {error.strerror}", expected="a standard output that takes it"))
    from typedcfg.refusal import remedy

    place = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    fix = f"{remedy(Path(place), error)}; --debug shows the traceback" if place else "--debug shows the traceback"
    return RecordError(Problem(f"the operating system refused: {error.strerror or error}", where=place, fix=fix))


def _forget_output() -> None:
    """Let what is still buffered go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit(code: int) -> NoReturn:
    if code in _STOPPED:
        from typedcfg.runner.stop_signals import stay_stopped

        stay_stopped()
    sys.exit(code)


def _dispatch(
    arguments: list[str],
    template: type[ConfigTemplate] | None,
    presets: Sequence[Mapping[str, object] | ConfigTemplate],
) -> int:
    from typedcfg.cli.context import Context

    if template is None and arguments == [VERSION]:
        from importlib import metadata

        print(f"typedcfg {metadata.version('typedcfg')}")  # noqa: T201  # telling people things, as above
        return 0
    program = None if template is None else f"python {os.path.relpath(sys.argv[0])}"
    verb, position = _verb(arguments, is_script=template is not None)
    if verb is None or HELP_FLAGS & set(arguments):
        print(overview(program=program) if verb is None else help_of(verb, program=program))  # noqa: T201  # as above
        return 0
    rest = tuple((i, word) for i, word in enumerate(arguments, 1) if i != position and word != "--debug")
    context = Context(verb, rest, template, tuple(presets), program=program)
    command = import_module(f"typedcfg.cli.commands.{verb}")
    code: int = command.run(context)
    return code


def _verb(arguments: list[str], *, is_script: bool) -> tuple[str | None, int]:
    """The verb and its position; None where an overview is asked for. A script without a verb runs."""
    words = [(i, word) for i, word in enumerate(arguments, 1) if word != "--debug"]
    position, word = words[0] if words else (0, "")
    if word in HELP_FLAGS or (not words and not is_script):
        return None, 0
    if word in VERBS or word in HIDDEN:
        return word, position
    if is_script:
        return "run", 0
    from typedcfg.text import nearest

    raise TypedcfgError(
        Problem(
            f"there is no command {word!r}",
            expected=", ".join(VERBS),
            suggestion=nearest(word, VERBS),
            fix="`typedcfg --help` says what each does",
        )
    )
