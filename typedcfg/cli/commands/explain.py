"""`typedcfg explain APP KEY ...`: why one value is what it is."""

import os

from typedcfg.cli.context import Context, UsageError
from typedcfg.errors import Problem


def run(context: Context) -> int:
    """Print the setting that won, every one that lost, each with its place, and the rule."""
    app = context.app()
    key = context.word("KEY")
    if os.path.isfile(key):  # noqa: PTH113  # any text has an answer; Path.is_file raises where one is too long
        raise UsageError(Problem(f"{key} is a file, and stands where KEY should", expected=context.usage))
    print(context.compile(app.template).explain(key))
    return 0
