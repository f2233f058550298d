"""`typedcfg explain APP KEY ...`: why one value is what it is."""

from typedcfg.cli.context import Context


def run(context: Context) -> int:
    """Print the setting that won, every one that lost, each with its place, and the rule."""
    app = context.app()
    key = context.word("KEY")
    print(context.compile(app.template).explain(key))
    return 0
