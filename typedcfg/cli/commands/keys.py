"""`typedcfg keys APP ...`: every key, one to a line."""

from typedcfg.cli.context import Context
from typedcfg.cli.table import table
from typedcfg.template.keys import declared_keys
from typedcfg.template.type_text import type_text


def run(context: Context) -> int:
    """Print the keys that a template declares; with files or overrides, those of the configuration they make."""
    app = context.app()
    if context.has_more():
        print(context.compile(app.template).explain())
        return 0
    found = declared_keys(app.template)
    print(table([key, type_text(entry), f"with {' '.join(kinds)}" if kinds else ""] for key, entry, kinds in found))
    return 0
