"""`typedcfg completion bash | zsh | fish`: the script that completes commands, keys and values on TAB."""

from importlib.resources import files

from typedcfg.cli.context import Context, UsageError
from typedcfg.errors import Problem
from typedcfg.text import nearest

_SHELLS = ("bash", "zsh", "fish")


def run(context: Context) -> int:
    """Print the script of a shell."""
    shell = context.word("the name of a shell")
    context.finish()
    if shell not in _SHELLS:
        raise UsageError(
            Problem(f"there is no completion for {shell!r}", expected=context.usage, suggestion=nearest(shell, _SHELLS))
        )
    print((files("typedcfg.cli.completion") / f"typedcfg.{shell}").read_text(encoding="utf-8"), end="")
    return 0
