"""`typedcfg explain APP KEY ...`: why one value is what it is."""

from pathlib import Path

from typedcfg.cli.context import Context, UsageError
from typedcfg.errors import Problem


def run(context: Context) -> int:
    """Print the setting that won, every one that lost, each with its place, and the rule."""
    app = context.app()
    key = context.word("KEY")
    if Path(key).is_file():
        raise UsageError(Problem(f"{key} is a file, and stands where KEY should", expected=context.usage))
    print(context.compile(app.template).explain(key))
    return 0
